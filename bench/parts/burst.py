"""Hundreds of pods at once: created, then deleted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from bench import load, observe, processes
from bench.parts import floor, latency
from bench.results import Aim, Line
from bench.world import World

PART: Final = "burst"
_AIM: Final = Aim(most=1.5, is_ratio=True)


async def run(world: World) -> None:
    """On the host itself, then in the virtual cluster."""
    count = world.sizes.burst
    names = [f"burst-{number}" for number in range(count)]
    host_names = [world.host_name(name) for name in names]
    async with load.watched(world) as places:
        direct = await _running(world, places.direct, names)
        before = processes.moment(world.folder.path, memory=False), processes.moment(world.host_dir, memory=False)
        async with load.syncer_cpu(world, count) as cpu:
            started = time.monotonic()
            virtual = await _running(world, places.virtual, names)
        for side, folder, earlier in zip(("virtual", "host"), (world.folder.path, world.host_dir), before, strict=True):
            world.report.weights += processes.weights("burst", side, earlier, processes.moment(folder))
        on_host = places.below.last(host_names, observe.CREATED) - started
        created = (places.direct.seen.last(names, observe.CREATED) - direct.started,)
        world.add(Line(part=PART, what=f"{count} pods: all on the host", unit="s", virtual=(on_host,), direct=created))
        world.add(
            Line(
                part=PART,
                what=f"{count} pods: all Running",
                unit="s",
                virtual=(virtual.seconds,),
                direct=(direct.seconds,),
                aim=_AIM,
            )
        )
        latency.lines(world, places, names, where=f"burst of {count}", part=PART)
        world.add(Line(part=PART, what="processor of the syncer per pod, burst", unit="ms", virtual=tuple(cpu)))
        each = [1000 * run.cpu / count for run in (virtual, direct)]
        what = f"processor of all processes per pod, burst of {count}"
        world.add(Line(part=PART, what=what, unit="ms", virtual=(each[0],), direct=(each[1],)))
        deleted = await _deleted(world, places, names, host_names)
        await floor.run(world, places, floor.Direct(direct.seconds, direct.cpu, deleted))


class _Run:
    """When it began, how long it took until the last pod ran, and the processor seconds of all processes."""

    def __init__(self, started: float, seconds: float, cpu: float) -> None:
        self.started = started
        self.seconds = seconds
        self.cpu = cpu


async def _running(world: World, place: load.Place, names: Sequence[str]) -> _Run:
    before = processes.spent(world.folder.path, world.host_dir)
    started = time.monotonic()
    await load.together(place.create, names)
    await place.seen.wait(names, observe.RUNNING, patience=world.sizes.patience)
    cpu = processes.spent(world.folder.path, world.host_dir) - before
    return _Run(started, place.seen.last(names, observe.RUNNING) - started, cpu)


async def _deleted(world: World, places: load.Places, names: Sequence[str], host_names: Sequence[str]) -> float:
    """How long that takes on the host itself."""
    patience = world.sizes.patience
    direct = await places.direct.all_gone(names, patience=patience)
    started = time.monotonic()
    async with load.syncer_cpu(world, len(names)) as cpu:
        await places.virtual.all_gone(names, patience=patience)
        await places.below.wait(host_names, observe.GONE, patience=patience)
    below = places.below.last(host_names, observe.GONE)
    virtual = max(below, places.virtual.seen.last(names, observe.GONE)) - started
    what = f"delete of {len(names)}: gone on both sides"
    world.add(Line(part=PART, what=what, unit="s", virtual=(virtual,), direct=(direct,), aim=_AIM))
    world.add(Line(part=PART, what="processor of the syncer per deleted pod", unit="ms", virtual=tuple(cpu)))
    return direct
