"""Attacks with Services and what stands behind them, on real API servers."""

from __future__ import annotations

from typing import Final

import pytest

from nestling.kube import errors
from nestling.kube.resource import ENDPOINT_SLICES, ENDPOINTS, PODS, SERVICES, Obj
from nestling.naming import labels
from tests.integration.syncer.sides import Sides, pod, until

PORTS: Final = [{"name": "http", "port": 80, "protocol": "TCP"}]
SERVICE_NAME: Final = "kubernetes.io/service-name"


@pytest.mark.parametrize(
    "selector",
    [
        {labels.MANAGED_BY: "blue"},
        {labels.NAMESPACE: "kube-system"},
        {"app": "vcluster", "release": "red"},
        {labels.MANAGED_BY: "red", labels.NAMESPACE: "kube-system", "app": "x"},
    ],
    ids=["another tenant", "another namespace", "the control plane", "own marks"],
)
async def test_a_selector_that_means_pods_of_others(red: Sides, selector: dict[str, str]) -> None:
    await red.create(SERVICES, "nosy", {"spec": {"selector": selector, "ports": PORTS}})
    found = (await red.on_host(SERVICES, "nosy"))["spec"]["selector"]
    assert (found[labels.MANAGED_BY], found[labels.NAMESPACE]) == ("red", "default")
    translated = {labels.label_key_to_host(key, red.tenant): value for key, value in selector.items()}
    assert found == {**translated, labels.MANAGED_BY: "red", labels.NAMESPACE: "default"}
    await red.virtual.delete(SERVICES, "nosy", "default")
    await red.gone_on_host(SERVICES, "nosy")


async def test_an_empty_selector_selects_nothing(red: Sides) -> None:
    """On the host it stays a Service without selector: no pod of anybody is behind it."""
    await red.create(SERVICES, "empty", {"spec": {"selector": {}, "ports": PORTS}})
    assert not (await red.on_host(SERVICES, "empty"))["spec"].get("selector")
    await red.virtual.delete(SERVICES, "empty", "default")
    await red.gone_on_host(SERVICES, "empty")


async def test_pods_that_pose_as_the_control_plane(red: Sides) -> None:
    """A Service that selects the control plane as the chart does finds no pod of the tenant."""
    await red.create(PODS, "poser", pod(), labels={"app": "vcluster", "release": "red"})
    await red.on_host(PODS, "poser", lambda one: one["status"].get("phase") == "Running")
    selector = "app=vcluster,release=red"
    found = await red.host.list(PODS, red.tenant.namespace, label_selector=selector)
    assert found == []
    await red.virtual.delete(PODS, "poser", "default", grace_period_seconds=0)
    await red.gone_on_host(PODS, "poser")


async def test_an_address_that_the_host_uses_itself(red: Sides) -> None:
    hosts = await red.host.get(SERVICES, "kubernetes", "default")
    address = hosts["spec"]["clusterIP"]
    await red.create(SERVICES, "usurper", {"spec": {"clusterIP": address, "ports": PORTS}})

    async def moved() -> Obj | None:
        try:
            found = await red.virtual.get(SERVICES, "usurper", "default")
        except errors.NotFound:
            return None
        return found if found["spec"]["clusterIP"] != address else None

    await until(moved, "another address", explain=red.cluster.logs)
    assert (await red.on_host(SERVICES, "usurper"))["spec"]["clusterIP"] != address
    assert await red.host.get(SERVICES, "kubernetes", "default") == hosts
    await red.virtual.delete(SERVICES, "usurper", "default")
    await red.gone_on_host(SERVICES, "usurper")


async def test_endpoints_with_crafted_references(red: Sides, blue: Sides) -> None:
    """An address may be any, as for a pod that connects; what it claims to be is only ever a pod of the tenant."""
    await blue.create(PODS, "prey", pod())
    prey = await blue.on_host(PODS, "prey", lambda one: one["status"].get("podIP"))
    about = {"kind": "Pod", "namespace": blue.tenant.namespace, "name": prey["metadata"]["name"]}
    targets: list[Obj] = [
        {**about, "uid": prey["metadata"]["uid"]},
        {"kind": "Node", "name": "node-0"},
        {"kind": "Service", "namespace": "default", "name": "kubernetes"},
    ]
    addresses = [{"ip": f"10.0.0.{number}", "targetRef": one} for number, one in enumerate(targets, 5)]
    ends = [{"addresses": [f"10.0.0.{number}"], "targetRef": one} for number, one in enumerate(targets, 5)]
    await red.create(SERVICES, "crafted", {"spec": {"ports": PORTS}})
    await red.create(ENDPOINTS, "crafted", {"subsets": [{"addresses": addresses, "ports": PORTS}]})
    body = {"addressType": "IPv4", "endpoints": ends, "ports": PORTS}
    await red.create(ENDPOINT_SLICES, "crafted", body, labels={SERVICE_NAME: "crafted"})
    (subset,) = (await red.on_host(ENDPOINTS, "crafted"))["subsets"]
    slices = await red.on_host(ENDPOINT_SLICES, "crafted")
    for found in ([one.get("targetRef") for one in part] for part in (subset["addresses"], slices["endpoints"])):
        name = red.host_name(prey["metadata"]["name"], blue.tenant.namespace)
        assert found == [{"kind": "Pod", "namespace": red.tenant.namespace, "name": name}, None, None]
    await red.virtual.delete(SERVICES, "crafted", "default")
    await red.gone_on_host(SERVICES, "crafted")
    await red.gone_on_host(ENDPOINT_SLICES, "crafted")
    await blue.virtual.delete(PODS, "prey", "default", grace_period_seconds=0)


@pytest.mark.parametrize("service", ["red", "red-headless", "mine"])
async def test_a_slice_for_a_service_of_the_host(red: Sides, service: str) -> None:
    """The label that ties a slice to its Service names one of the tenant's, or the slice is not there."""
    body = {"metadata": {"name": red.host_name("mine")}, "spec": {"ports": PORTS}}
    hosts = await red.host.create(SERVICES, body, red.tenant.namespace)
    await red.create(SERVICES, service, {"spec": {"ports": PORTS}})
    ends = {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.66"]}], "ports": PORTS}
    await red.create(ENDPOINT_SLICES, "behind", ends, labels={SERVICE_NAME: service})
    await red.create(ENDPOINTS, service, {"subsets": [{"addresses": [{"ip": "10.0.0.66"}], "ports": PORTS}]})
    await (red.warning(service, "does not belong to") if service == "mine" else red.on_host(ENDPOINTS, service))
    await red.create(SERVICES, "after", {"spec": {"ports": PORTS}})
    await red.create(ENDPOINTS, "after", {"subsets": [{"addresses": [{"ip": "10.0.0.67"}], "ports": PORTS}]})
    await red.on_host(ENDPOINTS, "after")
    tied = await red.host.list(ENDPOINT_SLICES, red.tenant.namespace)
    reached = {one["metadata"]["labels"][SERVICE_NAME] for one in tied if "10.0.0.66" in str(one["endpoints"])}
    assert reached <= {red.host_name(service)} - {hosts["metadata"]["name"]}
    for name in (service, "after"):
        await red.virtual.delete(SERVICES, name, "default")
    await red.virtual.delete(ENDPOINT_SLICES, "behind", "default")
    await red.gone_on_host(ENDPOINT_SLICES, "behind")
    await red.gone_on_host(SERVICES, "after")
    await red.host.delete(SERVICES, red.host_name("mine"), red.tenant.namespace)
