"""How kinds are named on both sides: the usual ways, for ``SyncSpec.naming`` (spec §1.1)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from nestling.kube import cache
from nestling.kube.resource import SERVICES, Obj
from nestling.naming import names, ownership
from nestling.naming.tenant import HostKey, Tenant, VirtualKey
from nestling.syncer.context import SyncContext

#: The Service of the API server itself. Its host counterpart is Service NAME, which the control plane manages (spec
#: §2.3).
KUBERNETES: Final = VirtualKey("default", "kubernetes")


@dataclasses.dataclass(frozen=True, slots=True)
class Namespaced:
    """``web`` in ``default`` is ``web-x-default-x-NAME`` in the host namespace."""

    #: Keys with a host name of their own, for example ``default/kubernetes`` → NAME.
    special: Mapping[VirtualKey, Callable[[Tenant], str]] = dataclasses.field(default_factory=dict)

    def to_host(self, ctx: SyncContext, key: VirtualKey) -> HostKey:
        """The formula of spec §1.1, or the special name."""
        if key in self.special:
            return HostKey(ctx.tenant.namespace, self.special[key](ctx.tenant))
        return names.host_name(key, ctx.tenant)

    def to_virtual(self, ctx: SyncContext, host: cache.Entry) -> VirtualKey | None:
        """The key in the annotations, if everything about the host object confirms it (spec §1.5)."""
        key = ownership.virtual_key(host.meta)
        if key is None:
            return None
        expected = self.to_host(ctx, key)
        matches = (host.meta.namespace, host.meta.name) == tuple(expected)
        return key if matches and ownership.claims(host.meta, key, ctx.tenant) else None

    def claims(self, ctx: SyncContext, host: Obj, key: VirtualKey) -> bool:
        """Do the marks on the host object name this key? Two keys can share a host name; see ``naming.ownership``."""
        return ownership.claims(host["metadata"], key, ctx.tenant)


def has_own_host_service(ctx: SyncContext, key: VirtualKey) -> bool:
    """Is the host Service under this key's host name there, and the key's?

    Endpoints are tied to a Service by its name alone: what is written under the name of somebody else's Service would
    take its traffic.
    """
    meta = ctx.host.meta(SERVICES, names.host_name(key, ctx.tenant))
    return meta is not None and ownership.virtual_key(meta) == key


def of_new_host_service(_ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    """The virtual Service of a host Service that has just come or gone, for ``Watch``."""
    entry = change.new if change.old is None else change.old if change.new is None else None
    key = ownership.virtual_key(entry.meta) if entry is not None else None
    return (key,) if key is not None else ()


@dataclasses.dataclass(frozen=True, slots=True)
class Mirrored:
    """The same name on both sides: StorageClass, Node, IngressClass, …"""

    def to_host(self, ctx: SyncContext, key: VirtualKey) -> HostKey:
        """The same name."""
        return HostKey("", key.name)

    def to_virtual(self, ctx: SyncContext, host: cache.Entry) -> VirtualKey | None:
        """The same name."""
        return VirtualKey("", host.meta.name)

    def claims(self, ctx: SyncContext, host: Obj, key: VirtualKey) -> bool:
        """Always: there is nothing but the name."""
        return bool(host["metadata"]["name"] == key.name)
