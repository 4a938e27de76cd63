"""How long a drift scan of many pods takes, and for how long it holds the event loop.

PYTHONPATH=. python bench/drift.py [PODS]

Synthetic stores: both API servers are in memory, every pod runs. Three numbers per scan: seconds from begin to end,
CPU seconds, and the longest time for which nothing else could run, as CPU time: a busy machine does not count.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Coroutine
from typing import Any, Final

from nestling.kube.resource import NODES, PODS
from nestling.naming import names
from nestling.naming.tenant import VirtualKey
from nestling.syncer import drift
from tests.support import syncing

NODE_COUNT: Final = 10
DRIFTED: Final = 25
_NAP: Final = 0.001


async def main(count: int) -> None:
    """Fill, scan, damage, scan."""
    world = syncing.World()
    for number in range(NODE_COUNT):
        syncing.host_node(world, f"node-{number}")
        world.virtual.put(NODES, syncing.obj(f"node-{number}", ""))
    await world.settle()
    keys = [VirtualKey("default", f"web-{number}") for number in range(count)]
    await fill(world, keys)
    # the servers in memory hold objects as dicts, which a syncer does not: their garbage collection is not its own
    gc.collect()
    gc.freeze()
    scanner = world.manager.scanner
    await measure(f"first scan of {count} pods, every field", scanner.scan(full=True))
    for _ in range(3):
        await measure(f"scan of {count} pods, nothing changed", scanner.scan())
    damage(world, keys[:DRIFTED])
    await measure(f"scan with {DRIFTED} pods gone from the host", scanner.scan())


async def fill(world: syncing.World, keys: list[VirtualKey]) -> None:
    """Pods that run on both sides, as the syncer itself makes them."""
    pods = world.controller_of("pods")
    for number, key in enumerate(keys):
        env = [{"name": f"VARIABLE_{letter}", "value": "some value"} for letter in "ABCDE"]
        containers = [{"name": "app", "image": "nginx", "env": env}]
        world.virtual.put(PODS, syncing.pod(key.name, labels={"app": "web", "tier": "front"}, containers=containers))
        await pods.reconcile(key)
        host_key = names.host_name(key, world.tenant)
        state = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
        container = {"name": "app", "ready": True, "restartCount": 0, "image": "nginx", "imageID": "i", "state": state}
        kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        status = {
            "phase": "Running",
            "podIP": f"10.0.{number // 250}.{number % 250}",
            "conditions": [{"type": kind, "status": "True"} for kind in kinds],
            "containerStatuses": [container],
        }
        spec = {"nodeName": f"node-{number % NODE_COUNT}"}
        world.host.change(PODS, host_key.namespace, host_key.name, {"spec": spec, "status": status})
        for _ in range(3):
            await pods.reconcile(key)
    for one in world.manager.controllers:
        while len(one.queue):
            key = await one.queue.get()
            await one._process(key)  # noqa: SLF001 - what a worker does, without ten of them
            one.queue.done(key)


def damage(world: syncing.World, keys: list[VirtualKey]) -> None:
    """Take pods out of the cache of the host without telling anybody."""
    store = world.manager.context.host.stores[PODS]
    store._handlers.clear()  # noqa: SLF001 - an event that is lost
    for key in keys:
        store.remove(names.host_name(key, world.tenant))


async def measure(what: str, work: Coroutine[Any, Any, drift.Report]) -> None:
    """Run a scan beside a task that wants to run all the time."""
    longest, running = 0.0, True

    async def neighbour() -> None:
        nonlocal longest
        before = time.thread_time()
        while running:
            await asyncio.sleep(_NAP)
            now = time.thread_time()
            longest, before = max(longest, now - before), now

    async with asyncio.TaskGroup() as group:
        group.create_task(neighbour())
        cpu = time.process_time()
        report = await work
        cpu = time.process_time() - cpu
        running = False
    print(
        f"{what}: {report.seconds:.2f} s, CPU {cpu:.2f} s, loop held {longest * 1000:.1f} ms at most,"
        f" {report.looked_at} looked at, {report.compared} compared, drifted: {report.drifted}"
    )


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
