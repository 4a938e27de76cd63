from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestling.kube.resource import Obj
from nestling.local import manifests, volumes

CLAIM: Obj = {
    "metadata": {
        "name": "data",
        "namespace": "team",
        "uid": "u-1",
        "annotations": {"volume.kubernetes.io/storage-provisioner": manifests.PROVISIONER},
    },
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "standard",
        "volumeMode": "Block",
    },
    "status": {"phase": "Pending"},
}


def test_a_claim_of_ours_without_volume_wants_one() -> None:
    assert volumes.wants_volume(CLAIM)


@pytest.mark.parametrize(
    ("where", "key", "value"),
    [
        ("metadata", "annotations", None),
        ("metadata", "annotations", {"volume.kubernetes.io/storage-provisioner": "other"}),
        ("metadata", "deletionTimestamp", "2030-01-01T00:00:00Z"),
        ("spec", "volumeName", "pv"),
    ],
)
def test_other_claims_are_left_alone(where: str, key: str, value: object) -> None:
    claim = copy.deepcopy(CLAIM)
    claim[where][key] = value
    assert not volumes.wants_volume(claim)


def test_the_volume_fits_the_claim_and_the_class() -> None:
    volume = volumes.volume_for(CLAIM, {**manifests.storage_class(), "reclaimPolicy": "Retain"})
    spec = volume["spec"]
    assert volume["metadata"]["name"] == "pvc-u-1"
    assert spec["claimRef"]["uid"] == "u-1"
    assert spec["capacity"] == {"storage": "1Gi"}
    assert (spec["volumeMode"], spec["persistentVolumeReclaimPolicy"]) == ("Block", "Retain")


@pytest.mark.parametrize(
    ("phase", "policy", "gone"),
    [
        ("Released", "Delete", True),
        ("Released", "Retain", False),
        ("Bound", "Delete", False),
        ("Failed", "Delete", False),
    ],
)
def test_a_released_volume_goes_unless_it_is_retained(phase: str, policy: str, *, gone: bool) -> None:
    volume = volumes.volume_for(CLAIM, {"reclaimPolicy": policy})
    assert volumes.to_be_deleted({**volume, "status": {"phase": phase}}) is gone


def test_volumes_of_others_are_never_deleted() -> None:
    volume = volumes.volume_for(CLAIM, {"reclaimPolicy": "Delete"})
    volume["metadata"]["annotations"] = {}
    assert not volumes.to_be_deleted({**volume, "status": {"phase": "Released"}})


@pytest.mark.parametrize(("present", "wanted"), [("512Mi", "1Gi"), ("1Gi", None), ("2Gi", None), ("1G", "1Gi")])
def test_a_bound_claim_grows_and_never_shrinks(present: str, wanted: str | None) -> None:
    claim = {**CLAIM, "status": {"phase": "Bound", "capacity": {"storage": present}}}
    assert volumes.wanted_size(claim) == wanted


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1), ("1k", 1000), ("1Ki", 1024), ("1.5Gi", 1.5 * 1024**3), ("1e3", 1000), ("2E3", 2000)]
)
def test_quantities(text: str, number: float) -> None:
    assert volumes.quantity(text) == number


@given(st.integers(min_value=0, max_value=10**6))
def test_suffixes_are_ordered(number: int) -> None:
    sizes = [volumes.quantity(f"{number}{suffix}") for suffix in ("", "k", "Ki", "M", "Mi", "G", "Gi", "T", "Ti")]
    assert sizes == sorted(sizes)
