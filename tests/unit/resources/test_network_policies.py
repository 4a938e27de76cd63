"""NetworkPolicies (spec §2.7)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import NETWORK_POLICIES, Obj
from nestling.naming import labels
from tests.support import syncing

HOST = ("team-x", "web-x-default-x-my-vc")
MINE = {labels.MANAGED_BY: "my-vc"}
MARKS = {**MINE, labels.NAMESPACE: "default"}


@pytest.fixture
def world() -> syncing.World:
    return syncing.World("sync: {toHost: {networkPolicies: {enabled: true}}}")


async def translated(world: syncing.World, **spec: object) -> Obj:
    world.virtual.put(NETWORK_POLICIES, syncing.obj("web", spec={"podSelector": {}, **spec}))
    await world.settle()
    assert await world.again() == []
    found: Obj = world.host.there(NETWORK_POLICIES, *HOST)["spec"]
    return found


async def test_the_pods_that_it_is_about(world: syncing.World) -> None:
    spec = await translated(world, podSelector={"matchLabels": {"app": "web"}}, policyTypes=["Ingress"])
    assert spec == {"podSelector": {"matchLabels": {"app": "web", **MARKS}}, "policyTypes": ["Ingress"]}


async def test_peers_are_pods_of_this_tenant_or_addresses(world: syncing.World) -> None:
    block = {"ipBlock": {"cidr": "192.0.2.0/24"}}
    own: Obj = {"podSelector": {"matchLabels": {"app": "db"}}}
    all_namespaces: Obj = {"namespaceSelector": {}}
    team = {"namespaceSelector": {"matchLabels": {"team": "a"}}, "podSelector": {"matchLabels": {"app": "db"}}}
    ports = [{"port": 5432, "protocol": "TCP"}]
    spec = await translated(
        world,
        ingress=[{"from": [block, own]}, {"ports": ports}],
        egress=[{"to": [all_namespaces, team], "ports": ports}],
    )
    assert spec["ingress"] == [
        {"from": [block, {"podSelector": {"matchLabels": {"app": "db", **MARKS}}}]},
        {"ports": ports},
    ]
    everywhere, in_team = spec["egress"][0]["to"]
    assert everywhere == {"podSelector": {"matchLabels": MINE}}
    assert in_team["podSelector"]["matchLabels"] == {"app": "db", **MINE}
    (requirement,) = in_team["podSelector"]["matchExpressions"]
    assert (requirement["operator"], requirement["values"]) == ("In", ["a"])
    assert all("namespaceSelector" not in peer for peer in spec["egress"][0]["to"])
    assert spec["egress"][0]["ports"] == ports


async def test_attack_a_peer_of_another_tenant_cannot_be_named(world: syncing.World) -> None:
    sneaky = {"podSelector": {"matchLabels": {labels.MANAGED_BY: "other", labels.NAMESPACE: "kube-system"}}}
    spec = await translated(world, ingress=[{"from": [sneaky]}])
    (peer,) = spec["ingress"][0]["from"]
    assert MARKS.items() <= peer["podSelector"]["matchLabels"].items()


async def test_changes_go_down(world: syncing.World) -> None:
    await translated(world, ingress=[{"from": [{"podSelector": {}}]}])
    world.virtual.change(NETWORK_POLICIES, "default", "web", {"spec": {"ingress": None, "policyTypes": ["Egress"]}})
    await world.settle()
    assert world.host.there(NETWORK_POLICIES, *HOST)["spec"] == {
        "podSelector": {"matchLabels": MARKS},
        "policyTypes": ["Egress"],
    }
