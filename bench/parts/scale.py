"""Thousands of pods: what each weighs in the syncer, and how long a new syncer takes until all is in agreement."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from typing import Final

from bench import load, observe, processes
from bench.parts import idle
from bench.results import Aim, Line
from bench.world import World
from nestling.kube.resource import Obj

PART: Final = "scale"
_LOOK: Final = 0.05
_RESTART: Final = Aim(most=20)
_SCAN: Final = Aim(most=3)
_PER_POD: Final = Aim(most=20)


async def run(world: World) -> None:
    """Fill, weigh, kill, wait, weigh again."""
    count, page = world.sizes.pods, world.sizes.page
    names = [f"scale-{number}" for number in range(count)]
    await world.weigh_store(f"before {count} pods")
    async with load.watched(world) as places:
        few = names[: 2 * page]
        direct = await _filled(world, places.direct, few)
        await places.direct.all_gone(few, patience=world.sizes.patience)
        before = processes.usage(world.syncer_pid())
        async with load.syncer_cpu(world, count) as cpu:
            seconds = await _filled(world, places.virtual, names)
    world.add(Line(part=PART, what=f"{count} pods: all Running, in pages of {page}", unit="s", virtual=(seconds,)))
    each = (1000 * seconds / count,), (1000 * direct / len(few),)
    what = f"the same per pod (direct: {len(few)} pods)"
    world.add(Line(part=PART, what=what, unit="ms", virtual=each[0], direct=each[1]))
    world.add(Line(part=PART, what=f"processor of the syncer per pod, {count}", unit="ms", virtual=tuple(cpu)))
    await _agreed(world, world.syncer_pid(), count)
    after = processes.usage(world.syncer_pid())
    per_pod = _growth(before, after, count)
    what = f"syncer's memory per synced pod, after {count}: PSS / RSS"
    world.add(Line(part=PART, what=what, unit="KB", virtual=per_pod, aim=_PER_POD))
    await _restart(world, count, before)
    await idle.weigh(world, f"idle, {count} pods")
    if world.sizes.waits_for_scan:
        await _scan(world, count)


async def _filled(world: World, place: load.Place, names: Sequence[str]) -> float:
    """Page after page of pods, each when the one before runs: what is measured afterwards needs the pods, no flood.

    The seconds that it took.
    """
    started = time.monotonic()
    for first in range(0, len(names), world.sizes.page):
        page = names[first : first + world.sizes.page]
        await load.together(place.create, page)
        await place.seen.wait(page, observe.RUNNING, patience=world.sizes.patience)
    return time.monotonic() - started


async def _restart(world: World, count: int, empty: processes.Usage) -> None:
    """Kill the syncer; the supervisor starts another."""
    old = world.syncer_pid()
    started = time.monotonic()
    os.kill(old, signal.SIGKILL)
    await _agreed(world, old, count, is_new=True)
    seconds = time.monotonic() - started
    now = processes.usage(world.syncer_pid())
    world.add(
        Line(
            part=PART,
            what=f"syncer killed, {count} pods: until both sides agree again",
            unit="s",
            virtual=(seconds,),
            aim=_RESTART,
        )
    )
    world.add(Line(part=PART, what="processor of the new syncer until then", unit="s", virtual=(now.cpu_seconds,)))
    per_pod = _growth(empty, now, count)
    what = "syncer's memory per synced pod, after the restart: PSS / RSS"
    world.add(Line(part=PART, what=what, unit="KB", virtual=per_pod))


async def _agreed(world: World, pid: int, count: int, *, is_new: bool = False) -> None:
    """Wait until the syncer (a new one) says that all objects are in agreement."""
    deadline = time.monotonic() + world.sizes.patience
    while True:
        has_changed = world.syncer_pid() not in (0, pid) if is_new else True
        status = await world.status() if has_changed else None
        if status is not None and _is_in_agreement(status, count):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"no agreement; the syncer says {status}")
        await asyncio.sleep(_LOOK)


def _is_in_agreement(status: Obj, count: int) -> bool:
    kinds = status["kinds"]
    is_whole = kinds["pods"]["objects"]["virtual"] >= count and kinds["pods"]["objects"]["host"] >= count
    return is_whole and all(kind["inAgreement"] for kind in kinds.values())


async def _scan(world: World, count: int) -> None:
    """The drift scan that the syncer makes by itself."""
    deadline = time.monotonic() + world.sizes.patience
    while (status := await world.status()) is None or not status["drift"]["lastScan"]:
        if time.monotonic() > deadline:
            raise TimeoutError("the syncer does not scan")
        await asyncio.sleep(_LOOK * 10)
    drift = status["drift"]
    world.add(Line(part=PART, what=f"drift scan, {count} pods", unit="s", virtual=(drift["seconds"],), aim=_SCAN))
    world.add(Line(part=PART, what="objects that the scan found to differ", unit="", virtual=(drift["objects"],)))


def _growth(before: processes.Usage, after: processes.Usage, count: int) -> tuple[float, float]:
    return ((after.pss_mb - before.pss_mb) * 1e3 / count, (after.rss_mb - before.rss_mb) * 1e3 / count)
