"""PersistentVolumeClaims: the host binds them, the tenant sees the volume's name and the claim's status (spec §2.5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nestling.kube.resource import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, Obj
from nestling.naming import annotations as naming_annotations
from nestling.naming import names
from nestling.naming.tenant import VirtualKey
from nestling.syncer import fields, mapping, rules, verbs
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import Delete, Pair, Reference, SyncSpec, Wanted
from nestling.syncer.verbs import existing

#: What the host's controllers write on a claim: shown to the tenant, never taken from the tenant.
_HOST_ANNOTATIONS: Final = frozenset(
    {
        "pv.kubernetes.io/bind-completed",
        "pv.kubernetes.io/bound-by-controller",
        "volume.beta.kubernetes.io/storage-provisioner",
        "volume.kubernetes.io/storage-provisioner",
        "volume.kubernetes.io/selected-node",
    }
)


def _translate(ctx: SyncContext, claim: Obj) -> Obj:
    body = fields.body(claim)
    spec, meta = body["spec"], claim["metadata"]
    spec.pop("volumeName", None)
    if (meta.get("annotations") or {}).get(naming_annotations.SKIP_TRANSLATE) == "true":
        return body
    for field in ("dataSource", "dataSourceRef"):
        source = spec.get(field)
        if source and source.get("kind") == "PersistentVolumeClaim" and not source.get("apiGroup"):
            key = VirtualKey(source.pop("namespace", None) or meta["namespace"], source["name"])
            source["name"] = names.host_name(key, ctx.tenant).name
    return body


def _references(claim: Obj) -> Iterable[Reference]:
    name = claim["spec"].get("volumeName")
    if name:
        yield Reference(PERSISTENT_VOLUMES, VirtualKey("", name))


async def _sync(ctx: SyncContext, pair: Pair) -> Wanted:
    virtual, host = existing(pair.virtual), existing(pair.host)
    if host["metadata"].get("deletionTimestamp") and not virtual["metadata"].get("deletionTimestamp"):
        return Wanted(delete_virtual=Delete())
    wanted = verbs.sync(ctx, SPEC, pair)
    if wanted.virtual is None:
        return wanted
    volume = host["spec"].get("volumeName")
    if volume and not virtual["spec"].get("volumeName"):
        wanted.virtual["spec"]["volumeName"] = volume
    shown = {
        key: value for key, value in (host["metadata"].get("annotations") or {}).items() if key in _HOST_ANNOTATIONS
    }
    if shown:
        wanted.virtual["metadata"]["annotations"] = {**(wanted.virtual["metadata"].get("annotations") or {}), **shown}
    return wanted


SPEC: Final = SyncSpec(
    name="persistentvolumeclaims",
    virtual=PERSISTENT_VOLUME_CLAIMS,
    host=PERSISTENT_VOLUME_CLAIMS,
    naming=mapping.Namespaced(),
    enabled=lambda config: config.sync.to_host.persistent_volume_claims.enabled,
    translate=_translate,
    references=_references,
    fields=(
        *fields.virtual_wins("spec.resources.requests", "spec.volumeAttributesClassName"),
        *fields.host_wins("status"),
    ),
    excluded_annotations=_HOST_ANNOTATIONS,
    sync=_sync,
    replace_on_uid_mismatch=False,
    host_rules=(rules.PolicyRule(api_groups=("",), resources=("persistentvolumeclaims",), verbs=rules.FULL),),
)
