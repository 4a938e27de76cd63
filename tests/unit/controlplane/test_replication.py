"""Replicated Services as pure functions (spec §3.3)."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.controlplane import replication
from nestling.controlplane.replication import Direction, Place, Replica
from nestling.kube.resource import Obj
from nestling.naming import labels
from nestling.naming.tenant import Tenant
from tests.unit.controlplane import samples

TENANT = Tenant("my-vc", "team-x")
UP = Replica(Direction.FROM_HOST, Place("data", "pg"), Place("shop", "db"))
DOWN = Replica(Direction.TO_HOST, Place("shop", "web"), Place("team-x", "web"))
PORT = {"name": "pg", "port": 5432, "targetPort": 15432, "protocol": "TCP", "nodePort": 30123, "appProtocol": "pg"}


def service(**spec: Any) -> Obj:
    return {"metadata": {"name": "x"}, "spec": {"clusterIP": "10.96.0.5", "ports": [PORT], **spec}}


def behind(**subset: Any) -> Obj:
    return {"metadata": {"name": "x"}, "subsets": [{"ports": [{"port": 1}], **subset}]}


def test_what_the_configuration_asks_for() -> None:
    values = """
networking:
  replicateServices:
    toHost: [{from: shop/web, to: web}]
    fromHost: [{from: data/pg, to: shop/db}, {from: cache, to: shop/cache}]
