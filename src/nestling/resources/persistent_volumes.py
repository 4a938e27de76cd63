"""Fake PersistentVolumes: a tenant's bound claim has a volume to look at.

The real one stays on the host (spec §2.5).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nestling.config import model
from nestling.kube import cache
from nestling.kube.resource import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, Obj
from nestling.naming import labels, names
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.syncer import mapping, rules
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import NOTHING, Delete, Pair, Scope, SideName, SyncSpec, Waiting, Wanted, Watch
from nestling.syncer.verbs import existing

_PROVISIONER: Final = "fake-pv-provisioner"


def _claim(ctx: SyncContext, key: VirtualKey) -> Obj | None:
    """The virtual claim that is bound to the volume of this name."""
    for resource, claim_key in sorted(ctx.referrers(PERSISTENT_VOLUMES, key), key=lambda found: found[1]):
        if resource is PERSISTENT_VOLUME_CLAIMS:
            return ctx.virtual.get(PERSISTENT_VOLUME_CLAIMS, claim_key)
    return None


def _affinity(ctx: SyncContext, name: str, claim: Obj) -> Obj:
    """From which nodes the host's volume can be reached: a scheduler of the virtual cluster must not choose another.

    Only of the volume that is bound to the host claim: a tenant can write any name into a claim.
    """
    if not ctx.config.virtual_scheduler_enabled:
        return {}
    volume = ctx.host.get(PERSISTENT_VOLUMES, HostKey("", name))
    if volume is None:
        raise Waiting(f"volume {name} is not there yet")
    owner = volume["spec"].get("claimRef") or {}
    bound_to = HostKey(owner.get("namespace", ""), owner.get("name", ""))
    meta = claim["metadata"]
    if bound_to != names.host_name(VirtualKey(meta["namespace"], meta["name"]), ctx.tenant):
        return {}
    found = volume["spec"].get("nodeAffinity")
    return {"nodeAffinity": found} if found else {}


def fake_volume(name: str, claim: Obj, affinity: Obj) -> Obj:
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
            **affinity,
            "persistentVolumeReclaimPolicy": "Delete",
            **({"storageClassName": spec["storageClassName"]} if spec.get("storageClassName") else {}),
            "volumeMode": spec.get("volumeMode", "Filesystem"),
        },
        "status": {"phase": "Bound"},
    }


async def _absent(ctx: SyncContext, pair: Pair) -> Wanted:
    claim = _claim(ctx, pair.key)
    if claim is None:
        return NOTHING
    return Wanted(virtual=fake_volume(pair.key.name, claim, _affinity(ctx, pair.key.name, claim)))


async def _to_host(ctx: SyncContext, pair: Pair) -> Wanted:
    """Only ever the virtual object exists: keep it as its claim wants it, or remove it when no claim does."""
    volume = existing(pair.virtual)
    if labels.FAKE_PV not in (volume["metadata"].get("labels") or {}):
        return NOTHING
    claim = _claim(ctx, pair.key)
    if claim is None:
        bare = {**volume, "metadata": {key: value for key, value in volume["metadata"].items() if key != "finalizers"}}
        return Wanted(virtual=bare, delete_virtual=Delete())
    wanted = fake_volume(pair.key.name, claim, _affinity(ctx, pair.key.name, claim))
    spec = {
        **{field: wanted["spec"][field] for field in ("nodeAffinity",) if field in wanted["spec"]},
        **volume["spec"],
        "capacity": wanted["spec"]["capacity"],
        "claimRef": {**volume["spec"].get("claimRef", {}), **wanted["spec"]["claimRef"]},
    }
    return Wanted(virtual={**volume, "spec": spec, "status": {**(volume.get("status") or {}), **wanted["status"]}})


def _of_claim(_ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    """The volume of a claim that has changed: it may have grown."""
    name = change.new.obj["spec"].get("volumeName") if change.new is not None else None
    return (VirtualKey("", name),) if name else ()


def _of_host_volume(_ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    return (VirtualKey("", change.key[1]),) if change.new is not None else ()


def _rules(config: model.VClusterConfig) -> tuple[rules.PolicyRule, ...]:
    if not config.virtual_scheduler_enabled:
        return ()
    return (rules.PolicyRule(api_groups=("",), resources=("persistentvolumes",), verbs=rules.WATCH, cluster=True),)


SPEC: Final = SyncSpec(
    name="persistentvolumes",
    virtual=PERSISTENT_VOLUMES,
    host=None,
    naming=mapping.Mirrored(),
    enabled=lambda config: (
        config.sync.to_host.persistent_volume_claims.enabled and not config.sync.to_host.persistent_volumes.enabled
    ),
    watches=(
        Watch(side=SideName.VIRTUAL, resource=PERSISTENT_VOLUME_CLAIMS, keys=_of_claim),
        Watch(
            side=SideName.HOST,
            resource=PERSISTENT_VOLUMES,
            keys=_of_host_volume,
            scope=Scope.CLUSTER,
            needed=lambda config: config.virtual_scheduler_enabled,
        ),
    ),
    to_host=_to_host,
    absent=_absent,
    more_host_rules=_rules,
)
