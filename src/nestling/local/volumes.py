"""Storage of an embedded host as pure functions: which volume a claim gets, and what becomes of a volume.

Volumes of simulated nodes hold nothing; those of a real node are folders of the machine.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from nestling.kube.resource import Obj
from nestling.local import manifests

_CLAIM_ANNOTATION = "volume.kubernetes.io/storage-provisioner"
_VOLUME_ANNOTATION = "pv.kubernetes.io/provisioned-by"
_SCALES: dict[str, float] = {
    suffix: 1000.0**power for power, suffix in enumerate(("", "k", "M", "G", "T", "P", "E"))
} | {suffix: 1024.0**power for power, suffix in enumerate(("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))}
_QUANTITY = re.compile(r"([0-9.]+)([a-zA-Z]*)")


@dataclasses.dataclass(frozen=True, slots=True)
class Storage:
    """Who makes the volumes, and where."""

    provisioner: str = manifests.PROVISIONER
    folder: Path | None = None
    """None for volumes that hold nothing."""

    def path(self, volume: str) -> str:
        """Where a volume is on the node."""
        return f"/nestling-simulated/{volume}" if self.folder is None else str(self.folder / volume)


SIMULATED = Storage()


def wants_volume(claim: Obj, storage: Storage = SIMULATED) -> bool:
    """Whether the volume controller has asked us for a volume that is not there yet."""
    metadata, spec = claim["metadata"], claim["spec"]
    asked = (metadata.get("annotations") or {}).get(_CLAIM_ANNOTATION) == storage.provisioner
    return asked and not spec.get("volumeName") and "deletionTimestamp" not in metadata


def volume_for(claim: Obj, storage_class: Obj, storage: Storage = SIMULATED) -> Obj:
    """The volume of a claim, under the name that every provisioner takes."""
    metadata, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{metadata['uid']}"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "annotations": {_VOLUME_ANNOTATION: storage.provisioner},
            "labels": {manifests.SIMULATED_LABEL: "true"} if storage.folder is None else {},
        },
        "spec": {
            "accessModes": spec["accessModes"],
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
            },
            "hostPath": {"path": storage.path(name)},
            "mountOptions": storage_class.get("mountOptions") or [],
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "storageClassName": spec["storageClassName"],
            "volumeMode": spec.get("volumeMode", "Filesystem"),
        },
    }


def to_be_deleted(volume: Obj, storage: Storage = SIMULATED) -> bool:
    """Whether one of our volumes has lost its claim and is to go with it."""
    return (
        is_ours(volume, storage)
        and (volume.get("status") or {}).get("phase") == "Released"
        and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
        and "deletionTimestamp" not in volume["metadata"]
    )


def is_ours(volume: Obj, storage: Storage = SIMULATED) -> bool:
    """Whether we made a volume."""
    return (volume["metadata"].get("annotations") or {}).get(_VOLUME_ANNOTATION) == storage.provisioner


def wanted_size(claim: Obj) -> str | None:
    """The size to which a bound claim is to grow; None when it has what it asks for."""
    status = claim.get("status") or {}
    wanted = claim["spec"]["resources"]["requests"]["storage"]
    present = (status.get("capacity") or {}).get("storage")
    if status.get("phase") != "Bound" or present is None or quantity(wanted) <= quantity(present):
        return None
    return str(wanted)


def quantity(text: str) -> float:
    """A Kubernetes quantity as a number, as exact as comparing sizes needs."""
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2] not in _SCALES:
        return float(text)  # exponents, "1e9"
    return float(match[1]) * _SCALES[match[2]]
