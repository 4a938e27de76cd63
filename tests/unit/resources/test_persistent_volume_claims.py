"""PersistentVolumeClaims (spec §2.5)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, Obj
from tests.support import syncing

HOST = ("team-x", "data-x-default-x-my-vc")
VIRTUAL = ("default", "data")
PROTECTION = "kubernetes.io/pvc-protection"


@pytest.fixture
def world() -> syncing.World:
    return syncing.World()


async def bound(world: syncing.World) -> None:
    world.virtual.put(PERSISTENT_VOLUME_CLAIMS, syncing.claim())
    await world.settle()
    annotations = {"pv.kubernetes.io/bind-completed": "yes", "volume.kubernetes.io/storage-provisioner": "p"}
    status = {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}
    patch: Obj = {"metadata": {"annotations": annotations}, "spec": {"volumeName": "pvc-1"}, "status": status}
    world.host.change(PERSISTENT_VOLUME_CLAIMS, *HOST, patch)
    await world.settle()


async def test_a_claim_is_made_on_the_host_with_its_class(world: syncing.World) -> None:
    world.virtual.put(PERSISTENT_VOLUME_CLAIMS, syncing.claim(storageClassName="fast", volumeMode="Block"))
    await world.settle()
    spec = world.host.there(PERSISTENT_VOLUME_CLAIMS, *HOST)["spec"]
    assert (spec["storageClassName"], spec["volumeMode"]) == ("fast", "Block")
    assert spec["resources"] == {"requests": {"storage": "1Gi"}}


async def test_the_volume_and_the_status_come_up(world: syncing.World) -> None:
    await bound(world)
    claim = world.virtual.there(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL)
    assert claim["spec"]["volumeName"] == "pvc-1"
    assert claim["status"]["phase"] == "Bound"
    assert claim["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] == "yes"
    assert await world.again() == []


async def test_annotations_of_volume_controllers_never_go_down(world: syncing.World) -> None:
    forged = {"pv.kubernetes.io/bind-completed": "yes", "volume.kubernetes.io/selected-node": "node-9"}
    claim = syncing.claim()
    claim["metadata"]["annotations"] = forged
    world.virtual.put(PERSISTENT_VOLUME_CLAIMS, claim)
    await world.settle()
    annotations = world.host.there(PERSISTENT_VOLUME_CLAIMS, *HOST)["metadata"]["annotations"]
    assert not forged.keys() & annotations.keys()


async def test_a_claim_cannot_reach_for_a_volume_of_the_host(world: syncing.World) -> None:
    world.virtual.put(PERSISTENT_VOLUME_CLAIMS, syncing.claim(volumeName="pvc-of-somebody"))
    await world.settle()
    assert "volumeName" not in world.host.there(PERSISTENT_VOLUME_CLAIMS, *HOST)["spec"]


@pytest.mark.parametrize("field", ["dataSource", "dataSourceRef"])
async def test_the_source_of_a_clone_is_renamed(world: syncing.World, field: str) -> None:
    source = {"kind": "PersistentVolumeClaim", "name": "golden"}
    claim = syncing.claim()
    claim["spec"][field] = source
    world.virtual.put(PERSISTENT_VOLUME_CLAIMS, claim)
    await world.settle()
    spec = world.host.there(PERSISTENT_VOLUME_CLAIMS, *HOST)["spec"]
    assert spec[field]["name"] == "golden-x-default-x-my-vc"


async def test_a_source_in_another_namespace_is_found_in_the_one_of_the_host(world: syncing.World) -> None:
    source = {"kind": "PersistentVolumeClaim", "name": "golden", "namespace": "team"}
    world.virtual.put(PERSISTENT_VOLUME_CLAIMS, syncing.claim(dataSourceRef=source))
    await world.settle()
    spec = world.host.there(PERSISTENT_VOLUME_CLAIMS, *HOST)["spec"]
    assert spec["dataSourceRef"] == {"kind": "PersistentVolumeClaim", "name": "golden-x-team-x-my-vc"}


async def test_a_larger_request_goes_down(world: syncing.World) -> None:
    await bound(world)
    larger = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    world.virtual.change(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL, larger)
    await world.settle()
    host = world.host.there(PERSISTENT_VOLUME_CLAIMS, *HOST)
    assert host["spec"]["resources"]["requests"] == {"storage": "2Gi"}
    assert host["spec"]["volumeName"] == "pvc-1"
    assert await world.again() == []


async def test_deletion_goes_both_ways(world: syncing.World) -> None:
    await bound(world)
    world.virtual.drop(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL)
    await world.settle()
    assert world.host.names(PERSISTENT_VOLUME_CLAIMS) == []
    await bound(world)
    world.host.drop(PERSISTENT_VOLUME_CLAIMS, *HOST)
    await world.settle()
    assert world.virtual.names(PERSISTENT_VOLUME_CLAIMS) == []


async def test_a_claim_that_the_host_deletes_is_deleted_above(world: syncing.World) -> None:
    await bound(world)
    protected = {"metadata": {"finalizers": ["kubernetes.io/pvc-protection"]}}
    world.virtual.change(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL, protected)
    going = {"metadata": {"finalizers": ["x/y"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    world.host.change(PERSISTENT_VOLUME_CLAIMS, *HOST, going)
    await world.settle()
    assert world.virtual.there(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL)["metadata"]["deletionTimestamp"]


async def test_a_claim_made_anew_does_not_go_with_the_host_claim_of_the_one_before(world: syncing.World) -> None:
    """Found by `make chaos` with seed 2: the host takes its time to delete a claim, and the tenant is faster."""
    await bound(world)
    world.host.change(PERSISTENT_VOLUME_CLAIMS, *HOST, {"metadata": {"finalizers": [PROTECTION]}})
    await world.settle()
    world.virtual.drop(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL)
    going = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
    world.host.change(PERSISTENT_VOLUME_CLAIMS, *HOST, going)
    made = world.virtual.put(PERSISTENT_VOLUME_CLAIMS, syncing.claim())
    await world.settle()
    assert world.virtual.there(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL)["metadata"]["uid"] == made["metadata"]["uid"]
    world.host.drop(PERSISTENT_VOLUME_CLAIMS, *HOST)
    await world.settle()
    assert world.virtual.there(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL)["metadata"]["uid"] == made["metadata"]["uid"]
    host = world.host.there(PERSISTENT_VOLUME_CLAIMS, *HOST)
    assert host["metadata"]["annotations"]["vcluster.loft.sh/object-uid"] == made["metadata"]["uid"]
    assert "volumeName" not in host["spec"]


async def test_a_claim_that_a_finalizer_of_the_tenant_holds_keeps_its_data(world: syncing.World) -> None:
    await bound(world)
    going = {"metadata": {"finalizers": ["backup/running"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    world.virtual.change(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL, going)
    await world.settle()
    assert "deletionTimestamp" not in world.host.there(PERSISTENT_VOLUME_CLAIMS, *HOST)["metadata"]
    world.virtual.drop(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL)
    await world.settle()
    assert world.host.names(PERSISTENT_VOLUME_CLAIMS) == []


async def bind(world: syncing.World, volume: str) -> None:
    """What the host's controllers do to the host claim."""
    patch: Obj = {
        "metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
        "spec": {"volumeName": volume},
        "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]},
    }
    world.host.change(PERSISTENT_VOLUME_CLAIMS, *HOST, patch)
    await world.settle()


