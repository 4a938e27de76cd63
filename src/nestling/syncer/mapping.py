"""How kinds are named on both sides: the usual ways, for ``SyncSpec.naming`` (spec §1.1)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Final

from nestling.kube import cache
from nestling.kube.resource import Obj
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
