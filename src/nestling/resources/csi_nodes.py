"""CSINodes of the host: how many volumes each node that the tenant sees can take (spec §2.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nestling.config import resolve
from nestling.kube import cache
from nestling.kube.resource import CSI_NODES, NODES, Obj
from nestling.naming.tenant import VirtualKey
from nestling.syncer import mirror
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import SideName, Watch


def _has_node(ctx: SyncContext, host: Obj) -> bool:
    return ctx.virtual.meta(NODES, VirtualKey("", host["metadata"]["name"])) is not None


def _of_node(_ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    """A node that has come or gone."""
    return (VirtualKey("", change.key[1]),) if change.old is None or change.new is None else ()


SPEC: Final = mirror.Mirror(
    resource=CSI_NODES,
    enabled=resolve.csi_nodes,
    selector=lambda _config: None,
    # a driver that is there cannot be changed
    immutable=("spec",),
    fits=_has_node,
    watches=(Watch(side=SideName.VIRTUAL, resource=NODES, keys=_of_node),),
).spec()
