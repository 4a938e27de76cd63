"""Fake PersistentVolumes (spec §2.5)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, Obj
from nestling.naming import labels
from tests.support import syncing

HOST = ("team-x", "data-x-default-x-my-vc")


@pytest.fixture
async def world() -> syncing.World:
    """A claim that the host has bound."""
    world = syncing.World()
    world.virtual.put(PERSISTENT_VOLUME_CLAIMS, syncing.claim(storageClassName="fast"))
    await world.settle()
    status = {"phase": "Bound", "capacity": {"storage": "3Gi"}}
    world.host.change(PERSISTENT_VOLUME_CLAIMS, *HOST, {"spec": {"volumeName": "pvc-1"}, "status": status})
    await world.settle()
    return world


def volume(world: syncing.World) -> Obj:
    return world.virtual.there(PERSISTENT_VOLUMES, "", "pvc-1")


async def test_a_bound_claim_has_a_volume(world: syncing.World) -> None:
    made, claim = volume(world), world.virtual.there(PERSISTENT_VOLUME_CLAIMS, "default", "data")
    assert made["metadata"]["labels"] == {labels.FAKE_PV: "true"}
    assert made["metadata"]["annotations"] == {
        "kubernetes.io/createdby": "fake-pv-provisioner",
        "pv.kubernetes.io/bound-by-controller": "true",
        "pv.kubernetes.io/provisioned-by": "fake-pv-provisioner",
    }
    spec = made["spec"]
    assert spec["flexVolume"] == {"driver": "fake"}
    assert (spec["capacity"], spec["accessModes"]) == ({"storage": "3Gi"}, ["ReadWriteOnce"])
    assert (spec["storageClassName"], spec["persistentVolumeReclaimPolicy"]) == ("fast", "Delete")
    assert (spec["claimRef"]["name"], spec["claimRef"]["uid"]) == ("data", claim["metadata"]["uid"])
    assert made["status"]["phase"] == "Bound"


async def test_a_settled_volume_is_not_written_again(world: syncing.World) -> None:
    assert await world.again() == []


async def test_the_volume_goes_with_its_claim_whatever_finalizer_it_has(world: syncing.World) -> None:
    assert volume(world)["metadata"]["finalizers"]
    world.virtual.drop(PERSISTENT_VOLUME_CLAIMS, "default", "data")
    await world.settle()
    assert world.virtual.names(PERSISTENT_VOLUMES) == []


async def test_20_the_volume_goes_whose_claim_went_while_nobody_looked(world: syncing.World) -> None:
    world.virtual.is_deaf = True
    world.virtual.drop(PERSISTENT_VOLUME_CLAIMS, "default", "data")
    world.virtual.is_deaf = False
    assert volume(world)
    world.restart()
    await world.settle()
    assert world.virtual.names(PERSISTENT_VOLUMES) == []
    assert world.host.names(PERSISTENT_VOLUME_CLAIMS) == []


async def test_the_volume_grows_with_its_claim(world: syncing.World) -> None:
    status = {"status": {"capacity": {"storage": "5Gi"}}}
    world.host.change(PERSISTENT_VOLUME_CLAIMS, *HOST, status)
    await world.settle()
    assert volume(world)["spec"]["capacity"] == {"storage": "5Gi"}


async def test_a_deleted_volume_comes_back_while_its_claim_is_there(world: syncing.World) -> None:
    world.virtual.drop(PERSISTENT_VOLUMES, "", "pvc-1")
    await world.settle()
    assert volume(world)["status"]["phase"] == "Bound"


async def test_a_volume_of_the_tenants_own_is_left_alone(world: syncing.World) -> None:
    own = world.virtual.put(PERSISTENT_VOLUMES, syncing.obj("mine", "", spec={"hostPath": {"path": "/x"}}))
    await world.settle()
    assert world.virtual.there(PERSISTENT_VOLUMES, "", "mine") == own


async def test_volumes_are_never_on_the_host(world: syncing.World) -> None:
    assert world.host.names(PERSISTENT_VOLUMES) == []
