"""Puts the syncer together: one informer per resource and side, one controller per kind, and the handlers between them.

Order: all caches are filled before any controller works, so that an object which is missing from a cache is really
missing ("nothing is deleted on a guess").
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from nestling.config import model
from nestling.kube import cache, client, sources
from nestling.kube import watch as watch_module
from nestling.kube.resource import SERVICES, Resource
from nestling.naming import labels
from nestling.naming.tenant import Tenant, VirtualKey
from nestling.syncer import cache_check, collector, context, controller, drift, events, metrics
from nestling.syncer.spec import Scope, SideName, SyncSpec, Watch, refers_to_nothing

_LOG = logging.getLogger(__name__)
_REFERENCES = "references"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a syncer is made of; the composition in ``controlplane`` supplies it."""

    tenant: Tenant
    config: model.VClusterConfig
    specs: Sequence[SyncSpec]
    virtual: client.Client
    host: client.Client
    virtual_version: str
    host_version: str
    instruments: metrics.Metrics
    #: Where the virtual API server reaches the kubelet façade.
    kubelet_address: str = "127.0.0.1"
    kubelet_port: int = context.KUBELET_PORT
    now: Callable[[], float] = time.time
    #: How patient watches are; the usual way when None.
    timing: watch_module.Timing | None = None


