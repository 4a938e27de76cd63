"""What every reconcile knows: the tenant, its configuration, and both sides with their clients and caches."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final, Protocol, TypeVar

from nestling.config import model
from nestling.kube import cache, client
from nestling.kube.resource import SERVICES, Obj, Resource
from nestling.naming import names
from nestling.naming.tenant import HostKey, Tenant, VirtualKey

#: The port of kubelets.
KUBELET_PORT: Final = 10250

T = TypeVar("T")
#: More values than a ``Memo`` ever needs at once; what it would hold of things that are gone is dropped there.
_REMEMBERED: Final = 1024


class Recorder(Protocol):
    """Writes Events onto virtual objects, so that tenants see why something is not synced."""

    async def record(self, about: Obj, *, reason: str, action: str, message: str) -> None:
        """Record one Warning; the same one again raises its count."""


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """One API server: a client that writes, and the informer caches that reads come from."""

    client: client.Client
    stores: Mapping[Resource, cache.Store]
    #: Minor version of Kubernetes: 36 for v1.36.3.
    minor: int
    #: The version as the API server says it: ``v1.36.3``.
    version: str

    def get(self, resource: Resource, key: tuple[str, str]) -> Obj | None:
        """The cached object as a copy that the caller owns."""
        return self.stores[resource].get((key[0], key[1]))

    def meta(self, resource: Resource, key: tuple[str, str]) -> cache.Meta | None:
        """The cached metadata, without decoding the object."""
        return self.stores[resource].meta((key[0], key[1]))


class Memo:
    """Values that follow from others, kept until those have another version. Nobody changes what it gives."""

    def __init__(self) -> None:
        self._held: dict[Hashable, tuple[Hashable, Any]] = {}

    def get(self, key: Hashable, version: Hashable, make: Callable[[], T]) -> T:
        """The value under this key, made anew when it was made for another version."""
        held = self._held.get(key)
        if held is None or held[0] != version:
            if len(self._held) >= _REMEMBERED:
                self._held.clear()
            held = self._held[key] = (version, make())
        value: T = held[1]
        return value


@dataclasses.dataclass(frozen=True, slots=True)
class SyncContext:
    """The frozen context that is passed to each verb instead of ten arguments."""

    tenant: Tenant
    config: model.VClusterConfig
    virtual: Side
    host: Side
    recorder: Recorder
    #: Which virtual objects refer to this one, found through the kinds' ``references``.
    referrers: Callable[[Resource, VirtualKey], list[tuple[Resource, VirtualKey]]]
    #: Seconds since the epoch; a test sets its own clock.
    now: Callable[[], float]
    #: Where the virtual API server reaches the kubelet façade, whatever the node.
    kubelet_address: str = "127.0.0.1"
    kubelet_port: int = KUBELET_PORT
    memo: Memo = dataclasses.field(default_factory=Memo)

    @property
    def cluster_domain(self) -> str:
        """The DNS domain of the virtual cluster, ``cluster.local`` by default."""
        return self.config.networking.advanced.cluster_domain

    @property
    def owner_uid(self) -> str | None:
        """UID of the host Service NAME, which owns every namespaced host object (spec §1.3)."""
        key = HostKey(self.tenant.namespace, self.tenant.name)

        def read() -> str | None:
            meta = self.host.meta(SERVICES, key)
            return meta.uid if meta else None

        return self.memo.get("owner uid", self.host.stores[SERVICES].version(key), read)

    @property
    def front_ip(self) -> str | None:
        """ClusterIP of the host Service NAME: where pods find the virtual API server."""
        return self._cluster_ip(HostKey(self.tenant.namespace, self.tenant.name))

    def host_service_ip(self, key: VirtualKey) -> str | None:
        """ClusterIP on the host of a virtual Service, None while the host has not given one."""
        return self._cluster_ip(names.host_name(key, self.tenant))

    def _cluster_ip(self, host_key: HostKey) -> str | None:
        def read() -> str | None:
            service = self.host.get(SERVICES, host_key)
            ip = service["spec"].get("clusterIP") if service else None
            return ip if ip and ip != "None" else None

        return self.memo.get(("cluster ip", host_key), self.host.stores[SERVICES].version(host_key), read)


def immutable(stores: dict[Resource, cache.Store]) -> Mapping[Resource, cache.Store]:
    """A read-only view of the stores of one side."""
    return types.MappingProxyType(stores)
