"""A whole syncer in memory: the real manager, controllers and caches between two fake API servers.

world = syncing.World()
world.virtual.put(CONFIG_MAPS, syncing.obj("settings", data={"a": "b"}))
await world.settle()
world.host.there(CONFIG_MAPS, "team-x", "settings-x-default-x-my-vc")
"""

from __future__ import annotations

from typing import Any, Final

import prometheus_client

from nestling import resources
from nestling.config import load
from nestling.kube import cache, metadata, requests
from nestling.kube.resource import NAMESPACES, NODES, SERVICES, Obj
from nestling.naming.tenant import Tenant, VirtualKey
from nestling.syncer import controller, manager, metrics
from nestling.syncer.spec import SyncSpec
from tests.support import fake_side

TENANT: Final = Tenant("my-vc", "team-x")
API_IP: Final = "10.96.0.7"
DNS_IP: Final = "10.96.0.9"
#: More reconciles than any sensible change causes: two writers who fight are found.
_ROUNDS: Final = 300


class World:
    """Both sides and the syncer between them. Starts with what every virtual cluster has."""

    def __init__(
        self,
        config: str = "",
        *,
        tenant: Tenant = TENANT,
        host: fake_side.FakeSide | None = None,
        specs: tuple[SyncSpec, ...] | None = None,
        is_furnished: bool = True,
    ) -> None:
        self.tenant = tenant
        self.config = load.load([load.Source("values.yaml", config)] if config else [])
        self.virtual = fake_side.FakeSide("virtual", first_ip=100)
        self.host = host or fake_side.FakeSide("host")
        self.clock = 1_800_000_000.0
        #: How each reconcile of ``settle`` and ``again`` ended: (controller, result).
        self.results: list[tuple[str, str]] = []
        self._specs = specs if specs is not None else resources.specs()
        self.manager = self._manager()
        if is_furnished:
            self._furnish()

    @property
    def registry(self) -> prometheus_client.CollectorRegistry:
        """Where the syncer counts."""
        return self._registry

    def controller_of(self, name: str) -> controller.Controller:
        """The controller of a kind."""
        return next(one for one in self.manager.controllers if one.spec.name == name)

    def spec(self, name: str) -> SyncSpec:
        """The declaration of a kind."""
        return self.controller_of(name).spec

    async def reconcile(self, kind: str, key: VirtualKey) -> float | None:
        """One reconcile; errors come out."""
        return await self.controller_of(kind).reconcile(key)

    async def settle(self) -> None:
        """Let all controllers work until nothing is left to do now; keys that failed are tried again a few times."""
        for _ in range(4):
            failed = await self._drain()
            if not failed:
                return
            for one, key in failed:
                one.queue.add(key)

    async def again(self) -> list[requests.Request]:
        """Reconcile every object of every kind once more; the answer is what that wrote."""
        self.virtual.forget_requests()
        self.host.forget_requests()
        for one in self.manager.controllers:
            known = self.manager.context.virtual.stores[one.spec.virtual].keys()
            keys = {VirtualKey(*key) for key in known}
            if one.spec.host is not None:
                store = self.manager.context.host.stores[one.spec.host]
                held = store.keys()
                entries = [cache.Entry(metadata.read(raw), raw, store.resource) for raw in map(store.raw, held) if raw]
                found = {one.spec.naming.to_virtual(self.manager.context, entry) for entry in entries}
                keys |= {key for key in found if key is not None}
            for key in keys:
                one.enqueue(key)
        await self._drain()
        return [*self.virtual.writes, *self.host.writes]

    def restart(self) -> None:
        """A new syncer that remembers nothing and has just listed everything."""
        self.manager = self._manager()
        self.virtual.list_all()
        self.host.list_all()

    def events(self) -> list[Obj]:
        """The Warnings that the tenant got."""
        return list(self.virtual._all(("", "events")).values())

    async def _drain(self) -> list[tuple[controller.Controller, VirtualKey]]:
        """Work until the queues are empty; the answer is what failed at its last try."""
        failed: dict[tuple[str, VirtualKey], controller.Controller] = {}
        for _ in range(_ROUNDS):
            busy = [one for one in self.manager.controllers if len(one.queue)]
            if not busy:
                return [(one, key) for (_, key), one in failed.items()]
            for one in busy:
                key = await one.queue.get()
                self.results.append((one.spec.name, await one._process(key)))
                one.queue.done(key)
                failed.pop((one.spec.name, key), None)
                if one.queue.failures(key):
                    failed[one.spec.name, key] = one
        raise AssertionError("two writers fight, or a kind never settles")

    def _manager(self) -> manager.Manager:
        self._registry = prometheus_client.CollectorRegistry()
        made = manager.Manager(
            manager.Parts(
                tenant=self.tenant,
                config=self.config,
                specs=self._specs,
                virtual=self.virtual,
                host=self.host,
                virtual_version="v1.36.3",
                host_version="v1.36.3",
                instruments=metrics.create(self._registry),
                now=lambda: self.clock,
            )
        )
        for side in (self.virtual, self.host):
            side.attach(informer for name, informer in made.caches if name.value == side.name)
        return made

    def _furnish(self) -> None:
        for name in ("default", "kube-system", "team"):
            self.virtual.put(NAMESPACES, obj(name, "", labels={"kubernetes.io/metadata.name": name}))
        front = service(self.tenant.name, self.tenant.namespace, clusterIP=API_IP, selector={"app": "vcluster"})
        self.host.put(SERVICES, front)
        dns = service("kube-dns", "kube-system", clusterIP=DNS_IP)
        self.virtual.put(SERVICES, dns)


def obj(
    name: str,
    namespace: str = "default",
    *,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    meta: Obj | None = None,
    **body: Any,
) -> Obj:
    """An object; keywords are its fields beside the metadata."""
    metadata: Obj = {"name": name, **({"namespace": namespace} if namespace else {}), **(meta or {})}
    if labels:
        metadata["labels"] = labels
    if annotations:
        metadata["annotations"] = annotations
    return {"metadata": metadata, **body}


def service(name: str, namespace: str = "default", **spec: Any) -> Obj:
    """A Service as an API server has it; ``labels`` and ``annotations`` are metadata."""
    meta = {field: spec.pop(field) for field in ("labels", "annotations") if field in spec}
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80}]
    return obj(name, namespace, **meta, spec={"type": "ClusterIP", "ports": ports, **spec}, status={"loadBalancer": {}})


def pod(name: str = "web", namespace: str = "default", **spec: Any) -> Obj:
    """A pod; ``labels``, ``annotations`` and ``meta`` are metadata, other keywords its spec."""
    meta = {field: spec.pop(field) for field in ("labels", "annotations", "meta") if field in spec}
    containers = [{"name": "app", "image": "nginx"}]
    return obj(name, namespace, **meta, spec={"serviceAccountName": "default", "containers": containers, **spec})


def claim(name: str = "data", namespace: str = "default", **spec: Any) -> Obj:
    """A PersistentVolumeClaim."""
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
    return obj(name, namespace, spec=wanted, status={"phase": "Pending"})


def host_node(world: World, name: str = "node-1") -> None:
    """A node exists on the host; nobody of the tenant sees it by that alone."""
    world.host.put(NODES, obj(name, ""))
