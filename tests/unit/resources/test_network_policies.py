"""NetworkPolicies (spec §2.7)."""

from __future__ import annotations

import pytest

from nestling.controlplane import dns_objects
from nestling.kube.resource import NETWORK_POLICIES, PODS, Obj
from nestling.naming import labels, selectors
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


NAMES = {"matchLabels": {"k8s-app": "vcluster-kube-dns", **MINE, labels.NAMESPACE: "kube-system"}}
BY_UDP = [{"port": 1053, "protocol": "UDP"}]
DNS_POD = {"podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
DNS_NAMESPACE: Obj = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
ASK = {"port": 53, "protocol": "UDP"}


@pytest.mark.parametrize(
    ("rule", "ports"),
    [
        ({"to": [{**DNS_NAMESPACE, **DNS_POD}], "ports": [ASK]}, BY_UDP),
        ({"to": [DNS_NAMESPACE], "ports": [ASK]}, BY_UDP),
        ({"to": [{"namespaceSelector": {}, **DNS_POD}], "ports": [ASK]}, BY_UDP),
        ({"ports": [ASK]}, BY_UDP),
        (
            {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 1, "endPort": 99, "protocol": "UDP"}]},
            BY_UDP,
        ),
        ({"to": [{**DNS_NAMESPACE, **DNS_POD}]}, [{"port": 1053, "protocol": "TCP"}, *BY_UDP]),
        ({"to": [{**DNS_NAMESPACE, **DNS_POD}], "ports": [{"protocol": "UDP"}]}, BY_UDP),
    ],
    ids=["as in the manual", "namespace", "all namespaces", "all peers", "all addresses", "all ports", "all of UDP"],
)
async def test_24_pods_that_may_ask_for_names_elsewhere_may_here(
    world: syncing.World, rule: Obj, ports: list[Obj]
) -> None:
    spec = await translated(world, egress=[rule], policyTypes=["Egress"])
    assert len(spec["egress"]) == 2
    assert spec["egress"][1] == {"ports": ports, "to": [{"podSelector": NAMES}]}


async def test_24_the_rule_for_names_selects_the_pods_of_coredns_on_the_host(world: syncing.World) -> None:
    around = dns_objects.Around(minor=36)
    template = dns_objects.deployment(world.config, around)["spec"]["template"]
    world.virtual.put(PODS, syncing.pod("coredns-1", "kube-system", labels=template["metadata"]["labels"]))
    spec = await translated(world, egress=[{"ports": [ASK]}])
    pod = world.host.there(PODS, "team-x", "coredns-1-x-kube-system-x-my-vc")
    (peer,) = spec["egress"][1]["to"]
    assert selectors.matches(peer["podSelector"], pod["metadata"]["labels"])
    (port,) = spec["egress"][1]["ports"]
    (container,) = template["spec"]["containers"]
    assert port["port"] in [one["containerPort"] for one in container["ports"]]


async def test_24_the_embedded_name_server_is_in_the_control_plane() -> None:
    world = syncing.World(
        "sync: {toHost: {networkPolicies: {enabled: true}}}\ncontrolPlane: {coredns: {embedded: true}}"
    )
    spec = await translated(world, egress=[{"ports": [ASK]}])
    assert spec["egress"][1]["to"] == [{"podSelector": {"matchLabels": {"app": "vcluster", "release": "my-vc"}}}]


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"ports": [{"port": 5432, "protocol": "TCP"}]},
        {"to": [DNS_POD], "ports": [ASK]},
        {"to": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}], "ports": [ASK]},
        {"to": [{**DNS_NAMESPACE, "podSelector": {"matchLabels": {"app": "x"}}}], "ports": [ASK]},
        {"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [ASK]},
    ],
    ids=["everything", "another port", "own namespace", "another namespace", "other pods", "some addresses"],
)
async def test_24_no_way_is_opened_that_the_tenant_did_not_open(world: syncing.World, rule: Obj) -> None:
    assert len((await translated(world, egress=[rule]))["egress"]) == 1


async def test_changes_go_down(world: syncing.World) -> None:
    await translated(world, ingress=[{"from": [{"podSelector": {}}]}])
    world.virtual.change(NETWORK_POLICIES, "default", "web", {"spec": {"ingress": None, "policyTypes": ["Egress"]}})
    await world.settle()
    assert world.host.there(NETWORK_POLICIES, *HOST)["spec"] == {
        "podSelector": {"matchLabels": MARKS},
        "policyTypes": ["Egress"],
    }
