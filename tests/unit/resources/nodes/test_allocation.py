"""What a scheduler of the virtual cluster sees of a node (spec §2.4)."""

from __future__ import annotations

import decimal

import pytest

from nestling.kube.resource import NODES, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, Obj
from nestling.naming import labels
from nestling.resources.nodes import allocation
from tests.support import syncing
from tests.unit.resources.nodes.test_real import host_node

CONFIG = """
sync: {fromHost: {nodes: {enabled: true}}}
controlPlane: {advanced: {virtualScheduler: {enabled: true}}}
"""
HOST_POD = ("team-x", "web-x-default-x-my-vc")


def asking(cpu: str, **spec: object) -> Obj:
    return {"containers": [{"name": "a", "resources": {"requests": {"cpu": cpu}}}], **spec}


@pytest.fixture
async def world() -> syncing.World:
    world = syncing.World(CONFIG)
    world.host.put(NODES, host_node())
    await world.settle()
    return world


def left(world: syncing.World) -> dict[str, str]:
    found: dict[str, str] = world.virtual.there(NODES, "", "n1")["status"]["allocatable"]
    return found


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        ({"containers": [{}, {"resources": {"requests": {"cpu": "100m"}}}]}, "0.1"),
        (asking("1", initContainers=[{"resources": {"requests": {"cpu": "3"}}}]), "3"),
        (asking("1", initContainers=[{"resources": {"requests": {"cpu": "1"}}, "restartPolicy": "Always"}]), "2"),
        (
            asking(
                "1",
                initContainers=[
                    {"resources": {"requests": {"cpu": "1"}}, "restartPolicy": "Always"},
                    {"resources": {"requests": {"cpu": "2"}}},
                ],
            ),
            "3",
        ),
        (asking("1", overhead={"cpu": "250m"}), "1.25"),
        (asking("1", resources={"requests": {"cpu": "2"}}), "2"),
    ],
)
def test_what_a_pod_requests(spec: Obj, cpu: str) -> None:
    found = allocation.requests({"spec": spec})
    assert (found["cpu"], found["pods"]) == (decimal.Decimal(cpu), decimal.Decimal(1))


async def test_pods_of_others_take_room(world: syncing.World) -> None:
    assert left(world) == {"cpu": "4", "memory": "8Gi", "pods": "110"}
    world.host.put(PODS, syncing.obj("db", "elsewhere", spec=asking("1500m", nodeName="n1")))
    await world.settle()
    assert left(world) == {"cpu": "2500m", "memory": "8Gi", "pods": "109"}
    world.host.change(PODS, "elsewhere", "db", {"status": {"phase": "Succeeded"}})
    await world.settle()
    assert left(world)["cpu"] == "4"


async def test_the_tenants_own_pods_take_none_and_those_of_its_names_do(world: syncing.World) -> None:
    """The scheduler counts the own ones itself; a mark alone does not make a pod of another namespace one."""
    marks = {labels.MANAGED_BY: "my-vc"}
    world.host.put(PODS, syncing.obj("own", "team-x", labels=marks, spec=asking("1", nodeName="n1")))
    await world.settle()
    assert left(world)["cpu"] == "4"
    world.host.put(PODS, syncing.obj("my-vc-0", "team-x", spec=asking("1", nodeName="n1")))
    await world.settle()
    assert left(world)["cpu"] == "3"
    world.host.put(PODS, syncing.obj("other", "team-y", labels=marks, spec=asking("9", nodeName="n1")))
    await world.settle()
    assert left(world)["cpu"] == "0"


async def test_a_pod_goes_to_the_host_once_it_is_bound(world: syncing.World) -> None:
    world.virtual.put(PODS, syncing.pod(nodeSelector={"zone": "a"}, affinity={"nodeAffinity": {}}))
    await world.settle()
    assert world.host.names(PODS) == []
    world.virtual.change(PODS, "default", "web", {"spec": {"nodeName": "n1"}})
    await world.settle()
    spec = world.host.there(PODS, *HOST_POD)["spec"]
    assert (spec["nodeName"], "nodeSelector" in spec, "affinity" in spec) == ("n1", False, False)
    assert await world.again() == []


async def test_the_chosen_node_reaches_the_claim_and_comes_back_when_it_was_none(world: syncing.World) -> None:
    chosen = "volume.kubernetes.io/selected-node"
    world.virtual.put(PERSISTENT_VOLUME_CLAIMS, syncing.claim())
    await world.settle()
    below = ("team-x", "data-x-default-x-my-vc")
    world.virtual.change(PERSISTENT_VOLUME_CLAIMS, "default", "data", {"metadata": {"annotations": {chosen: "n9"}}})
    await world.settle()
    assert chosen not in world.host.there(PERSISTENT_VOLUME_CLAIMS, *below)["metadata"]["annotations"]
    world.virtual.change(PERSISTENT_VOLUME_CLAIMS, "default", "data", {"metadata": {"annotations": {chosen: "n1"}}})
    await world.settle()
    assert world.host.there(PERSISTENT_VOLUME_CLAIMS, *below)["metadata"]["annotations"][chosen] == "n1"
    assert await world.again() == []
    world.host.change(PERSISTENT_VOLUME_CLAIMS, *below, {"metadata": {"annotations": {chosen: None}}})
    await world.settle()
    claim = world.virtual.there(PERSISTENT_VOLUME_CLAIMS, "default", "data")
    assert chosen not in (claim["metadata"].get("annotations") or {})
    assert chosen not in world.host.there(PERSISTENT_VOLUME_CLAIMS, *below)["metadata"]["annotations"]


def volume(claim: str) -> Obj:
    return syncing.obj(
        "pv-1",
        "",
        spec={"nodeAffinity": {"required": {"n": 1}}, "claimRef": {"namespace": "team-x", "name": claim}},
    )


@pytest.mark.parametrize(("claim", "shown"), [("data-x-default-x-my-vc", True), ("other-x-default-x-my-vc", False)])
async def test_a_volume_says_where_it_can_be_reached(world: syncing.World, claim: str, *, shown: bool) -> None:
    world.virtual.put(PERSISTENT_VOLUME_CLAIMS, syncing.claim())
    await world.settle()
    bound = {"spec": {"volumeName": "pv-1"}, "status": {"phase": "Bound"}}
    world.host.change(PERSISTENT_VOLUME_CLAIMS, "team-x", "data-x-default-x-my-vc", bound)
    await world.settle()
    assert world.virtual.names(PERSISTENT_VOLUMES) == []
    world.host.put(PERSISTENT_VOLUMES, volume(claim))
    await world.settle()
    spec = world.virtual.there(PERSISTENT_VOLUMES, "", "pv-1")["spec"]
    assert ("nodeAffinity" in spec) is shown
    assert await world.again() == []


def test_without_a_scheduler_nothing_of_the_whole_host_is_watched() -> None:
    plain = syncing.World("sync: {fromHost: {nodes: {enabled: true}}}")
    stores = plain.manager.context.host.stores
    assert allocation.EVERYBODYS not in stores
    assert PERSISTENT_VOLUMES not in stores
    assert not any("pods" in rule.resources for rule in plain.spec("nodesfromhost").more_host_rules(plain.config))
