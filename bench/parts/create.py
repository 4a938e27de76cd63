"""From the command to a virtual cluster whose API answers, and its end."""

from __future__ import annotations

import time

from bench.results import Line
from bench.world import World
from nestling.naming.tenant import Tenant

PART = "create"


async def run(world: World) -> Tenant:
    """Make virtual clusters one after the other. The last one stays."""
    created, deleted = [], []
    last = world.sizes.creates - 1
    for number in range(world.sizes.creates):
        name = f"bench-{number}"
        started = time.monotonic()
        await world.nestling("create", name, "--connect=false")
        created.append(time.monotonic() - started)
        if number < last:
            started = time.monotonic()
            await world.nestling("delete", name)
            deleted.append(time.monotonic() - started)
    middle = sorted(created)[len(created) // 2]
    world.add(Line(part=PART, what="`nestling create` until the API is usable, median", unit="s", virtual=(middle,)))
    if deleted:
        middle = sorted(deleted)[len(deleted) // 2]
        world.add(Line(part=PART, what="`nestling delete` until nothing is left, median", unit="s", virtual=(middle,)))
    return Tenant(f"bench-{last}", f"vcluster-bench-{last}")
