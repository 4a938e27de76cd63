"""Services (spec §2.3)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nestling.kube import errors, requests
from nestling.kube.resource import SERVICES, Obj
from nestling.naming import labels
from nestling.syncer import replacement
from tests.support import fake_side, syncing

HOST = ("team-x", "web-x-default-x-my-vc")


@pytest.fixture
def world() -> syncing.World:
    return syncing.World()


def there(world: syncing.World) -> tuple[Obj, Obj]:
    virtual = world.virtual.there(SERVICES, "default", "web")["spec"]
    return virtual, world.host.there(SERVICES, *HOST)["spec"]


async def synced(world: syncing.World, **spec: Any) -> tuple[Obj, Obj]:
    world.virtual.put(SERVICES, syncing.service("web", **{"clusterIP": "10.96.0.150", **spec}))
    await world.settle()
    return there(world)


async def test_the_host_gets_the_virtual_cluster_ip(world: syncing.World) -> None:
    virtual, host = await synced(world)
    assert virtual["clusterIP"] == host["clusterIP"] == "10.96.0.150"


async def test_the_selector_finds_pods_of_this_tenant_and_namespace_only(world: syncing.World) -> None:
    _, host = await synced(world, selector={"app": "web"})
    assert host["selector"] == {"app": "web", labels.MANAGED_BY: "my-vc", labels.NAMESPACE: "default"}


async def test_a_service_without_selector_stays_without(world: syncing.World) -> None:
    _, host = await synced(world)
    assert "selector" not in host


async def test_a_headless_service_stays_headless(world: syncing.World) -> None:
    _, host = await synced(world, clusterIP="None")
    assert host["clusterIP"] == "None"


async def test_a_taken_ip_the_virtual_service_is_made_anew_with_the_hosts(world: syncing.World) -> None:
    world.host.take_ip("10.96.0.150")
    world.virtual.put(SERVICES, syncing.service("web", clusterIP="10.96.0.150", labels={"app": "web"}))
    before = world.virtual.there(SERVICES, "default", "web")
    await world.settle()
    virtual, host = there(world)
    assert virtual["clusterIP"] == host["clusterIP"] != "10.96.0.150"
    after = world.virtual.there(SERVICES, "default", "web")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["metadata"]["labels"] == {"app": "web"}
    assert await world.again() == []


async def test_the_note_of_a_replacement_is_gone_afterwards_and_never_shown(world: syncing.World) -> None:
    world.host.take_ip("10.96.0.150")
    await synced(world)
    virtual = world.virtual.there(SERVICES, "default", "web")["metadata"]
    assert replacement.NOTE not in (virtual.get("annotations") or {})
    assert replacement.NOTE not in world.host.there(SERVICES, *HOST)["metadata"]["annotations"]


async def test_node_ports_that_the_host_gives_come_up(world: syncing.World) -> None:
    virtual, host = await synced(world, type="NodePort")
    assert virtual["ports"][0]["nodePort"] == host["ports"][0]["nodePort"]


async def test_a_taken_node_port_the_hosts_counts(world: syncing.World) -> None:
    def taken(request: object) -> Any:
        body = getattr(request, "body", b"") or b""
        return fake_side.error(422, "Invalid", "port is taken") if b"30080" in body else None

    world.host.answers.append(taken)
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 30080}]
    virtual, host = await synced(world, type="NodePort", ports=ports)
    assert virtual["ports"][0]["nodePort"] == host["ports"][0]["nodePort"] != 30080


async def test_a_type_that_the_tenant_changes_changes_on_the_host(world: syncing.World) -> None:
    await synced(world)
    world.virtual.change(SERVICES, "default", "web", {"spec": {"type": "NodePort"}})
    await world.settle()
    virtual, host = there(world)
    assert (virtual["type"], host["type"]) == ("NodePort", "NodePort")
    assert virtual["ports"] == host["ports"]


async def test_external_name_and_back(world: syncing.World) -> None:
    await synced(world)
    external = {"type": "ExternalName", "externalName": "db.example.com", "clusterIP": None, "clusterIPs": None}
    world.virtual.change(SERVICES, "default", "web", {"spec": external})
    await world.settle()
    _, host = there(world)
    assert (host["type"], host["externalName"]) == ("ExternalName", "db.example.com")
    assert "clusterIP" not in host
    back = {"type": "ClusterIP", "externalName": None, "clusterIP": "10.96.0.151", "clusterIPs": ["10.96.0.151"]}
    world.virtual.change(SERVICES, "default", "web", {"spec": back})
    await world.settle()
    virtual, host = there(world)
    assert virtual["clusterIP"] == host["clusterIP"] == "10.96.0.151"
    assert await world.again() == []


async def test_the_load_balancers_address_comes_up(world: syncing.World) -> None:
    await synced(world, type="LoadBalancer")
    status = {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}
    world.host.change(SERVICES, *HOST, {"status": status})
    await world.settle()
    assert world.virtual.there(SERVICES, "default", "web")["status"] == status


async def test_addresses_go_with_the_type_before_the_host_has_taken_them_away(world: syncing.World) -> None:
    await synced(world, type="LoadBalancer")
    world.host.change(SERVICES, *HOST, {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}})
    await world.settle()
    world.virtual.change(SERVICES, "default", "web", {"spec": {"type": "ClusterIP"}, "status": {"loadBalancer": {}}})
    await world.settle()
    assert world.virtual.there(SERVICES, "default", "web")["status"] == {"loadBalancer": {}}


async def test_the_service_of_the_api_server_is_not_synced(world: syncing.World) -> None:
    world.virtual.put(SERVICES, syncing.service("kubernetes", clusterIP="10.96.0.1"))
    before = world.host.there(SERVICES, "team-x", "my-vc")
    await world.settle()
    assert world.host.there(SERVICES, "team-x", "my-vc") == before
    assert world.virtual.there(SERVICES, "default", "kubernetes")
    assert world.host.names(SERVICES) == ["kube-dns-x-kube-system-x-my-vc", "my-vc"]
    assert world.events() == []


async def test_a_deleted_service_goes_on_the_host_and_the_other_way_round(world: syncing.World) -> None:
    await synced(world)
    world.virtual.drop(SERVICES, "default", "web")
    await world.settle()
    assert world.host.get_now(SERVICES, *HOST) is None
    await synced(world)
    world.host.drop(SERVICES, *HOST)
    await world.settle()
    assert world.virtual.get_now(SERVICES, "default", "web") is None


async def test_a_finalizer_of_the_host_holds_nothing_up_for_the_tenant(world: syncing.World) -> None:
    await synced(world, type="LoadBalancer")
    world.host.change(SERVICES, *HOST, {"metadata": {"finalizers": ["service.kubernetes.io/load-balancer-cleanup"]}})
    await world.settle()
    world.virtual.drop(SERVICES, "default", "web")
    await world.settle()
    assert world.host.there(SERVICES, *HOST)["metadata"]["deletionTimestamp"]
    assert world.virtual.get_now(SERVICES, "default", "web") is None


def refuse_port(world: syncing.World, port: int, status: int = 422, reason: str = "Invalid") -> None:
    """The host has given this port to somebody else."""

    def answer(request: requests.Request) -> errors.ApiError | None:
        is_write = request.method in ("POST", "PATCH") and "/services" in request.path
        taken = is_write and str(port) in json.dumps(fake_side.body_of(request).get("spec", {}))
        return fake_side.error(status, reason, "provided port is already allocated") if taken else None

    world.host.answers.append(answer)


LOCAL: Obj = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": 30111}


async def test_the_health_check_port_is_asked_for_on_the_host(world: syncing.World) -> None:
    await synced(world, **LOCAL)
    virtual, host = there(world)
    assert virtual["healthCheckNodePort"] == host["healthCheckNodePort"] == 30111
    assert await world.again() == []


async def test_a_taken_health_check_port_the_virtual_service_is_made_anew_with_the_hosts(world: syncing.World) -> None:
    refuse_port(world, 30111, 500, "InternalError")
    before = world.virtual.put(SERVICES, syncing.service("web", clusterIP="10.96.0.150", **LOCAL))
    await world.settle()
    assert "healthCheckNodePort" not in there(world)[1]
    world.host.change(SERVICES, *HOST, {"spec": {"healthCheckNodePort": 30222}})
    await world.settle()
    virtual, host = there(world)
    assert virtual["healthCheckNodePort"] == host["healthCheckNodePort"] == 30222
    assert virtual["clusterIP"] == host["clusterIP"]
    after = world.virtual.there(SERVICES, "default", "web")["metadata"]
    assert after["uid"] != before["metadata"]["uid"]
    assert await world.again() == []


async def test_a_taken_port_of_a_service_that_changes_its_type_is_the_hosts_choice(world: syncing.World) -> None:
    await synced(world)
    refuse_port(world, 30333)
    address = there(world)[1]["clusterIP"]
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 30333}]
    world.virtual.change(SERVICES, "default", "web", {"spec": {"type": "NodePort", "ports": ports}})
    await world.settle()
    virtual, host = there(world)
    assert (host["type"], host["clusterIP"]) == ("NodePort", address)
    assert virtual["ports"] == host["ports"]
    assert host["ports"][0]["nodePort"] != 30333
    assert world.events() == []
