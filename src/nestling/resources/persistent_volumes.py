"""Fake PersistentVolumes: a tenant's bound claim has a volume to look at.

The real one stays on the host (spec §2.5).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nestling.kube import cache
from nestling.kube.resource import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, Obj
from nestling.naming import labels
from nestling.naming.tenant import VirtualKey
from nestling.syncer import mapping
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import NOTHING, Delete, Pair, SideName, SyncSpec, Wanted, Watch
from nestling.syncer.verbs import existing

_PROVISIONER: Final = "fake-pv-provisioner"


def _claim(ctx: SyncContext, key: VirtualKey) -> Obj | None:
    """The virtual claim that is bound to the volume of this name."""
    for resource, claim_key in sorted(ctx.referrers(PERSISTENT_VOLUMES, key), key=lambda found: found[1]):
        if resource is PERSISTENT_VOLUME_CLAIMS:
            return ctx.virtual.get(PERSISTENT_VOLUME_CLAIMS, claim_key)
    return None


def fake_volume(name: str, claim: Obj) -> Obj:
    """A volume that says whose it is and how large, and leads nowhere."""
    meta, spec = claim["metadata"], claim["spec"]
    return {
        "metadata": {
            "name": name,
            "labels": {labels.FAKE_PV: "true"},
            "annotations": {
                "kubernetes.io/createdby": _PROVISIONER,
                "pv.kubernetes.io/bound-by-controller": "true",
                "pv.kubernetes.io/provisioned-by": _PROVISIONER,
            },
        },
        "spec": {
            "accessModes": spec.get("accessModes") or ["ReadWriteOnce"],
            "capacity": (claim.get("status") or {}).get("capacity") or spec["resources"]["requests"],
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "name": meta["name"],
                "namespace": meta["namespace"],
                "uid": meta["uid"],
            },
            "flexVolume": {"driver": "fake"},
            "persistentVolumeReclaimPolicy": "Delete",
            **({"storageClassName": spec["storageClassName"]} if spec.get("storageClassName") else {}),
            "volumeMode": spec.get("volumeMode", "Filesystem"),
        },
        "status": {"phase": "Bound"},
    }


async def _absent(ctx: SyncContext, pair: Pair) -> Wanted:
    claim = _claim(ctx, pair.key)
    return Wanted(virtual=fake_volume(pair.key.name, claim)) if claim else NOTHING


async def _to_host(ctx: SyncContext, pair: Pair) -> Wanted:
    """Only ever the virtual object exists: keep it as its claim wants it, or remove it when no claim does."""
    volume = existing(pair.virtual)
    if labels.FAKE_PV not in (volume["metadata"].get("labels") or {}):
        return NOTHING
    claim = _claim(ctx, pair.key)
    if claim is None:
        bare = {**volume, "metadata": {key: value for key, value in volume["metadata"].items() if key != "finalizers"}}
        return Wanted(virtual=bare, delete_virtual=Delete())
    wanted = fake_volume(pair.key.name, claim)
    spec = {
        **volume["spec"],
        "capacity": wanted["spec"]["capacity"],
        "claimRef": {**volume["spec"].get("claimRef", {}), **wanted["spec"]["claimRef"]},
    }
    return Wanted(virtual={**volume, "spec": spec, "status": {**(volume.get("status") or {}), **wanted["status"]}})


def _of_claim(_ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    """The volume of a claim that has changed: it may have grown."""
    name = change.new.obj["spec"].get("volumeName") if change.new is not None else None
    return (VirtualKey("", name),) if name else ()


SPEC: Final = SyncSpec(
    name="persistentvolumes",
    virtual=PERSISTENT_VOLUMES,
    host=None,
    naming=mapping.Mirrored(),
    enabled=lambda config: (
        config.sync.to_host.persistent_volume_claims.enabled and not config.sync.to_host.persistent_volumes.enabled
    ),
    watches=(Watch(side=SideName.VIRTUAL, resource=PERSISTENT_VOLUME_CLAIMS, keys=_of_claim),),
    to_host=_to_host,
    absent=_absent,
)