async def without_host_claim(world: syncing.World, *finalizers: str) -> Obj:
    """A bound claim whose host claim went while the syncer was down; the answer is the claim as it was."""
    await bound(world)
    held = {"metadata": {"finalizers": [PROTECTION, *finalizers], "labels": {"app": "db"}}}
    world.virtual.change(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL, held)
    await world.settle()
    before = world.virtual.there(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL)
    world.host.is_deaf = True
    world.host.drop(PERSISTENT_VOLUME_CLAIMS, *HOST)
    world.host.is_deaf = False
    world.restart()
    await world.settle()
    return before


async def test_a_claim_whose_host_claim_went_while_nobody_looked_is_bound_anew(world: syncing.World) -> None:
    before = await without_host_claim(world)
    assert world.host.there(PERSISTENT_VOLUME_CLAIMS, *HOST)["spec"].get("volumeName") is None
    waiting = world.virtual.there(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL)
    assert waiting["metadata"]["uid"] != before["metadata"]["uid"]
    assert "volumeName" not in waiting["spec"]
    assert "annotations" not in waiting["metadata"]
    assert waiting["metadata"]["labels"] == {"app": "db"}
    assert world.virtual.names(PERSISTENT_VOLUMES) == []
    await bind(world, "pvc-2")
    claim = world.virtual.there(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL)
    assert claim["metadata"]["uid"] == waiting["metadata"]["uid"]
    assert (claim["spec"]["volumeName"], claim["status"]["phase"]) == ("pvc-2", "Bound")
    assert world.virtual.there(PERSISTENT_VOLUMES, "", "pvc-2")["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"]
    assert world.virtual.names(PERSISTENT_VOLUMES) == ["pvc-2"]
    assert await world.again() == []


