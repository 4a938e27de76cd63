"""Attacks of a tenant on what its own control plane lives on: rights, objects of kube-system, Service kubernetes."""

from __future__ import annotations

from nestling.kube import errors
from nestling.kube.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    NAMESPACES,
    SERVICES,
    Obj,
)
from nestling.naming import labels
from tests.integration.syncer.sides import Sides, until

FORCED = {labels.FORCE_SYNC: "true"}


async def test_rights_that_the_tenant_takes_away(red: Sides) -> None:
    """The syncer is in a group whose rights no rule gives, so that none can be taken from it."""
    role = await red.virtual.get(CLUSTER_ROLES, "cluster-admin")
    binding = await red.virtual.get(CLUSTER_ROLE_BINDINGS, "cluster-admin")
    await red.virtual.delete(CLUSTER_ROLE_BINDINGS, "cluster-admin")
    await red.virtual.delete(CLUSTER_ROLES, "cluster-admin")
    try:
        await red.create(CONFIG_MAPS, "unmoved", {"data": {"a": "1"}}, annotations=FORCED)
        await red.on_host(CONFIG_MAPS, "unmoved")
        await red.change_on_host(CONFIG_MAPS, "unmoved", {"data": {"a": "2"}})
        await red.above(CONFIG_MAPS, "unmoved", lambda one: one["data"] == {"a": "2"})
    finally:
        for resource, body in ((CLUSTER_ROLES, role), (CLUSTER_ROLE_BINDINGS, binding)):
            meta = {"name": body["metadata"]["name"], "labels": body["metadata"]["labels"]}
            await red.virtual.create(resource, {**body, "metadata": meta})


async def test_service_kubernetes_and_the_name_server_come_back(red: Sides) -> None:
    for name, namespace in (("kubernetes", "default"), ("kube-dns", "kube-system")):
        before = await red.virtual.get(SERVICES, name, namespace)
        hosts = await red.host.get(SERVICES, "red", red.tenant.namespace)
        await red.virtual.delete(SERVICES, name, namespace)

        async def back(name: str = name, namespace: str = namespace, old: Obj = before) -> Obj | None:
            try:
                found = await red.virtual.get(SERVICES, name, namespace)
            except errors.NotFound:
                return None
            return found if found["metadata"]["uid"] != old["metadata"]["uid"] else None

        after = await until(back, f"Service {name}", explain=red.cluster.logs)
        assert after["spec"]["ports"] == before["spec"]["ports"]
        assert await red.host.get(SERVICES, "red", red.tenant.namespace) == hosts


async def test_service_kubernetes_cannot_lead_elsewhere(red: Sides) -> None:
    """What the tenant writes into it is put right, and nothing of it reaches Service NAME on the host."""
    before = await red.virtual.get(ENDPOINT_SLICES, "kubernetes", "default")
    hosts = await red.host.get(SERVICES, "red", red.tenant.namespace)
    forged = {"endpoints": [{"addresses": ["10.0.0.99"]}]}
    await red.virtual.patch(ENDPOINT_SLICES, "kubernetes", forged, "default")
    await red.virtual.patch(SERVICES, "kubernetes", {"spec": {"selector": {"app": "mine"}}}, "default")
    await red.above(ENDPOINT_SLICES, "kubernetes", lambda one: one["endpoints"] == before["endpoints"])
    await red.above(SERVICES, "kubernetes", lambda one: not one["spec"].get("selector"))
    assert await red.host.get(SERVICES, "red", red.tenant.namespace) == hosts


async def test_namespaces_of_the_host_are_not_the_tenants(red: Sides, blue: Sides) -> None:
    """A namespace called like one of the host is another one, and its end is none on the host."""
    for name in (blue.tenant.namespace, red.tenant.namespace):
        before = (await red.host.get(NAMESPACES, name))["metadata"]["uid"]
        await red.create(NAMESPACES, name, {}, namespace="")
        await red.create(CONFIG_MAPS, "inside", {"data": {}}, namespace=name, annotations=FORCED)
        host = await red.on_host(CONFIG_MAPS, "inside", namespace=name)
        assert host["metadata"]["namespace"] == red.tenant.namespace
        await red.virtual.delete(NAMESPACES, name)
        await red.gone_on_host(CONFIG_MAPS, "inside", namespace=name)
        assert (await red.host.get(NAMESPACES, name))["metadata"]["uid"] == before
