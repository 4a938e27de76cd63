"""Pods that are created and deleted, on whichever side, and the watches that see what becomes of them."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

from bench import observe, processes
from bench.world import DIRECT, NAMESPACE, World
from nestling.kube import client
from nestling.kube.resource import PODS, Obj

#: Requests at a time when there are many to send.
AT_ONCE: Final = 32
_SETTLED: Final = 0.5


def pod(name: str) -> Obj:
    """An ordinary small pod, with the token that pods have by default."""
    env = [{"name": f"VARIABLE_{letter}", "value": "some value"} for letter in "ABCDE"]
    resources = {"requests": {"cpu": "10m", "memory": "16Mi"}}
    container = {"name": "app", "image": "registry.example/app:1", "env": env, "resources": resources}
    return {"metadata": {"name": name, "labels": {"app": "web", "tier": "front"}}, "spec": {"containers": [container]}}


async def together(work: Callable[[str], Awaitable[object]], names: Sequence[str]) -> None:
    """The same for each name, so many at once."""
    waiting = iter(names)

    async def worker() -> None:
        for name in waiting:
            await work(name)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(AT_ONCE, len(names))):
            group.create_task(worker())


async def at_rate(work: Callable[[str], Awaitable[object]], names: Sequence[str], rate: float) -> None:
    """The same for each name, so many per second, however long each takes."""
    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number, name in enumerate(names):
            await asyncio.sleep(max(started + number / rate - time.monotonic(), 0.0))
            group.create_task(_one(work, name))


async def _one(work: Callable[[str], Awaitable[object]], name: str) -> None:
    await work(name)


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where pods are created, and the watch that sees them there."""

    api: client.Client
    namespace: str
    seen: observe.Recorder

    async def create(self, name: str) -> None:
        """Create a pod; it is there when the answer or the watch says so, whichever comes first."""
        await self.api.create(PODS, pod(name), self.namespace)
        self.seen.mark(name, observe.CREATED, time.monotonic())

    async def delete(self, name: str) -> None:
        """Delete it as kubectl does."""
        await self.api.delete(PODS, name, self.namespace)

    async def all_gone(self, names: Sequence[str], *, patience: float) -> float:
        """Delete them all, wait for the last, and say how long that took."""
        started = time.monotonic()
        await together(self.delete, names)
        await self.seen.wait(names, observe.GONE, patience=patience)
        return self.seen.last(names, observe.GONE) - started


@dataclasses.dataclass(frozen=True, slots=True)
class Places:
    """The virtual cluster, its pods on the host, and pods on the host itself."""

    virtual: Place
    below: observe.Recorder
    direct: Place


@contextlib.asynccontextmanager
async def watched(world: World) -> AsyncIterator[Places]:
    """Watches of pods for the time of the block."""
    above = observe.Recorder(world.virtual, PODS, NAMESPACE)
    below = observe.Recorder(world.host, PODS, world.namespace)
    beside = observe.Recorder(world.host, PODS, DIRECT)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one.run()) for one in (above, below, beside)]
        for one in (above, below, beside):
            await one.ready()
        yield Places(Place(world.virtual, NAMESPACE, above), below, Place(world.host, DIRECT, beside))
        for task in tasks:
            task.cancel()


@contextlib.asynccontextmanager
async def syncer_cpu(world: World, count: int) -> AsyncIterator[list[float]]:
    """The syncer's CPU milliseconds for each of ``count`` objects, in the list when the block is over."""
    pid, found = world.syncer_pid(), list[float]()
    before = processes.usage(pid, memory=False)
    yield found
    await asyncio.sleep(_SETTLED)
    spent = processes.usage(pid, memory=False).cpu_seconds - before.cpu_seconds
    found.append(1000 * spent / count)
