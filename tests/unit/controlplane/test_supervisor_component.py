from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from nestling.controlplane import supervisor_component as component


def health(stuck: float | None = 60.0, start: float = 180.0) -> component.Health:
    return component.Health(stuck_seconds=stuck, start_seconds=start)


def test_backoff_doubles_with_jitter_up_to_its_limit() -> None:
    backoff = component.Backoff()
    delays = [backoff.failed(0.0) for _ in range(12)]
    for number, delay in enumerate(delays):
        longest = min(component.LONGEST_DELAY, component.FIRST_DELAY * 2**number)
        assert longest / 2 <= delay <= longest


def test_backoff_starts_again_after_a_time_of_health() -> None:
    backoff = component.Backoff()
    for _ in range(9):
        backoff.failed(1.0)
    assert backoff.failed(component.HEALTHY_SECONDS) <= component.FIRST_DELAY
    assert backoff.failures == 1


@given(st.integers(min_value=1, max_value=10_000))
def test_backoff_never_exceeds_its_limit(failures: int) -> None:
    backoff = component.Backoff()
    backoff.failures = failures
    assert 0 < backoff.failed(0.0) <= component.LONGEST_DELAY


def test_a_process_whose_probe_fails_for_long_is_stuck() -> None:
    seen = health()
    assert not seen.observe(ready=True, alive=True, now=0)
    assert [seen.observe(ready=False, alive=False, now=now) for now in (10, 30, 50, 69, 70)] == [False] * 4 + [True]


def test_one_success_starts_the_count_again() -> None:
    seen = health()
    seen.observe(ready=True, alive=True, now=0)
    for now in (10, 30, 50):
        seen.observe(ready=False, alive=False, now=now)
    seen.observe(ready=True, alive=True, now=60)
    assert [seen.observe(ready=False, alive=False, now=now) for now in (61, 70, 75, 120)] == [False] * 4


def test_a_first_start_has_more_patience() -> None:
    seen = health()
    assert not any(seen.observe(ready=False, alive=False, now=now) for now in range(0, 180, 10))
    assert seen.observe(ready=False, alive=False, now=180)


def test_a_supervisor_that_slept_does_not_kill_for_the_time_that_it_slept() -> None:
    seen = health()
    seen.observe(ready=True, alive=True, now=0)
    seen.observe(ready=False, alive=False, now=1)
    assert not seen.observe(ready=False, alive=False, now=5000)


def test_not_ready_but_alive_is_not_stuck() -> None:
    seen = health()
    seen.observe(ready=True, alive=True, now=0)
    assert not any(seen.observe(ready=False, alive=True, now=now) for now in range(1, 1000, 10))
    assert not seen.ready


def test_without_a_limit_nothing_is_stuck() -> None:
    seen = health(stuck=None)
    assert not any(seen.observe(ready=False, alive=False, now=now) for now in range(0, 10_000, 10))


def test_health_counts_only_the_time_since_it_was_last_bad() -> None:
    seen = health()
    seen.observe(ready=True, alive=True, now=10)
    seen.observe(ready=False, alive=True, now=20)
    assert seen.healthy_seconds(30) == 0
    seen.observe(ready=True, alive=True, now=40)
    assert seen.healthy_seconds(45) == 5


async def test_the_bell_wakes_those_who_wait_for_a_condition() -> None:
    bell, seen = component.Bell(), []

    async def ring() -> None:
        seen.append(1)
        bell.ring()

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(bell.until(lambda: bool(seen)))
        group.create_task(ring())
    assert waiting.result()


async def test_the_bell_says_when_time_is_up() -> None:
    assert not await component.Bell().until(lambda: False, timeout_seconds=0.01)
