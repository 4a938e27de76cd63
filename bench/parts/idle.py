"""What a virtual cluster weighs when nothing happens."""

from __future__ import annotations

import asyncio

from bench import processes
from bench.results import Aim, Line
from bench.world import World

PART = "idle"
_PYTHON = (processes.SUPERVISOR, processes.SYNCER)


async def run(world: World) -> None:
    """Memory of every process, and the processor time that they use for nothing."""
    await asyncio.sleep(world.sizes.idle_seconds / 2)
    await weigh(world, "idle")
    now = processes.moment(world.folder.path).usages
    rss = sum(now[name].rss_mb for name in _PYTHON)
    pss = sum(now[name].pss_mb for name in _PYTHON)
    world.add(
        Line(
            part=PART,
            what="supervisor + syncer: RSS / PSS",
            unit="MB",
            virtual=(rss, pss),
            aim=Aim(most=100),
        )
    )
    total = (sum(one.rss_mb for one in now.values()), sum(one.pss_mb for one in now.values()))
    world.add(Line(part=PART, what="whole virtual control plane: RSS / PSS", unit="MB", virtual=total))
    cpu = sum(one.cpu_percent for one in world.report.weights if one.when == "idle" and one.side == "virtual")
    world.add(Line(part=PART, what="whole virtual control plane: processor", unit="% of a core", virtual=(cpu,)))


async def weigh(world: World, when: str) -> None:
    """All processes of both sides over an idle moment."""
    before = [processes.moment(folder, memory=False) for folder in (world.folder.path, world.host_dir)]
    await asyncio.sleep(world.sizes.idle_seconds)
    for side, folder, earlier in zip(("virtual", "host"), (world.folder.path, world.host_dir), before, strict=True):
        world.report.weights += processes.weights(when, side, earlier, processes.moment(folder))
    await world.weigh_store(when)