class Manager:
    """All syncers of one virtual cluster."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.specs = tuple(spec for spec in parts.specs if spec.enabled(parts.config))
        self._virtual = {resource: self._virtual_informer(resource) for resource in self._resources(SideName.VIRTUAL)}
        self._parts_of_host = self._host_parts()
        self._host = {resource: found[0] for resource, found in self._parts_of_host.items()}
        self.context = self._context()
        self.controllers = tuple(controller.Controller(spec, self.context, parts.instruments) for spec in self.specs)
        self.scanner = drift.Scanner(self.controllers, self.context, parts.instruments)
        self.cache_check = cache_check.CacheCheck(self._watched_caches(), parts.instruments, now=parts.now)
        parts.instruments.registry.register(collector.Collector(self.controllers, self.caches))
        self._connect()

    @property
    def caches(self) -> tuple[tuple[SideName, cache.Informer], ...]:
        """Every informer with its side."""
        virtual = ((SideName.VIRTUAL, informer) for informer in self._virtual.values())
        host = (informer for found in self._parts_of_host.values() for informer in found)
        return (*virtual, *((SideName.HOST, informer) for informer in host))

    @property
    def informers(self) -> tuple[cache.Informer, ...]:
        """Every informer of both sides."""
        return tuple(informer for _, informer in self.caches)

    async def run(self) -> None:
        """Fill the caches, then sync until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informer in self.informers:
                group.create_task(informer.run(), name=f"informer-{informer.resource.plural}")
            await self.synced()
            _LOG.info("caches are filled", extra={"resources": len(self.informers)})
            for one in self.controllers:
                group.create_task(one.run(), name=f"controller-{one.spec.name}")
            group.create_task(self.scanner.run(), name="drift-scan")
            group.create_task(self.cache_check.run(), name="cache-check")

    async def synced(self) -> None:
        """Wait until each cache has seen a whole list."""
        for informer in self.informers:
            await informer.synced.wait()

    def _context(self) -> context.SyncContext:
        parts = self._parts
        return context.SyncContext(
            tenant=parts.tenant,
            config=parts.config,
            virtual=_side(parts.virtual, self._virtual, parts.virtual_version),
            host=_side(parts.host, self._host, parts.host_version),
            recorder=events.EventRecorder(parts.virtual, parts.now),
            referrers=self._referrers,
            now=parts.now,
            kubelet_address=parts.kubelet_address,
            kubelet_port=parts.kubelet_port,
        )

    def _watched_caches(self) -> tuple[cache_check.Watched, ...]:
        servers = {SideName.VIRTUAL: self._parts.virtual, SideName.HOST: self._parts.host}
        return tuple(cache_check.Watched(side, informer, servers[side]) for side, informer in self.caches)

    def _watches(self) -> Iterable[tuple[SyncSpec, Watch]]:
        """What the kinds watch beside their own objects, with this configuration."""
        config = self._parts.config
        return ((spec, watch) for spec in self.specs for watch in spec.watches if watch.needed(config))

    def _resources(self, side: SideName) -> Iterable[Resource]:
        watched = (watch.resource for _, watch in self._watches() if watch.side is side)
        own = (
            (spec.virtual for spec in self.specs)
            if side is SideName.VIRTUAL
            else (spec.host for spec in self.specs if spec.host)
        )
        return dict.fromkeys((*own, *watched))

    def _host_scopes(self) -> dict[Resource, Scope]:
        """For each host resource the widest scope that a kind asks for.

        Service NAME, the owner of all, is always needed.
        """
        scopes = {SERVICES: Scope.NAMESPACE}
        wanted = [(spec.host, spec.host_scope) for spec in self.specs if spec.host and spec.host_sources is None]
        wanted += [(watch.resource, watch.scope) for _, watch in self._watches() if watch.side is SideName.HOST]
        order = list(Scope)
        for resource, scope in wanted:
            scopes[resource] = max(scopes.get(resource, Scope.MANAGED), scope, key=order.index)
        return scopes

    def _host_parts(self) -> dict[Resource, tuple[cache.Informer, ...]]:
        """The informers of each host resource: one, or one for each namespace or object that a kind names."""
        wanted = self._parts
        found: dict[Resource, tuple[cache.Informer, ...]] = {
            resource: (self._host_informer(resource, scope),) for resource, scope in self._host_scopes().items()
        }
        for spec in self.specs:
            if spec.host_sources is not None and spec.host is not None:
                named = spec.host_sources(wanted.config, wanted.tenant)
                found[spec.host] = sources.informers(wanted.host, spec.host, named, timing=wanted.timing)
        return found

    def _virtual_informer(self, resource: Resource) -> cache.Informer:
        kinds = [spec for spec in self.specs if spec.virtual is resource and spec.references is not refers_to_nothing]
        index = functools.partial(_references_of, kinds)
        return cache.Informer(self._parts.virtual, resource, indexers={_REFERENCES: index}, timing=self._parts.timing)

    def _host_informer(self, resource: Resource, scope: Scope) -> cache.Informer:
        tenant = self._parts.tenant
        indexers = {
            name: index for spec in self.specs if spec.host is resource for name, index in spec.host_indexes.items()
        }
        for _, watch in self._watches():
            if watch.side is SideName.HOST and watch.resource == resource:
                indexers |= watch.indexes
        return cache.Informer(
            self._parts.host,
            resource,
            namespace=None if scope is Scope.CLUSTER else tenant.namespace,
            label_selector=f"{labels.MANAGED_BY}={tenant.name}" if scope is Scope.MANAGED else None,
            indexers=indexers,
            timing=self._parts.timing,
        )

    def _referrers(self, resource: Resource, key: VirtualKey) -> list[tuple[Resource, VirtualKey]]:
        value = _index_value(resource, key)
        return [
            (referrer, VirtualKey(*found))
            for referrer, informer in self._virtual.items()
            for found in informer.store.by_index(_REFERENCES, value)
        ]

    def _connect(self) -> None:
        """Informer handlers: own objects, watched objects, and whatever a changed object refers to."""
        by_resource: dict[Resource, list[controller.Controller]] = {}
        for one in self.controllers:
            by_resource.setdefault(one.spec.virtual, []).append(one)
        for one in self.controllers:
            self._virtual[one.spec.virtual].add_handler(one.on_virtual)
            if one.spec.host is not None:
                self._host[one.spec.host].add_handler(one.on_host)
            for other in (watch for spec, watch in self._watches() if spec is one.spec):
                informers = self._virtual if other.side is SideName.VIRTUAL else self._host
                informers[other.resource].add_handler(functools.partial(self._watched, one, other))
        by_plural = {resource.plural: found for resource, found in by_resource.items()}
        for informer in self._virtual.values():
            informer.store.add_index_handler(_REFERENCES, functools.partial(_referred, by_plural))

    def _watched(self, one: controller.Controller, other: Watch, change: cache.Change) -> None:
        for key in other.keys(self.context, change):
            one.enqueue(key, initial=change.initial, seen=other.side)


def _side(api: client.Client, informers: dict[Resource, cache.Informer], version: str) -> context.Side:
    stores = context.immutable({resource: informer.store for resource, informer in informers.items()})
    return context.Side(client=api, stores=stores, minor=int(version.split(".")[1]), version=version)


def _index_value(resource: Resource, key: VirtualKey) -> str:
    return f"{resource.plural}:{key}"


def _references_of(kinds: Sequence[SyncSpec], entry: cache.Entry) -> set[str]:
    return {
        _index_value(reference.resource, reference.key) for spec in kinds for reference in spec.references(entry.obj)
    }


def _referred(
    by_plural: Mapping[str, list[controller.Controller]], values: AbstractSet[str], change: cache.Change
) -> None:
    """What an object referred to before or refers to now may have become used or unused."""
    for value in values:
        plural, _, key = value.partition(":")
        namespace, _, name = key.rpartition("/")
        for one in by_plural.get(plural, ()):
            one.enqueue(VirtualKey(namespace, name), initial=change.initial, seen=SideName.VIRTUAL)
