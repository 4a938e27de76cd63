from __future__ import annotations

import pytest

from nestling.controlplane import kubernetes_service, loops
from nestling.kube.resource import Obj
from tests.unit.controlplane import fake_api, samples


def duty(host: fake_api.FakeApi, virtual: fake_api.FakeApi) -> kubernetes_service.KubernetesService:
    return kubernetes_service.KubernetesService(samples.SYNCER, host.client, virtual.client, "10.244.1.7")


def made_by_the_api_server() -> Obj:
    return {
        "kind": "Service",
        "metadata": {"name": "kubernetes", "namespace": "default"},
        "spec": {"clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"], "type": "ClusterIP", "ports": []},
    }


def sides() -> tuple[fake_api.FakeApi, fake_api.FakeApi]:
    host, virtual = fake_api.FakeApi(), fake_api.FakeApi()
    host.put(samples.host_service())
    return host, virtual


def test_the_service_has_the_addresses_and_ports_of_service_name() -> None:
    spec = kubernetes_service.service(samples.host_service())["spec"]
    assert spec["clusterIP"] == "10.96.20.30"
    assert spec["ipFamilies"] == ["IPv4"]
    assert spec["ports"] == [{"name": "https", "port": 443, "targetPort": 8443, "protocol": "TCP"}]


def test_a_load_balancer_outside_is_a_cluster_ip_inside() -> None:
    assert kubernetes_service.service(samples.host_service(type="LoadBalancer"))["spec"]["type"] == "ClusterIP"


def test_endpoints_are_not_mirrored_and_the_slice_belongs_to_the_service() -> None:
    endpoints = kubernetes_service.endpoints("10.244.1.7", 8443)
    found = kubernetes_service.endpoint_slice("10.244.1.7", 8443)
    assert endpoints["metadata"]["labels"] == {"endpointslice.kubernetes.io/skip-mirror": "true"}
    assert endpoints["subsets"][0]["ports"] == [{"name": "https", "port": 8443, "protocol": "TCP"}]
    assert found["metadata"]["labels"]["kubernetes.io/service-name"] == "kubernetes"
    assert found["addressType"] == "IPv4"
    assert kubernetes_service.endpoint_slice("fd00::1", 1)["addressType"] == "IPv6"


async def test_another_address_means_delete_and_create() -> None:
    host, virtual = sides()
    virtual.put(made_by_the_api_server())
    await duty(host, virtual).reconcile()
    assert virtual.writes()[:2] == [("delete", "services", "kubernetes"), ("create", "services", "kubernetes")]
    assert virtual.objects["services", "default", "kubernetes"]["spec"]["clusterIP"] == "10.96.20.30"


async def test_a_second_look_writes_nothing() -> None:
    host, virtual = sides()
    await duty(host, virtual).reconcile()
    before = len(virtual.writes())
    await duty(host, virtual).reconcile()
    assert len(virtual.writes()) == before


async def test_a_selector_of_the_tenant_is_taken_off() -> None:
    host, virtual = sides()
    await duty(host, virtual).reconcile()
    virtual.objects["services", "default", "kubernetes"]["spec"]["selector"] = {"app": "mine"}
    await duty(host, virtual).reconcile()
    assert not virtual.objects["services", "default", "kubernetes"]["spec"].get("selector")


async def test_changed_endpoints_are_repaired() -> None:
    host, virtual = sides()
    await duty(host, virtual).reconcile()
    virtual.objects["endpoints", "default", "kubernetes"]["subsets"] = []
    await duty(host, virtual).reconcile()
    subsets = virtual.objects["endpoints", "default", "kubernetes"]["subsets"]
    assert subsets[0]["addresses"] == [{"ip": "10.244.1.7"}]


async def test_a_host_service_without_address_is_waited_for() -> None:
    host, virtual = fake_api.FakeApi(), fake_api.FakeApi()
    host.put(samples.host_service(clusterIP=""))
    with pytest.raises(loops.NotYetError, match="no ClusterIP"):
        await duty(host, virtual).reconcile()
    assert virtual.writes() == []


DUAL: Obj = {
    "clusterIP": "10.96.20.30",
    "clusterIPs": ["10.96.20.30", "fd00:96::30"],
    "ipFamilies": ["IPv4", "IPv6"],
    "ipFamilyPolicy": "PreferDualStack",
}


async def test_27_a_second_address_of_service_name_is_that_of_the_virtual_one() -> None:
    host, virtual = sides()
    await duty(host, virtual).reconcile()
    host.put(samples.host_service(**DUAL))
    await duty(host, virtual).reconcile()
    spec = virtual.objects["services", "default", "kubernetes"]["spec"]
    assert {field: spec[field] for field in DUAL} == DUAL
    assert ("delete", "services", "kubernetes") not in virtual.writes()


async def test_27_another_second_address_means_delete_and_create() -> None:
    host, virtual = sides()
    host.put(samples.host_service(**DUAL))
    await duty(host, virtual).reconcile()
    other = ["10.96.20.30", "fd00:96::31"]
    host.put(samples.host_service(**{**DUAL, "clusterIPs": other}))
    await duty(host, virtual).reconcile()
    assert ("delete", "services", "kubernetes") in virtual.writes()
    assert virtual.objects["services", "default", "kubernetes"]["spec"]["clusterIPs"] == other


async def test_27_a_virtual_cluster_of_one_family_is_reached_at_the_first_address() -> None:
    host, virtual = sides()
    virtual.is_of_one_family = True
    virtual.put(made_by_the_api_server())
    host.put(samples.host_service(**DUAL))
    await duty(host, virtual).reconcile()
    spec = virtual.objects["services", "default", "kubernetes"]["spec"]
    assert (spec["clusterIPs"], spec["ipFamilyPolicy"]) == (["10.96.20.30"], "SingleStack")
    assert ("endpoints", "default", "kubernetes") in virtual.objects
