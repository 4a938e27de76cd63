"""Fake nodes (spec §2.4)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import NODES, PODS, SERVICES, Obj
from nestling.naming import labels
from nestling.naming.tenant import VirtualKey
from tests.support import syncing

HOST_POD = ("team-x", "web-x-default-x-my-vc")


@pytest.fixture
async def world() -> syncing.World:
    """A tenant's pod that the host has put onto a node."""
    world = syncing.World()
    world.virtual.put(PODS, syncing.pod())
    await world.settle()
    return world


async def schedule(world: syncing.World, node: str = "node-1.example") -> None:
    world.host.change(PODS, *HOST_POD, {"spec": {"nodeName": node}})
    await world.settle()


def the_node(world: syncing.World) -> Obj:
    return world.virtual.there(NODES, "", "node-1.example")


async def test_a_node_appears_when_a_pod_runs_there(world: syncing.World) -> None:
    assert world.virtual.names(NODES) == []
    await schedule(world)
    assert world.virtual.names(NODES) == ["node-1.example"]
    assert world.virtual.there(PODS, "default", "web")["spec"]["nodeName"] == "node-1.example"


async def test_a_node_looks_like_the_originals(world: syncing.World) -> None:
    await schedule(world)
    node = the_node(world)
    assert node["metadata"]["labels"][labels.FAKE_NODE] == "true"
    assert node["metadata"]["labels"]["kubernetes.io/hostname"] == "fake-node-1.example"
    assert node["metadata"]["annotations"] == {
        "node.alpha.kubernetes.io/ttl": "0",
        "volumes.kubernetes.io/controller-managed-attach-detach": "false",
    }
    status = node["status"]
    assert status["capacity"] == status["allocatable"]
    assert status["capacity"] == {"cpu": "16", "memory": "32Gi", "ephemeral-storage": "100Gi", "pods": "110"}
    assert {one["type"]: one["status"] for one in status["conditions"]} == {
        "MemoryPressure": "False",
        "DiskPressure": "False",
        "PIDPressure": "False",
        "Ready": "True",
    }
    assert (status["nodeInfo"]["kubeletVersion"], status["nodeInfo"]["osImage"]) == (
        "v1.36.3",
        "Fake Kubernetes Image",
    )
    assert status["daemonEndpoints"] == {"kubeletEndpoint": {"Port": 10250}}


async def test_its_address_is_a_service_on_the_host(world: syncing.World) -> None:
    await schedule(world)
    service = world.host.there(SERVICES, "team-x", "my-vc-node-node-1-example")
    assert service["metadata"]["labels"] == {labels.BELONGS_TO: "my-vc", labels.NODE: "node-1.example"}
    assert [owner["name"] for owner in service["metadata"]["ownerReferences"]] == ["my-vc"]
    assert service["spec"]["selector"] == {"app": "vcluster"}
    assert [(port["name"], port["port"]) for port in service["spec"]["ports"]] == [("kubelet", 10250)]
    assert the_node(world)["status"]["addresses"] == [
        {"type": "Hostname", "address": "node-1-example.nodes.vcluster.com"},
        {"type": "InternalIP", "address": service["spec"]["clusterIP"]},
        {"type": "ExternalDNS", "address": "127.0.0.1"},
    ]


@pytest.mark.parametrize(
    ("flags", "types"),
    [("byHostname: false", ["InternalIP", "ExternalDNS"]), ("byIP: false", ["Hostname", "ExternalDNS"])],
)
async def test_addresses_follow_the_configuration(flags: str, types: list[str]) -> None:
    world = syncing.World(f"networking: {{advanced: {{proxyKubelets: {{{flags}}}}}}}")
    world.virtual.put(PODS, syncing.pod())
    await world.settle()
    await schedule(world)
    assert [one["type"] for one in the_node(world)["status"]["addresses"]] == types


async def test_node_and_service_go_with_the_last_pod(world: syncing.World) -> None:
    await schedule(world)
    world.virtual.drop(PODS, "default", "web")
    world.host.drop(PODS, *HOST_POD)
    await world.settle()
    assert world.virtual.names(NODES) == []
    assert "my-vc-node-node-1-example" not in world.host.names(SERVICES)


async def test_a_pod_of_a_daemon_set_is_no_reason(world: syncing.World) -> None:
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "u", "controller": True}
    world.virtual.put(PODS, syncing.pod("agent-1", meta={"ownerReferences": [owner]}))
    await world.settle()
    world.host.change(PODS, "team-x", "agent-1-x-default-x-my-vc", {"spec": {"nodeName": "node-2"}})
    await world.settle()
    assert world.virtual.names(NODES) == []


async def test_a_tenant_cannot_lead_a_fake_node_elsewhere(world: syncing.World) -> None:
    await schedule(world)
    addresses = [{"type": "InternalIP", "address": "10.0.0.1"}]
    forged = {"addresses": addresses, "daemonEndpoints": {"kubeletEndpoint": {"Port": 443}}}
    world.virtual.change(NODES, "", "node-1.example", {"status": forged, "spec": {"taints": [{"key": "x"}]}})
    await world.settle()
    status = the_node(world)["status"]
    assert [one["type"] for one in status["addresses"]] == ["Hostname", "InternalIP", "ExternalDNS"]
    assert status["addresses"][1]["address"] != "10.0.0.1"
    assert status["daemonEndpoints"] == {"kubeletEndpoint": {"Port": 10250}}
    assert "taints" not in the_node(world)["spec"]


async def test_a_deleted_node_comes_back_while_pods_run_there(world: syncing.World) -> None:
    await schedule(world)
    world.virtual.drop(NODES, "", "node-1.example")
    await world.settle()
    assert world.virtual.names(NODES) == ["node-1.example"]


async def test_a_deleted_node_service_comes_back_and_its_address_is_shown(world: syncing.World) -> None:
    await schedule(world)
    world.host.drop(SERVICES, "team-x", "my-vc-node-node-1-example")
    await world.settle()
    service = world.host.there(SERVICES, "team-x", "my-vc-node-node-1-example")
    assert the_node(world)["status"]["addresses"][1]["address"] == service["spec"]["clusterIP"]


async def test_a_node_of_the_tenants_own_is_left_alone(world: syncing.World) -> None:
    own = world.virtual.put(NODES, syncing.obj("mine", "", spec={}, status={}))
    await world.settle()
    assert world.virtual.there(NODES, "", "mine") == own


async def test_service_name_without_an_ip_yet_is_waited_for(world: syncing.World) -> None:
    world.host.change(SERVICES, "team-x", "my-vc", {"spec": {"clusterIP": None}})
    await schedule(world)
    assert world.virtual.names(NODES) == []
    world.host.change(SERVICES, "team-x", "my-vc", {"spec": {"clusterIP": "10.96.0.7"}})
    world.controller_of("nodes").enqueue(VirtualKey("", "node-1.example"))
    await world.settle()
    assert world.virtual.names(NODES) == ["node-1.example"]


async def test_a_settled_node_is_not_written_again(world: syncing.World) -> None:
    await schedule(world)
    world.clock += 3600
    assert await world.again() == []
