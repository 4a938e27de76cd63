from __future__ import annotations

import asyncio

import prometheus_client
import pytest

from nestling.controlplane import loops


class Work:
    """Fails as often as it is told, and counts."""

    def __init__(self, failures: int = 0, error: Exception | None = None) -> None:
        self.failures = failures
        self.error = error or loops.NotYetError("not there")
        self.runs = 0
        self.ran = asyncio.Condition()

    async def reconcile(self) -> None:
        async with self.ran:
            self.runs += 1
            self.ran.notify_all()
        if self.runs <= self.failures:
            raise self.error

    async def until(self, runs: int) -> None:
        async with asyncio.timeout(10), self.ran:
            await self.ran.wait_for(lambda: self.runs >= runs)


def make(work: Work, interval: float = 1000.0) -> tuple[loops.Duty, prometheus_client.CollectorRegistry]:
    registry = prometheus_client.CollectorRegistry()
    return loops.Duty("x", work.reconcile, metrics=loops.Metrics(registry), interval=interval), registry


async def test_a_failure_is_tried_again_and_counted() -> None:
    work = Work(failures=2)
    duty, registry = make(work)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(duty.run())
        await work.until(3)
        async with asyncio.timeout(5):
            await duty.done_once.wait()
        task.cancel()
    assert registry.get_sample_value("nestling_duty_failures_total", {"duty": "x"}) == 2


async def test_a_wake_makes_it_look_again() -> None:
    work = Work()
    duty, _ = make(work)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(duty.run())
        await duty.done_once.wait()
        duty.wake()
        await work.until(2)
        task.cancel()


async def test_a_programming_error_ends_the_process() -> None:
    work = Work(failures=1, error=KeyError("bug"))
    duty, _ = make(work)
    with pytest.raises(KeyError):
        await duty.run()
    assert not duty.done_once.is_set()


def test_pauses_grow_and_are_bounded() -> None:
    assert loops.backoff(1) < loops.backoff(4) <= loops.LONGEST_PAUSE * 1.2
    assert loops.backoff(1000) <= loops.LONGEST_PAUSE * 1.2
