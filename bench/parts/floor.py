"""What a burst takes without a syncer: the requests that it would send, by a loop that decides nothing.

Once all of them, and once those without which there is no pod: no token, no Secret that holds it, no Event. The virtual
pods carry the label that has the syncer leave them alone. What is left of its work is to read them from its watch; all
else is the work of both control planes, and of this one loop. No syncer can be faster on this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from typing import Final

from bench import load, observe, processes
from bench.results import Line
from bench.world import DIRECT, NAMESPACE, World
from nestling.kube import errors, requests
from nestling.kube.resource import EVENTS, PODS, SECRETS, SERVICE_ACCOUNTS, Obj, decode
from nestling.naming import labels

PART: Final = "burst"
_HOW: Final = "the same requests without a syncer"
_HOW_BARE: Final = "only the requests that a pod cannot do without, without a syncer"
_LOOK: Final = 0.005
_NODE: Final = "node-of-nobody"
_NOW: Final = "2026-01-01T00:00:00Z"
_LEFT_ALONE: Final = {labels.CONTROLLED_BY: "bench"}


@dataclasses.dataclass(frozen=True, slots=True)
class Direct:
    """What the same burst took on the host alone, in seconds."""

    running: float
    cpu: float
    deleted: float


async def run(world: World, places: load.Places, direct: Direct) -> None:
    """As many pods as in the burst: created and run, then deleted."""
    await _burst(world, places, direct, _HOW, _Loop(world, places), "floor")
    await _burst(world, places, direct, _HOW_BARE, _Bare(world, places), "bare")


async def _burst(world: World, places: load.Places, direct: Direct, how: str, loop: _Bare, prefix: str) -> None:
    count = world.sizes.burst
    names = [f"{prefix}-{number}" for number in range(count)]
    before = processes.spent(world.folder.path, world.host_dir)
    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        group.create_task(load.together(loop.create, names))
        group.create_task(load.together(loop.follow, names))
    await places.virtual.seen.wait(names, observe.RUNNING, patience=world.sizes.patience)
    cpu = processes.spent(world.folder.path, world.host_dir) - before
    seconds = places.virtual.seen.last(names, observe.RUNNING) - started
    what = f"{count} pods: all Running, {how}"
    world.add(Line(part=PART, what=what, unit="s", virtual=(seconds,), direct=(direct.running,)))
    what = f"processor of all processes per pod, {how}"
    each = (1000 * cpu / count,), (1000 * direct.cpu / count,)
    world.add(Line(part=PART, what=what, unit="ms", virtual=each[0], direct=each[1]))
    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        group.create_task(load.together(loop.delete, names))
        group.create_task(load.together(loop.finish, names))
    for seen in (places.virtual.seen, places.direct.seen):
        await seen.wait(names, observe.GONE, patience=world.sizes.patience)
    seconds = max(seen.last(names, observe.GONE) for seen in (places.virtual.seen, places.direct.seen)) - started
    what = f"delete of {count}, {how}"
    world.add(Line(part=PART, what=what, unit="s", virtual=(seconds,), direct=(direct.deleted,)))


class _Bare:
    """The requests for a pod that nobody can leave out, in their order (docs/performance.md)."""

    def __init__(self, world: World, places: load.Places) -> None:
        self._world = world
        self._above, self._below = places.virtual, places.direct
        self._uids: dict[str, str] = {}

    async def create(self, name: str) -> None:
        """A pod in the virtual cluster; one on the host."""
        virtual, host = self._world.virtual, self._world.host
        pod = load.pod(name)
        marked = {**pod, "metadata": {**pod["metadata"], "labels": {**pod["metadata"]["labels"], **_LEFT_ALONE}}}
        self._uids[name] = (await virtual.create(PODS, marked, NAMESPACE))["metadata"]["uid"]
        below = await host.create(PODS, pod, DIRECT)
        self._below.seen.mark(name, observe.CREATED, time.monotonic())
        await self.give_token(name, below["metadata"]["uid"])

    async def follow(self, name: str) -> None:
        """It is bound and runs: the virtual pod is, too."""
        virtual, meta = self._world.virtual, {"name": name, "namespace": NAMESPACE}
        await self._until(name, observe.SCHEDULED)
        target = {"apiVersion": "v1", "kind": "Node", "name": _NODE}
        body: Obj = {"apiVersion": "v1", "kind": "Binding", "metadata": meta, "target": target}
        await virtual.send(requests.create(PODS, body, NAMESPACE, name=name, subresource="binding"))
        await self.tell(name)
        await self._until(name, observe.RUNNING)
        await virtual.patch(PODS, name, {"status": _status()}, NAMESPACE, subresource="status")

    async def delete(self, name: str) -> None:
        """Delete it on both sides."""
        with contextlib.suppress(errors.NotFound):  # after a minute collectors take pods whose node is not there
            await self._above.delete(name)
        await self._below.delete(name)
        await self.take_token(name)

    async def give_token(self, _name: str, _uid: str) -> None:
        """None."""

    async def take_token(self, _name: str) -> None:
        """There is none."""

    async def tell(self, _name: str) -> None:
        """Nobody."""

    async def finish(self, name: str) -> None:
        """It is gone from the host: the virtual pod goes."""
        await self._until(name, observe.GONE)
        with contextlib.suppress(errors.NotFound):
            await self._world.virtual.delete(PODS, name, NAMESPACE, grace_period_seconds=0)

    async def _until(self, name: str, moment: str) -> None:
        deadline = time.monotonic() + self._world.sizes.patience
        while moment not in self._below.seen.moments.get(name, ()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} is not {moment}")
            await asyncio.sleep(_LOOK)


class _Loop(_Bare):
    """All requests of a syncer for a pod."""

    async def give_token(self, name: str, uid: str) -> None:
        """A token for the virtual account, in a Secret on the host."""
        wanted: Obj = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}}
        request = requests.create(SERVICE_ACCOUNTS, wanted, NAMESPACE, name="default", subresource="token")
        token = decode(await self._world.virtual.send(request))["status"]["token"]
        owner = {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid}
        meta = {"name": f"{name}-token", "ownerReferences": [owner]}
        await self._world.host.create(SECRETS, {"metadata": meta, "stringData": {"token": token}}, DIRECT)

    async def take_token(self, name: str) -> None:
        """The Secret goes with the pod."""
        with contextlib.suppress(errors.NotFound):  # the host's collector may have been first
            await self._world.host.delete(SECRETS, f"{name}-token", DIRECT)

    async def tell(self, name: str) -> None:
        """What happened to the host pod is told of the virtual one."""
        meta = {"name": name, "namespace": NAMESPACE}
        about = {"apiVersion": "v1", "kind": "Pod", "uid": self._uids[name], **meta}
        event = {"metadata": meta, "involvedObject": about, "reason": "Scheduled", "message": f"{name} is on {_NODE}"}
        await self._world.virtual.create(EVENTS, event, NAMESPACE)


def _status() -> Obj:
    """What a kubelet reports."""
    kinds = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    conditions = [{"type": kind, "status": "True", "lastTransitionTime": _NOW} for kind in kinds]
    state = {"running": {"startedAt": _NOW}}
    image = "registry.example/app:1"
    container = {"name": "app", "ready": True, "started": True, "restartCount": 0, "image": image, "imageID": ""}
    return {
        "phase": "Running",
        "podIP": "10.0.0.1",
        "podIPs": [{"ip": "10.0.0.1"}],
        "hostIP": "10.0.0.2",
        "startTime": _NOW,
        "conditions": conditions,
        "containerStatuses": [{**container, "state": state}],
    }