async def test_finalizers_of_the_tenants_are_on_the_new_claim_too(world: syncing.World) -> None:
    await without_host_claim(world, "backup/wanted")
    finalizers = world.virtual.there(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL)["metadata"]["finalizers"]
    assert finalizers == ["backup/wanted"]  # the API server puts its own on


async def test_a_pod_that_uses_a_claim_is_not_touched_when_the_claim_is_bound_anew(world: syncing.World) -> None:
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    world.virtual.put(PODS, syncing.pod("user", volumes=volumes))
    await world.settle()
    pods = world.virtual.there(PODS, "default", "user"), world.host.there(PODS, "team-x", "user-x-default-x-my-vc")
    await without_host_claim(world)
    await bind(world, "pvc-2")
    assert world.virtual.there(PODS, "default", "user") == pods[0]
    assert world.host.there(PODS, "team-x", "user-x-default-x-my-vc") == pods[1]


async def test_a_host_claim_that_was_made_anew_while_we_looked_elsewhere(world: syncing.World) -> None:
    await bound(world)
    before = world.virtual.there(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL)["metadata"]["uid"]
    host = world.host.there(PERSISTENT_VOLUME_CLAIMS, *HOST)
    again = {**host, "metadata": {**host["metadata"], "uid": "another"}, "spec": {**host["spec"], "volumeName": "new"}}
    world.host.put(PERSISTENT_VOLUME_CLAIMS, again)
    await world.settle()
    claim = world.virtual.there(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL)
    assert claim["metadata"]["uid"] != before
    assert claim["spec"]["volumeName"] == "new"


async def test_a_volume_that_the_tenant_named_gives_way_to_the_hosts(world: syncing.World) -> None:
    world.virtual.put(PERSISTENT_VOLUME_CLAIMS, syncing.claim(volumeName="chosen"))
    await world.settle()
    before = world.virtual.there(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL)
    assert before["spec"]["volumeName"] == "chosen"  # the host has not decided yet
    await bind(world, "pvc-1")
    claim = world.virtual.there(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL)
    assert claim["spec"]["volumeName"] == "pvc-1"
    assert claim["metadata"]["uid"] != before["metadata"]["uid"]
    assert await world.again() == []


async def test_a_claim_that_is_on_its_way_out_is_not_replaced(world: syncing.World) -> None:
    await bound(world)
    going = {"metadata": {"finalizers": ["backup/running"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    before = world.virtual.change(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL, going)
    await bind(world, "pvc-2")
    after = world.virtual.there(PERSISTENT_VOLUME_CLAIMS, *VIRTUAL)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["metadata"]["finalizers"] == ["backup/running"]
