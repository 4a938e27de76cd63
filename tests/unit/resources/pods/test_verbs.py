"""The life of a pod on both sides (spec §2.2, "Update"): nodes, deletions, what is never brought back to life."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.kube.resource import EVENTS, NODES, PODS, SERVICES, Obj
from nestling.naming.tenant import VirtualKey
from tests.support import fake_side, syncing

KEY = VirtualKey("default", "web")
HOST = ("team-x", "web-x-default-x-my-vc")


@pytest.fixture
def world() -> syncing.World:
    return syncing.World()


async def created(world: syncing.World, **spec: Any) -> None:
    world.virtual.put(PODS, syncing.pod(**spec))
    await world.settle()
    assert world.host.there(PODS, *HOST)


def deletions(side: fake_side.FakeSide) -> list[Obj]:
    """What pods were deleted with."""
    return [fake_side.body_of(one) for one in side.writes if one.method == "DELETE" and "/pods/" in one.path]


async def test_2_2_the_pod_is_bound_to_the_node_that_the_host_chose(world: syncing.World) -> None:
    await created(world)
    world.host.change(PODS, *HOST, {"spec": {"nodeName": "node-1"}})
    await world.settle()
    (binding,) = [one for one in world.virtual.writes if one.path.endswith("/binding")]
    body = fake_side.body_of(binding)
    assert body["target"]["name"] == "node-1"
    assert body["metadata"]["uid"] == world.virtual.there(PODS, *KEY)["metadata"]["uid"]
    assert world.virtual.there(PODS, *KEY)["spec"]["nodeName"] == "node-1"


async def test_2_2_a_pod_is_bound_only_when_its_node_is_there() -> None:
    # nobody makes nodes in this world
    specs = tuple(spec for spec in syncing.World().manager.specs if spec.name != "nodes")
    world = syncing.World(specs=specs)
    await created(world)
    world.host.change(PODS, *HOST, {"spec": {"nodeName": "node-1"}})
    await world.settle()
    assert "nodeName" not in world.virtual.there(PODS, *KEY)["spec"]
    assert world.events() == [], "a node that is on its way is no news for the tenant"
    world.virtual.put(NODES, syncing.obj("node-1", ""))
    world.controller_of("pods").enqueue(KEY)
    await world.settle()
    assert world.virtual.there(PODS, *KEY)["spec"]["nodeName"] == "node-1"


@pytest.mark.parametrize("chosen", ["node-2", None], ids=["another", "none yet"])
async def test_2_2_a_pod_that_was_bound_elsewhere_than_the_host_did_goes(
    world: syncing.World, chosen: str | None
) -> None:
    await created(world)
    world.virtual.is_deaf = True
    world.virtual.change(PODS, *KEY, {"spec": {"nodeName": "node-1"}})
    world.host.change(PODS, *HOST, {"spec": {"nodeName": chosen}})
    world.virtual.is_deaf = False
    world.virtual.change(PODS, *KEY, {"metadata": {"labels": {"a": "b"}}})
    await world.settle()
    assert deletions(world.virtual)[0]["gracePeriodSeconds"] == 30


async def test_2_2_a_deletion_carries_uid_and_grace_period_down(world: syncing.World) -> None:
    await created(world)
    world.host.change(PODS, *HOST, {"spec": {"nodeName": "node-1"}, "status": {"phase": "Running"}})
    await world.settle()
    uid = world.host.there(PODS, *HOST)["metadata"]["uid"]
    mark = {"deletionTimestamp": "2026-01-01T00:00:07Z", "deletionGracePeriodSeconds": 7}
    world.virtual.change(PODS, *KEY, {"metadata": mark})
    await world.settle()
    (sent,) = deletions(world.host)
    assert (sent["preconditions"]["uid"], sent["gracePeriodSeconds"]) == (uid, 7)


async def test_2_2_a_deletion_on_the_host_comes_up_with_the_pods_own_grace_period(world: syncing.World) -> None:
    await created(world, terminationGracePeriodSeconds=33)
    world.host.change(PODS, *HOST, {"spec": {"nodeName": "node-1"}, "status": {"phase": "Running"}})
    await world.settle()
    mark = {"deletionTimestamp": "2026-01-01T00:00:07Z", "deletionGracePeriodSeconds": 5}
    world.host.change(PODS, *HOST, {"metadata": mark})
    await world.settle()
    assert deletions(world.virtual)[0]["gracePeriodSeconds"] == 33


async def test_2_2_a_shorter_grace_period_of_the_tenant_is_passed_on(world: syncing.World) -> None:
    await created(world)
    world.host.change(PODS, *HOST, {"spec": {"nodeName": "node-1"}})
    await world.settle()
    for seconds in (20, 3):
        mark = {"deletionTimestamp": "2026-01-01T00:00:20Z", "deletionGracePeriodSeconds": seconds}
        world.virtual.change(PODS, *KEY, {"metadata": mark})
        await world.settle()
    assert [one["gracePeriodSeconds"] for one in deletions(world.host)] == [20, 3]


@pytest.mark.parametrize("field", ["status", "metadata"])
async def test_2_2_a_pod_that_ran_or_is_going_is_not_made_on_the_host(world: syncing.World, field: str) -> None:
    pod = syncing.pod()
    if field == "status":
        pod["status"] = {"startTime": "2026-01-01T00:00:00Z"}
    else:
        pod["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x/y"]}
    world.virtual.put(PODS, pod)
    await world.settle()
    assert world.host.names(PODS) == []


async def test_2_2_a_host_pod_without_virtual_pod_goes(world: syncing.World) -> None:
    await created(world)
    world.virtual.is_deaf = True
    world.virtual.drop(PODS, *KEY)
    world.virtual.is_deaf = False
    world.restart()
    await world.settle()
    # the restarted syncer has never seen the virtual pod: all its marks are there
    assert world.host.names(PODS) == []
    assert world.virtual.names(EVENTS) == []


@pytest.mark.parametrize(
    ("config", "policy", "told"),
    [
        ("controlPlane: {coredns: {enabled: false}}", "ClusterFirst", True),
        ("controlPlane: {coredns: {enabled: false}}", "Default", False),
        # its Service is on the way
        ("", "ClusterFirst", False),
    ],
)
async def test_2_2_without_a_name_server_the_tenant_is_told_what_the_pod_waits_for(
    config: str, policy: str, told: bool
) -> None:
    world = syncing.World(config)
    world.virtual.drop(SERVICES, "kube-system", "kube-dns")
    await world.settle()
    world.virtual.put(PODS, syncing.pod(dnsPolicy=policy))
    await world.settle()
    assert (world.host.get_now(PODS, *HOST) is not None) == (policy == "Default")
    said = [event for event in world.events() if event["involvedObject"]["kind"] == "Pod"]
    assert [event["reason"] for event in said] == ["SyncWarning"] * told
    assert all("Service kube-dns" in event["message"] for event in said)


async def test_2_2_a_pod_that_waits_for_a_name_server_starts_when_the_tenant_brings_one() -> None:
    world = syncing.World("controlPlane: {coredns: {enabled: false}}")
    world.virtual.drop(SERVICES, "kube-system", "kube-dns")
    await world.settle()
    world.virtual.put(PODS, syncing.pod())
    await world.settle()
    assert world.host.get_now(PODS, *HOST) is None
    world.virtual.put(SERVICES, syncing.service("kube-dns", "kube-system", clusterIP=syncing.DNS_IP))
    await world.settle()
    world.controller_of("pods").enqueue(KEY)
    await world.settle()
    assert world.host.there(PODS, *HOST)["spec"]["dnsConfig"]["nameservers"] == [syncing.DNS_IP]
