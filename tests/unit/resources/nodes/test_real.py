"""Nodes of the host as they are (spec §2.4)."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.kube.resource import NODES, PODS, SERVICES, Obj
from nestling.naming import labels
from tests.support import syncing

ALL = "sync: {fromHost: {nodes: {enabled: true, selector: {all: true}}}}"
TAINT = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}


def host_node(name: str = "n1", *, spec: Obj | None = None, **meta: Any) -> Obj:
    status = {
        "addresses": [
            {"type": "InternalIP", "address": "192.0.2.1"},
            {"type": "Hostname", "address": name},
            {"type": "ExternalDNS", "address": "node.example"},
            {"type": "ExternalIP", "address": "198.51.100.1"},
        ],
        "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
        "capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"},
        "conditions": [{"type": "Ready", "status": "True"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10255}},
        "images": [{"names": ["of-another-tenant"]}],
        "volumesInUse": ["volume-of-another-tenant"],
        "volumesAttached": [{"name": "volume-of-another-tenant", "devicePath": ""}],
    }
    return syncing.obj(name, "", spec=spec or {"podCIDR": "10.0.0.0/24"}, status=status, **meta)


@pytest.fixture
async def world() -> syncing.World:
    world = syncing.World(ALL)
    world.host.put(NODES, host_node(labels={"zone": "a"}, annotations={"note": "n"}))
    await world.settle()
    return world


def seen(world: syncing.World, name: str = "n1") -> Obj:
    return world.virtual.there(NODES, "", name)


async def test_a_node_is_shown_as_it_is(world: syncing.World) -> None:
    node = seen(world)
    assert node["metadata"]["labels"] == {"zone": "a", labels.MANAGED_BY: "my-vc"}
    assert node["metadata"]["annotations"]["note"] == "n"
    assert (node["spec"], node["status"]["capacity"]["cpu"]) == ({"podCIDR": "10.0.0.0/24"}, "4")
    assert node["status"]["images"]
    assert await world.again() == []


async def test_its_addresses_lead_to_the_facade(world: syncing.World) -> None:
    service = world.host.there(SERVICES, "team-x", "my-vc-node-n1")
    assert seen(world)["status"]["addresses"] == [
        {"type": "Hostname", "address": "n1.nodes.vcluster.com"},
        {"type": "InternalIP", "address": service["spec"]["clusterIP"]},
        {"type": "ExternalDNS", "address": "127.0.0.1"},
        {"type": "ExternalIP", "address": "198.51.100.1"},
    ]
    assert seen(world)["status"]["daemonEndpoints"] == {"kubeletEndpoint": {"Port": 10250}}


async def test_the_api_server_asks_the_facade_even_without_stand_in_addresses() -> None:
    world = syncing.World(ALL + "\nnetworking: {advanced: {proxyKubelets: {byHostname: false, byIP: false}}}")
    world.host.put(NODES, host_node())
    await world.settle()
    by_type = {one["type"]: one["address"] for one in seen(world)["status"]["addresses"]}
    assert (by_type["ExternalDNS"], by_type["InternalIP"]) == ("127.0.0.1", "192.0.2.1")


async def test_a_tenant_cannot_lead_a_node_elsewhere(world: syncing.World) -> None:
    before = seen(world)["status"]
    forged = {"addresses": [{"type": "ExternalDNS", "address": "evil.example"}], "daemonEndpoints": {}}
    world.virtual.change(NODES, "", "n1", {"status": forged})
    await world.settle()
    assert seen(world)["status"] == before


async def test_volumes_of_others_are_not_shown_and_images_on_request(world: syncing.World) -> None:
    assert "another-tenant" not in str({**seen(world)["status"], "images": []})
    hidden = syncing.World(ALL.replace("enabled: true", "enabled: true, clearImageStatus: true"))
    hidden.host.put(NODES, host_node())
    await hidden.settle()
    assert "another-tenant" not in str(seen(hidden))


async def test_what_the_tenant_adds_stays_and_what_it_changes_is_put_right(world: syncing.World) -> None:
    own = {"key": "mine", "effect": "NoSchedule"}
    world.virtual.change(
        NODES,
        "",
        "n1",
        {"metadata": {"labels": {"zone": "b", "own": "1"}, "annotations": {"own": "1"}}, "spec": {"taints": [own]}},
    )
    world.host.change(NODES, "", "n1", {"spec": {"unschedulable": True}})
    await world.settle()
    node = seen(world)
    assert (node["metadata"]["labels"]["zone"], node["metadata"]["labels"]["own"]) == ("a", "1")
    assert node["metadata"]["annotations"]["own"] == "1"
    assert (node["spec"]["taints"], node["spec"]["unschedulable"]) == ([own], True)
    assert "own" not in str(world.host.there(NODES, "", "n1"))


async def test_what_the_host_takes_away_goes(world: syncing.World) -> None:
    world.host.change(NODES, "", "n1", {"spec": {"taints": [TAINT]}})
    await world.settle()
    assert seen(world)["spec"]["taints"] == [TAINT]
    gone = {"labels": {"zone": None}, "annotations": {"note": None}}
    world.host.change(NODES, "", "n1", {"metadata": gone, "spec": {"taints": None}})
    await world.settle()
    node = seen(world)
    assert "zone" not in node["metadata"]["labels"]
    assert "note" not in node["metadata"]["annotations"]
    assert "taints" not in node["spec"]


async def test_taints_of_conditions_are_the_hosts(world: syncing.World) -> None:
    """The virtual API server puts one on each new node, and nobody there would take it off."""
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    world.virtual.change(NODES, "", "n1", {"spec": {"taints": [taint]}})
    await world.settle()
    assert "taints" not in seen(world)["spec"]


UNREACHABLE = [{"key": "node.kubernetes.io/unreachable", "effect": effect} for effect in ("NoSchedule", "NoExecute")]


@pytest.mark.parametrize(
    ("tolerated", "since"),
    [("[]", "2026-01-01T00:00:00Z"), ('["node.kubernetes.io/unreachable"]', "2026-01-01T00:07:00Z")],
    ids=["shown as the host has them", "tolerated by all pods: left as they are"],
)
@pytest.mark.parametrize("first", ["the host", "the virtual cluster"])
async def test_14_both_sides_taint_a_node_that_cannot_be_reached_and_nobody_fights(
    tolerated: str, since: str, first: str
) -> None:
    """The controllers of the host and, beside a virtual scheduler, those of the virtual cluster; each at its time."""
    of_host = [{**one, "timeAdded": "2026-01-01T00:00:00Z"} for one in UNREACHABLE]
    of_tenant = [{**one, "timeAdded": "2026-01-01T00:07:00Z"} for one in UNREACHABLE]
    world = syncing.World(ALL.replace("sync: {", f"sync: {{toHost: {{pods: {{enforceTolerations: {tolerated}}}}}, "))
    world.host.put(NODES, host_node(spec={"taints": of_host} if first == "the host" else {}))
    await world.settle()
    if first == "the host":
        # they are found missing or put beside the host's own, and then added once more
        seen_before = seen(world)["spec"].get("taints") or []
        missing = [one for one in of_tenant if one["effect"] not in {old["effect"] for old in seen_before}]
        world.virtual.change(NODES, "", "n1", {"spec": {"taints": [*seen_before, *missing]}})
    else:
        world.host.change(NODES, "", "n1", {"spec": {"taints": of_host}})
        world.virtual.change(NODES, "", "n1", {"spec": {"taints": of_tenant}})
    await world.settle()
    assert seen(world)["spec"]["taints"] == [{**one, "timeAdded": since} for one in UNREACHABLE]
    assert await world.again() == []
    world.host.change(NODES, "", "n1", {"spec": {"taints": None}})
    await world.settle()
    assert "taints" not in seen(world)["spec"]


@pytest.mark.parametrize("notes", ["no json", '{"a": 1}', "[1]", '[{"effect": "x"}]'])
async def test_notes_that_a_tenant_has_forged_do_no_harm(world: syncing.World, notes: str) -> None:
    world.virtual.change(NODES, "", "n1", {"metadata": {"annotations": {labels.ORIGINAL_TAINTS: notes}}})
    await world.settle()
    assert seen(world)["metadata"]["annotations"][labels.ORIGINAL_TAINTS] == "[]"


async def test_a_taint_that_all_pods_tolerate_is_not_shown() -> None:
    world = syncing.World(ALL.replace("sync: {", 'sync: {toHost: {pods: {enforceTolerations: ["dedicated=gpu"]}}, '))
    other = {"key": "other", "effect": "NoExecute"}
    world.host.put(NODES, host_node(spec={"taints": [TAINT, other]}))
    await world.settle()
    assert seen(world)["spec"]["taints"] == [other]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [("{all: true}", ["n1", "n2"]), ("{labels: {pool: tenants}}", ["n2"]), ("{}", ["n3"])],
)
async def test_which_nodes_are_shown(selector: str, expected: list[str]) -> None:
    world = syncing.World(f"sync: {{fromHost: {{nodes: {{enabled: true, selector: {selector}}}}}}}")
    world.host.put(NODES, host_node("n1"))
    world.host.put(NODES, host_node("n2", labels={"pool": "tenants"}))
    if selector == "{}":
        world.host.put(NODES, host_node("n3"))
        world.virtual.put(PODS, syncing.pod())
        await world.settle()
        world.host.change(PODS, "team-x", "web-x-default-x-my-vc", {"spec": {"nodeName": "n3"}})
    await world.settle()
    assert world.virtual.names(NODES) == expected


async def test_a_node_that_no_longer_fits_goes_with_its_service() -> None:
    world = syncing.World("sync: {fromHost: {nodes: {enabled: true, selector: {labels: {pool: tenants}}}}}")
    world.host.put(NODES, host_node(labels={"pool": "tenants"}))
    await world.settle()
    world.host.change(NODES, "", "n1", {"metadata": {"labels": {"pool": "other"}}})
    await world.settle()
    assert world.virtual.names(NODES) == []
    assert "my-vc-node-n1" not in world.host.names(SERVICES)


async def test_a_node_that_the_host_lost_goes_also_while_nobody_was_looking(world: syncing.World) -> None:
    world.host.is_deaf = True
    world.host.drop(NODES, "", "n1")
    world.host.is_deaf = False
    world.restart()
    await world.settle()
    assert world.virtual.names(NODES) == []


async def test_a_deleted_node_comes_back(world: syncing.World) -> None:
    world.virtual.drop(NODES, "", "n1")
    await world.settle()
    assert world.virtual.names(NODES) == ["n1"]


async def test_a_node_of_the_tenants_own_is_left_alone(world: syncing.World) -> None:
    own = world.virtual.put(NODES, syncing.obj("mine", "", spec={}, status={}))
    await world.settle()
    assert seen(world, "mine") == own


async def test_a_fake_node_becomes_a_real_one_and_back() -> None:
    fake = syncing.World("sync: {fromHost: {nodes: {enabled: false}}}")
    fake.virtual.put(PODS, syncing.pod())
    await fake.settle()
    fake.host.change(PODS, "team-x", "web-x-default-x-my-vc", {"spec": {"nodeName": "n1"}})
    await fake.settle()
    fake.host.put(NODES, host_node(labels={"zone": "a"}))
    real = syncing.World(ALL, host=fake.host, is_furnished=False)
    real.virtual.put(NODES, seen(fake))
    fake.host.list_all()
    await real.settle()
    assert labels.FAKE_NODE not in seen(real)["metadata"]["labels"]
    assert seen(real)["status"]["capacity"]["cpu"] == "4"
    again = syncing.World("", host=fake.host, is_furnished=False)
    again.virtual.put(NODES, seen(real))
    fake.host.list_all()
    await again.settle()
    assert seen(again)["metadata"]["labels"][labels.FAKE_NODE] == "true"
    assert seen(again)["status"]["capacity"]["cpu"] == "16"


async def test_pods_stay_on_the_chosen_nodes() -> None:
    world = syncing.World("sync: {fromHost: {nodes: {enabled: true, selector: {labels: {pool: tenants}}}}}")
    world.virtual.put(PODS, syncing.pod("free"))
    world.virtual.put(PODS, syncing.pod("asks", nodeName="n1"))
    await world.settle()
    free = world.host.there(PODS, "team-x", "free-x-default-x-my-vc")
    assert free["spec"]["nodeSelector"] == {"pool": "tenants"}
    assert world.host.names(PODS) == ["free-x-default-x-my-vc"]
    assert "Given nodeName n1 does not exist" in world.events()[0]["message"]
    world.host.put(NODES, host_node(labels={"pool": "tenants"}))
    await world.settle()
    assert "asks-x-default-x-my-vc" in world.host.names(PODS)