"""
    beside = Replica(Direction.FROM_HOST, Place("team-x", "cache"), Place("shop", "cache"))
    assert replication.replicas(samples.config(values), TENANT) == (DOWN, UP, beside)


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort", "LoadBalancer"])
def test_a_service_of_the_host_is_its_address_above(kind: str) -> None:
    source = service(type=kind, clusterIPs=["10.96.0.5", "fd00::5"], selector={"app": "pg"})
    source["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    made = replication.service(UP, source, TENANT)
    assert (made["spec"]["clusterIP"], made["spec"]["selector"]) == ("None", None)
    # an API server takes addresses of load balancers only
    assert (made["spec"].get("type", "ClusterIP"), "status" in made) == ("ClusterIP", False)
    (port,) = made["spec"]["ports"]
    assert port == {"name": "pg", "port": 5432, "targetPort": 5432, "protocol": "TCP", "appProtocol": "pg"}
    endpoints = replication.endpoints(UP, source, behind(addresses=[{"ip": "10.244.0.9"}]))
    assert endpoints is not None
    (subset,) = endpoints["subsets"]
    assert subset["addresses"] == [{"ip": "10.96.0.5"}, {"ip": "fd00::5"}]
    assert subset["ports"] == [{"name": "pg", "port": 5432, "protocol": "TCP", "appProtocol": "pg"}]


def test_a_headless_service_of_the_host_is_its_pods_without_their_names() -> None:
    pod = {"ip": "10.244.0.9", "hostname": "pg-0", "nodeName": "n", "targetRef": {"kind": "Pod", "name": "pg-0"}}
    source = service(clusterIP="None", clusterIPs=["None"])
    endpoints = replication.endpoints(UP, source, behind(addresses=[pod], notReadyAddresses=[{"ip": "10.244.0.8"}]))
    assert endpoints is not None
    assert endpoints["subsets"] == [
        {
            "ports": [{"port": 1}],
            "addresses": [{"ip": "10.244.0.9", "hostname": "pg-0"}],
            "notReadyAddresses": [{"ip": "10.244.0.8"}],
        }
    ]
    assert replication.service(UP, source, TENANT)["spec"]["ports"][0]["targetPort"] == 15432


@pytest.mark.parametrize("replica", [UP, DOWN])
def test_a_service_that_is_another_name_stays_one(replica: Replica) -> None:
    source = service(type="ExternalName", externalName="db.example", clusterIP=None)
    spec = replication.service(replica, source, TENANT)["spec"]
    assert (spec["type"], spec["externalName"], spec["selector"]) == ("ExternalName", "db.example", None)
    assert replication.endpoints(replica, source, None) is None


def test_a_service_without_address_yet_leads_nowhere() -> None:
    endpoints = replication.endpoints(UP, service(clusterIP=""), None)
    assert endpoints is not None
    assert endpoints["subsets"] == []


def test_a_tenants_service_selects_his_own_pods_on_the_host() -> None:
    source = service(selector={"app": "web", labels.MANAGED_BY: "other"}, externalIPs=["192.0.2.1"])
    made = replication.service(DOWN, source, TENANT, owner_uid="u")
    marks = {labels.MANAGED_BY: "my-vc", labels.NAMESPACE: "shop"}
    assert made["spec"]["selector"] == {"app": "web", labels.label_key_to_host(labels.MANAGED_BY, TENANT): "other"} | (
        marks
    )
    assert "externalIPs" not in made["spec"]
    assert "nodePort" not in made["spec"]["ports"][0]
    assert made["spec"]["ports"][0]["targetPort"] == 15432
    assert made["metadata"]["labels"] == {labels.CONTROLLED_BY: "vcluster"}
    assert made["metadata"]["ownerReferences"][0]["uid"] == "u"
    assert replication.endpoints(DOWN, source, None) is None


def test_a_tenants_service_without_selector_brings_its_endpoints() -> None:
    endpoints = replication.endpoints(DOWN, service(), behind(addresses=[{"ip": "192.0.2.9"}]))
    assert endpoints is not None
    assert endpoints["subsets"][0]["addresses"] == [{"ip": "192.0.2.9"}]


def test_only_what_is_certainly_ours_is_left_over() -> None:
    made = replication.service(UP, service(), TENANT)
    changed = {**made, "metadata": {**made["metadata"], "annotations": {replication.SOURCE: "data/other"}}}
    unmarked = {**made, "metadata": {**made["metadata"], "labels": {}}}
    of_vcluster = {**made, "metadata": {**made["metadata"], "annotations": {}}}
    assert replication.leftovers([made, unmarked, of_vcluster], [UP]) == []
    assert replication.leftovers([made, unmarked, of_vcluster, changed], []) == [made, changed]
    assert replication.leftovers([changed], [UP]) == [changed]
    assert replication.stands_for(made, UP)
    assert not any(replication.stands_for(one, UP) for one in (unmarked, of_vcluster, changed))


def test_a_settled_replica_needs_no_change() -> None:
    for replica, source in ((UP, service()), (DOWN, service(selector={"app": "web"}))):
        made = replication.service(replica, source, TENANT)
        there = {**made, "spec": {key: value for key, value in made["spec"].items() if value is not None}}
        there["spec"] |= {"clusterIPs": ["x"], "sessionAffinity": "None"}
        assert replication.change(there, made) == {}


def test_a_change_is_the_difference() -> None:
    made = replication.service(DOWN, service(selector={"app": "new"}), TENANT)
    there = replication.service(DOWN, service(selector={"app": "old", "tier": "x"}), TENANT)
    assert replication.change(there, made) == {"spec": {"selector": {"app": "new", "tier": None}}}


def test_endpoints_differ_by_what_they_say_not_by_how_they_are_packed() -> None:
    ports = [{"name": "a", "port": 1, "protocol": "TCP"}]
    one = {"metadata": {}, "subsets": [{"addresses": [{"ip": "1"}, {"ip": "2"}], "ports": ports}]}
    two = {
        "metadata": {},
        "subsets": [{"addresses": [{"ip": "2"}], "ports": ports}, {"addresses": [{"ip": "1"}], "ports": ports}],
    }
    less = {"metadata": {}, "subsets": [{"addresses": [{"ip": "2"}], "ports": ports}]}
    assert replication.change(one, two) == {}
    assert replication.change(one, less) == {"subsets": less["subsets"]}
    assert replication.change(one, {"metadata": {}, "subsets": []}) == {"subsets": None}


@pytest.mark.parametrize(
    ("before", "after", "is_new"),
    [
        ({"clusterIP": "None"}, {"clusterIP": "10.96.0.5"}, True),
        ({"clusterIP": "10.96.0.5"}, {"type": "ExternalName", "clusterIP": None}, True),
        ({"clusterIP": "10.96.0.5"}, {"type": "NodePort"}, False),
    ],
)
def test_what_cannot_be_changed_is_made_anew(before: Obj, after: Obj, is_new: bool) -> None:
    there = replication.service(DOWN, service(**before), TENANT)
    assert replication.must_recreate(there, replication.service(DOWN, service(**after), TENANT)) is is_new
