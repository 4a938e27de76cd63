"""Caches that lie are found and listed anew (user lesson 2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import prometheus_client
import pytest

from nestling.kube import cache, errors, queue, requests
from nestling.kube.resource import PODS
from nestling.syncer import cache_check, metrics
from nestling.syncer.spec import SideName


def raw(name: str, version: int, uid: str = "") -> bytes:
    meta = {"name": name, "namespace": "n", "uid": uid or f"uid-{name}", "resourceVersion": str(version)}
    return json.dumps({"metadata": meta, "spec": {}}).encode()


class Server:
    """Answers lists; counts what it was asked."""

    def __init__(self, *items: bytes, version: int = 100) -> None:
        self.items = list(items)
        self.version = version
        self.asked: list[requests.Request] = []
        self.error: Exception | None = None

    async def send(self, request: requests.Request) -> bytes:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        body = {"metadata": {"resourceVersion": str(self.version)}, "items": [json.loads(item) for item in self.items]}
        return json.dumps(body).encode()


class Check:
    def __init__(self, server: Server, *held: bytes) -> None:
        self.clock = 10_000.0
        self.informer = cache.Informer(server, PODS)  # type: ignore[arg-type] # it never watches here
        for item in held:
            self.informer.store.upsert(item)
        self.informer.synced.set()
        self.informer.last_event = self.clock
        self.registry = prometheus_client.CollectorRegistry()
        self.check = cache_check.CacheCheck(
            [cache_check.Watched(SideName.HOST, self.informer, server)],
            metrics.create(self.registry),
            now=lambda: 1.0,
            clock=lambda: self.clock,
        )

    def relists(self, reason: str) -> float:
        labels = {"side": "host", "resource": "pods", "reason": reason}
        return self.registry.get_sample_value("nestling_cache_relists_total", labels) or 0.0


async def test_an_honest_cache_is_left_alone() -> None:
    server = Server(raw("a", 5), raw("b", 6))
    check = Check(server, raw("a", 5), raw("b", 6))
    await check.check.compare_all(grace=0)
    assert check.relists("differs") == 0
    assert not check.informer._doubted.is_set()
    assert len(server.asked) == 1
    assert "PartialObjectMetadataList" in server.asked[0].headers["Accept"]
    assert check.check.last == 1.0


@pytest.mark.parametrize(
    "held",
    [
        [raw("a", 5)],
        [raw("a", 5), raw("b", 4)],
        [raw("a", 5), raw("b", 6), raw("gone", 7)],
        [raw("a", 5), raw("b", 6, uid="another")],
    ],
    ids=["missing", "old", "too many", "another UID"],
)
async def test_a_lie_is_listed_anew(held: list[bytes]) -> None:
    check = Check(Server(raw("a", 5), raw("b", 6)), *held)
    await check.check.compare_all(grace=0)
    assert check.relists("differs") == 1
    assert check.informer._doubted.is_set()


async def test_what_is_newer_than_the_list_is_no_lie() -> None:
    server = Server(raw("a", 5), version=6)
    check = Check(server, raw("a", 7), raw("new", 8))
    await check.check.compare_all(grace=0)
    assert check.relists("differs") == 0


async def test_a_watch_that_lags_is_no_lie() -> None:
    class Lagging(Server):
        async def send(self, request: requests.Request) -> bytes:
            answer = await super().send(request)
            if len(self.asked) == 2:
                check.informer.store.upsert(raw("a", 9))
            return answer

    check = Check(Lagging(raw("a", 9)), raw("a", 5))
    await check.check.compare_all(grace=0)
    assert check.relists("differs") == 0


async def test_a_server_that_does_not_answer_is_passed_over() -> None:
    server = Server()
    server.error = errors.ConnectionFailed("https://host", "reset")
    check = Check(server, raw("a", 5))
    await check.check.compare_all(grace=0)
    assert check.relists("differs") == 0


async def test_a_cache_that_is_not_filled_is_not_compared() -> None:
    server = Server(raw("a", 5))
    check = Check(server)
    check.informer.synced.clear()
    await check.check.compare_all(grace=0)
    assert server.asked == []


@pytest.mark.parametrize(
    ("silence", "failing", "expected"),
    [(cache_check.SILENCE + 1, False, 1), (cache_check.SILENCE - 1, False, 0), (cache_check.SILENCE + 1, True, 0)],
)
def test_a_silent_watch_is_listed_anew(silence: float, failing: Any, expected: int) -> None:
    check = Check(Server())
    check.clock += silence
    check.informer.last_error = errors.ConnectionFailed("https://host", "down") if failing else None
    assert len(check.check.wake_silent()) == expected
    assert check.relists("silent") == expected


async def test_a_new_list_mends_the_cache_while_the_watch_says_nothing() -> None:
    class Silent(Server):
        async def stream(self, request: requests.Request, *, idle_seconds: float) -> AsyncGenerator[bytes, None]:
            watching.set()
            await asyncio.Event().wait()
            yield b""

    watching = asyncio.Event()
    server = Silent(raw("a", 5), raw("b", 6))
    informer = cache.Informer(server, PODS)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(informer.run())
        await watching.wait()
        # a deletion that never was, and a server that says nothing of it
        informer.store.remove(("n", "a"), uid="uid-a")
        watching.clear()
        informer.relist()
        await watching.wait()
        assert informer.lists == 2
        assert set(informer.store.keys()) == {("n", "a"), ("n", "b")}
        running.cancel()


async def test_a_queue_knows_what_waits_and_what_is_worked_on() -> None:
    work: queue.WorkQueue[str] = queue.WorkQueue()
    work.add("now")
    work.add("later", after=60)
    assert "now" in work
    assert "later" not in work
    assert await work.get() == "now"
    assert "now" in work
    work.done("now")
    assert "now" not in work
    work.close()
