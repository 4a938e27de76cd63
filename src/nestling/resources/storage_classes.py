"""StorageClasses of the host, shown in the virtual cluster under the same names (spec §2.1, fromHost)."""

from __future__ import annotations

from typing import Final

from nestling.config import resolve
from nestling.kube.resource import STORAGE_CLASSES, Obj
from nestling.syncer import fields, mapping, rules
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import Delete, Pair, Replace, Scope, SyncSpec, Wanted
from nestling.syncer.verbs import existing

#: Fields that the API server does not let anyone change.
_IMMUTABLE: Final = ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode")
#: Metadata that the host decides.
_MIRRORED: Final = ("labels", "annotations")


async def _to_virtual(_ctx: SyncContext, pair: Pair) -> Wanted:
    return Wanted(virtual=_mirror(existing(pair.host)))


async def _to_host(_ctx: SyncContext, _pair: Pair) -> Wanted:
    """What the host does not have is not offered: its claims could never be bound."""
    return Wanted(delete_virtual=Delete())


async def _sync(_ctx: SyncContext, pair: Pair) -> Wanted:
    virtual, wanted = existing(pair.virtual), _mirror(existing(pair.host))
    if any(virtual.get(field) != wanted.get(field) for field in _IMMUTABLE):
        return Wanted(replace_virtual=Replace(wanted, is_noted=False))
    own = {field: value for field, value in virtual["metadata"].items() if field not in _MIRRORED}
    return Wanted(virtual={**wanted, "metadata": {**own, **_strings(wanted)}})


def _mirror(host: Obj) -> Obj:
    return {**fields.body(host), "metadata": {"name": host["metadata"]["name"], **_strings(host)}}


def _strings(obj: Obj) -> Obj:
    meta = obj["metadata"]
    return {field: meta[field] for field in _MIRRORED if meta.get(field)}


SPEC: Final = SyncSpec(
    name="storageclasses",
    virtual=STORAGE_CLASSES,
    host=STORAGE_CLASSES,
    naming=mapping.Mirrored(),
    enabled=resolve.storage_classes_from_host,
    host_scope=Scope.CLUSTER,
    to_host=_to_host,
    sync=_sync,
    to_virtual=_to_virtual,
    mirror_host_deletion=False,
    replace_on_uid_mismatch=False,
    has_status=False,
    host_rules=(
        rules.PolicyRule(api_groups=("storage.k8s.io",), resources=("storageclasses",), verbs=rules.READ, cluster=True),
    ),
)
