"""CSIStorageCapacities of the host: how much room a storage class has where (spec §2.1).

They are in the namespaces of the drivers there, and all in ``kube-system`` here, under a name of both.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Final

from nestling.config import resolve
from nestling.kube import cache
from nestling.kube.resource import CSI_STORAGE_CAPACITIES, NODES, STORAGE_CLASSES, Obj
from nestling.naming import names, selectors
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.syncer import mirror
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import SideName, Watch


@dataclasses.dataclass(frozen=True, slots=True)
class _Naming:
    """The name cannot be taken apart again: the host objects are few, and looked through."""

    def to_host(self, ctx: SyncContext, key: VirtualKey) -> HostKey:
        host_keys = (HostKey(*found) for found in ctx.host.stores[CSI_STORAGE_CAPACITIES].keys())  # noqa: SIM118
        return next((one for one in host_keys if names.storage_capacity_key(one) == key), HostKey("", ""))

    def to_virtual(self, ctx: SyncContext, host: cache.Entry) -> VirtualKey | None:
        return names.storage_capacity_key(HostKey(host.meta.namespace or "", host.meta.name))

    def claims(self, ctx: SyncContext, host: Obj, key: VirtualKey) -> bool:
        meta = host["metadata"]
        return names.storage_capacity_key(HostKey(meta["namespace"], meta["name"])) == key


def _fits(ctx: SyncContext, host: Obj) -> bool:
    """Does the tenant see the class, and a node from which there is room?"""
    if ctx.virtual.meta(STORAGE_CLASSES, VirtualKey("", host["storageClassName"])) is None:
        return False
    topology = host.get("nodeTopology")
    if topology is None:
        return False
    metas = (ctx.virtual.meta(NODES, key) for key in ctx.virtual.stores[NODES].keys())  # noqa: SIM118
    return any(meta is not None and selectors.matches(topology, meta.labels or {}) for meta in metas)


def _all(ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    """A class or node has come, gone or got other labels."""
    before, after = (entry.meta.labels if entry is not None else None for entry in (change.old, change.new))
    if change.old is not None and change.new is not None and before == after:
        return ()
    host_keys = ctx.host.stores[CSI_STORAGE_CAPACITIES].keys()
    return [names.storage_capacity_key(HostKey(*key)) for key in host_keys]


SPEC: Final = mirror.Mirror(
    resource=CSI_STORAGE_CAPACITIES,
    enabled=resolve.csi_storage_capacities,
    selector=lambda _config: None,
    immutable=("nodeTopology", "storageClassName"),
    fits=_fits,
    naming=_Naming(),
    watches=(
        Watch(side=SideName.VIRTUAL, resource=NODES, keys=_all),
        Watch(side=SideName.VIRTUAL, resource=STORAGE_CLASSES, keys=_all),
    ),
).spec()
