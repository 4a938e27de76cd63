"""PersistentVolumeClaims: the host binds them, the tenant sees the volume's name and the claim's status (spec §2.5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nestling.kube.resource import NODES, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, STORAGE_CLASSES, Obj
from nestling.naming import labels, names
from nestling.naming.tenant import VirtualKey
from nestling.syncer import fields, mapping, mirror, rules, verbs
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import Delete, Pair, Reference, Replace, SyncSpec, Waiting, Wanted
from nestling.syncer.verbs import existing

_BOUND: Final = "pv.kubernetes.io/bind-completed"
_SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
#: The API server's own finalizer: a claim that a pod uses stays until the pod is gone.
_PROTECTION: Final = "kubernetes.io/pvc-protection"
#: What the host writes on a claim: shown to the tenant, and of what the tenant writes only ``_chosen_node`` counts.
_HOST_ANNOTATIONS: Final = frozenset(
    {
        _BOUND,
        "pv.kubernetes.io/bound-by-controller",
        "volume.beta.kubernetes.io/storage-provisioner",
        "volume.kubernetes.io/storage-provisioner",
        _SELECTED_NODE,
    }
)


def _translate(ctx: SyncContext, claim: Obj) -> Obj:
    """The host claim. What it is filled from is named in virtual terms, of whichever kind and synced or not: by its
    name on the host, a tenant could copy the volume of the control plane. ``skip-translate`` does not change that.
    """
    body = fields.body(claim)
    spec = body["spec"]
    spec.pop("volumeName", None)
    for field in ("dataSource", "dataSourceRef"):
        source = spec.get(field)
        if source:
            key = VirtualKey(source.pop("namespace", None) or claim["metadata"]["namespace"], source["name"])
            source["name"] = names.host_name(key, ctx.tenant).name
    return body


def _refusal(ctx: SyncContext, claim: Obj) -> str | None:
    if claim["spec"].get("volumeName"):
        # bound while its class was still offered
        return None
    selector = ctx.config.sync.from_host.storage_classes.selector
    return mirror.refusal(ctx, STORAGE_CLASSES, selector, claim["spec"].get("storageClassName"))


def _references(claim: Obj) -> Iterable[Reference]:
    name = claim["spec"].get("volumeName")
    if name:
        yield Reference(PERSISTENT_VOLUMES, VirtualKey("", name))


async def _sync(ctx: SyncContext, pair: Pair) -> Wanted:
    virtual, host = existing(pair.virtual), existing(pair.host)
    if host["metadata"].get("deletionTimestamp") and not virtual["metadata"].get("deletionTimestamp"):
        if _is_of_an_earlier_claim(virtual, host):
            raise Waiting("the host claim of an earlier claim of this name is not gone yet")
        return Wanted(delete_virtual=Delete())
    wanted = verbs.sync(ctx, SPEC, pair)
    if wanted.virtual is None:
        return wanted
    if _is_bound_to_another(virtual, host):
        return Wanted(replace_virtual=Replace(_unbound(wanted.virtual)))
    volume = host["spec"].get("volumeName")
    if volume and not virtual["spec"].get("volumeName"):
        wanted.virtual["spec"]["volumeName"] = volume
    notes = host["metadata"].get("annotations") or {}
    shown = {key: value for key, value in notes.items() if key in _HOST_ANNOTATIONS}
    if shown:
        wanted.virtual["metadata"]["annotations"] = {**(wanted.virtual["metadata"].get("annotations") or {}), **shown}
    if _is_given_up(pair, notes):
        for side in (wanted.virtual, wanted.host):
            if side is not None:
                side["metadata"].get("annotations", {}).pop(_SELECTED_NODE, None)
    return wanted


def _is_of_an_earlier_claim(virtual: Obj, host: Obj) -> bool:
    """Did the host claim belong to a virtual claim that was deleted, and made anew before the host was done with it?"""
    marked = (host["metadata"].get("annotations") or {}).get(labels.OBJECT_UID)
    return marked is not None and marked != virtual["metadata"]["uid"]


def _is_given_up(pair: Pair, notes: dict[str, str]) -> bool:
    """Has the host taken back the choice of a node, since no volume could be made there? The scheduler chooses anew."""
    before = (pair.agreed.host["metadata"].get("annotations") or {}) if pair.agreed else {}
    return _SELECTED_NODE in before and _SELECTED_NODE not in notes


def _chosen_node(ctx: SyncContext, claim: Obj) -> dict[str, str]:
    """Where the scheduler of the virtual cluster wants a volume to be made, for a class that waits for its consumer.

    A node that the tenant does not see is none.
    """
    node = (claim["metadata"].get("annotations") or {}).get(_SELECTED_NODE)
    if not node or not ctx.config.virtual_scheduler_enabled or ctx.virtual.meta(NODES, VirtualKey("", node)) is None:
        return {}
    return {_SELECTED_NODE: node}


def _is_bound_to_another(virtual: Obj, host: Obj) -> bool:
    """Does the virtual claim show a volume that is not the host claim's?

    Neither of the two can change its volume: the host claim is another one than it was, or the tenant asked for a
    volume by name.
    """
    ours, theirs = virtual["spec"].get("volumeName"), host["spec"].get("volumeName")
    if not ours or ours == theirs or virtual["metadata"].get("deletionTimestamp"):
        return False
    return bool(theirs) or _BOUND in (virtual["metadata"].get("annotations") or {})


def _unbound(claim: Obj) -> Obj:
    """The same claim before anybody bound it.

    Finalizers of the tenant's stay; the protection of claims in use is put on by the API server.
    """
    meta = claim["metadata"]
    notes = {key: value for key, value in (meta.get("annotations") or {}).items() if key not in _HOST_ANNOTATIONS}
    finalizers = [one for one in meta.get("finalizers") or () if one != _PROTECTION]
    kept = {key: meta[key] for key in ("name", "namespace", "labels", "ownerReferences") if key in meta}
    spec = {key: value for key, value in claim["spec"].items() if key != "volumeName"}
    return {
        "metadata": {
            **kept,
            **({"annotations": notes} if notes else {}),
            **({"finalizers": finalizers} if finalizers else {}),
        },
        "spec": spec,
    }


SPEC: Final = SyncSpec(
    name="persistentvolumeclaims",
    virtual=PERSISTENT_VOLUME_CLAIMS,
    host=PERSISTENT_VOLUME_CLAIMS,
    naming=mapping.Namespaced(),
    enabled=lambda config: config.sync.to_host.persistent_volume_claims.enabled,
    translate=_translate,
    refusal=_refusal,
    references=_references,
    fields=(
        *fields.virtual_wins("spec.resources.requests", "spec.volumeAttributesClassName"),
        *fields.host_wins("status"),
    ),
    excluded_annotations=_HOST_ANNOTATIONS,
    extra_annotations=_chosen_node,
    sync=_sync,
    replace_on_uid_mismatch=False,
    host_rules=(rules.PolicyRule(api_groups=("",), resources=("persistentvolumeclaims",), verbs=rules.FULL),),
)
