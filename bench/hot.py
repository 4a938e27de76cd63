"""What the syncer computes and asks for in the life of a pod, between two API servers in memory.

PYTHONPATH=. python bench/hot.py [PODS]

No sockets: HTTP and TLS are not in it, the API servers' work neither. Of several rounds the fastest counts, so that the
numbers can be compared on a busy machine.
"""

from __future__ import annotations

import collections
import contextlib
import gc
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

from bench import load
from nestling.kube import cache, requests
from nestling.kube.resource import NODES, PODS, Obj
from nestling.naming import names
from nestling.naming.tenant import VirtualKey
from nestling.syncer import controller
from tests.support import fake_side, syncing

_ROUNDS: Final = 20
_KINDS: Final = ("Initialized", "Ready", "ContainersReady", "PodScheduled")


class Clock:
    """Processor time by what it is spent on; what is called from within something else is not counted twice."""

    def __init__(self) -> None:
        self.spent: collections.defaultdict[str, float] = collections.defaultdict(float)
        self._stack = ["outside"]
        self._since = time.process_time()

    @contextlib.contextmanager
    def on(self, what: str) -> Iterator[None]:
        """This is what the time is spent on now."""
        self._turn()
        self._stack.append(what)
        try:
            yield
        finally:
            self._turn()
            self._stack.pop()

    def _turn(self) -> None:
        now = time.process_time()
        self.spent[self._stack[-1]] += now - self._since
        self._since = now


def virtual_pod(name: str) -> Obj:
    """The benchmark's pod as an API server completes it."""
    made = load.pod(name)
    sources: list[Obj] = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]
    container = made["spec"]["containers"][0]
    mount = {"name": "kube-api-access", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True}
    made["spec"] |= {
        "containers": [{**container, "volumeMounts": [mount], "imagePullPolicy": "IfNotPresent"}],
        "volumes": [{"name": "kube-api-access", "projected": {"sources": sources, "defaultMode": 420}}],
        "serviceAccountName": "default",
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
    }
    return syncing.obj(name, labels=made["metadata"]["labels"], spec=made["spec"], status={"phase": "Pending"})


def running() -> Obj:
    """The status that a kubelet reports."""
    state = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    container = {"name": "app", "ready": True, "restartCount": 0, "image": "nginx", "imageID": "i", "state": state}
    conditions = [{"type": kind, "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"} for kind in _KINDS]
    return {"phase": "Running", "podIP": "10.0.0.1", "conditions": conditions, "containerStatuses": [container]}


async def live(world: syncing.World, pods: list[str]) -> None:
    """All of them from birth to death, each step when the one before is done."""
    host = [names.host_name(VirtualKey("default", name), world.tenant) for name in pods]
    for name in pods:
        world.virtual.put(PODS, virtual_pod(name))
    await world.settle()
    for key in host:
        world.host.change(PODS, key.namespace, key.name, {"spec": {"nodeName": "node-1"}})
    await world.settle()
    for key in host:
        world.host.change(PODS, key.namespace, key.name, {"status": running()})
    await world.settle()
    for name in pods:
        now = world.virtual.there(PODS, "default", name)
        mark = {"deletionTimestamp": "2026-01-01T00:01:00Z", "deletionGracePeriodSeconds": 30}
        world.virtual.put(PODS, {**now, "metadata": {**now["metadata"], **mark}})
    await world.settle()
    for key in host:
        world.host.drop(PODS, key.namespace, key.name)
    await world.settle()


def watch_the_clock(clock: Clock) -> None:
    """Have it know what is being done."""
    send, put, process = fake_side.FakeSide.send, cache.Store.put, controller.Controller._process  # noqa: SLF001

    async def timed_send(self: fake_side.FakeSide, request: requests.Request) -> bytes:
        with clock.on("API servers"):
            return await send(self, request)

    def timed_put(self: cache.Store, *arguments: Any, **more: Any) -> bool:
        with clock.on("caches, handlers"):
            return put(self, *arguments, **more)

    async def timed_process(self: controller.Controller, key: VirtualKey) -> str:
        with clock.on(f"reconciles of {self.spec.name}"):
            return await process(self, key)

    fake_side.FakeSide.send = timed_send  # type: ignore[method-assign]  # measured as they are called
    cache.Store.put = timed_put  # type: ignore[method-assign]  # the same
    controller.Controller._process = timed_process  # type: ignore[method-assign]  # noqa: SLF001 - the same


async def main(count: int) -> None:
    """Rounds of so many pods, and what the fastest took for one."""
    clock = Clock()
    watch_the_clock(clock)
    world = syncing.World()
    syncing.host_node(world, "node-1")
    world.virtual.put(NODES, syncing.obj("node-1", ""))
    await world.settle()
    fastest: dict[str, float] = {}
    for number in range(_ROUNDS):
        clock.spent.clear()
        world.results.clear()
        for side in (world.virtual, world.host):
            side.forget_requests()
        gc.collect()
        await live(world, [f"pod-{number}-{one}" for one in range(count)])
        for what, seconds in clock.spent.items():
            fastest[what] = min(seconds, fastest.get(what, seconds))
    ours = {what: seconds for what, seconds in fastest.items() if what not in ("outside", "API servers")}
    for what, seconds in sorted(ours.items(), key=lambda item: -item[1]):
        print(f"{1000 * seconds / count:7.3f} ms per pod  {what}")
    print(f"{1000 * sum(ours.values()) / count:7.3f} ms per pod  together")
    for (kind, result), times in sorted(collections.Counter(world.results).items()):
        print(f"{times / count:7.2f} per pod     reconcile of {kind}: {result}")
    for side in (world.virtual, world.host):
        asked = collections.Counter(title(request) for request in side.requests)
        for what, times in sorted(asked.items()):
            print(f"{times / count:7.2f} per pod     request, {side.name}: {what}")


def title(request: requests.Request) -> str:
    """Verb and resource, without names."""
    parts = request.path.split("/")
    at = parts.index("namespaces") + 2 if "namespaces" in parts else 3
    return " ".join([request.method, parts[at], *parts[at + 2 :]])


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 25))
