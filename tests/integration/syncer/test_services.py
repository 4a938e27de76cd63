"""Section 2.3 of the specification, on real API servers: Services and what stands behind them."""

from __future__ import annotations

from nestling.kube import errors
from nestling.kube.resource import ENDPOINT_SLICES, ENDPOINTS, SERVICES, Obj
from nestling.naming import labels
from tests.integration.syncer.sides import Sides, until

PORTS = [{"name": "http", "port": 80, "targetPort": 8080}]


async def made(sides: Sides, name: str, **spec: Obj | str | list[Obj]) -> tuple[Obj, Obj]:
    """A Service on both sides, with the same address."""
    await sides.create(SERVICES, name, {"spec": {"ports": PORTS, **spec}})
    return await agreed(sides, name)


async def agreed(sides: Sides, name: str) -> tuple[Obj, Obj]:
    """Both Services once they have the same address and the same ports."""

    async def look() -> tuple[Obj, Obj] | None:
        try:
            virtual = await sides.virtual.get(SERVICES, name, "default")
            host = await sides.host.get(SERVICES, sides.host_name(name), sides.tenant.namespace)
        except errors.NotFound:
            return None
        fields = ("clusterIP", "type", "ports", "externalName")
        same = all(virtual["spec"].get(field) == host["spec"].get(field) for field in fields)
        return (virtual, host) if same else None

    return await until(look, f"agreement about Service {name}", explain=sides.cluster.logs)


async def test_2_3_the_cluster_ip_is_the_same_on_both_sides(sides: Sides) -> None:
    before = await sides.create(SERVICES, "same-ip", {"spec": {"ports": PORTS}})
    virtual, host = await agreed(sides, "same-ip")
    assert virtual["metadata"]["uid"] == before["metadata"]["uid"]
    assert host["spec"]["clusterIP"] == before["spec"]["clusterIP"]
    assert host["spec"]["ports"][0]["targetPort"] == 8080


async def test_2_3_an_ip_that_the_host_has_given_away_the_virtual_service_is_made_anew(sides: Sides) -> None:
    taken = {"metadata": {"name": "occupier"}, "spec": {"ports": [{"port": 1}]}}
    occupier = await sides.host.create(SERVICES, taken, "default")
    address = occupier["spec"]["clusterIP"]
    before = await sides.create(
        SERVICES, "conflict", {"spec": {"clusterIP": address, "ports": PORTS}}, labels={"app": "x"}
    )
    virtual, host = await agreed(sides, "conflict")
    assert virtual["spec"]["clusterIP"] == host["spec"]["clusterIP"] != address
    assert virtual["metadata"]["uid"] != before["metadata"]["uid"]
    assert virtual["metadata"]["labels"] == {"app": "x"}
    await sides.settled(SERVICES, "conflict")
    host = await sides.on_host(SERVICES, "conflict")
    assert host["metadata"]["annotations"][labels.OBJECT_UID] == virtual["metadata"]["uid"]
    assert "vcluster.loft.sh/replacement" not in host["metadata"]["annotations"]
    await sides.host.delete(SERVICES, "occupier", "default")


async def test_2_3_an_ip_of_the_host_that_is_taken_in_the_virtual_cluster(sides: Sides) -> None:
    """As a dry run does not look whether an address is free, nothing but an attempt tells."""
    _, host = await made(sides, "address-conflict")
    name, namespace = host["metadata"]["name"], sides.tenant.namespace
    async with sides.cluster.without_syncer():
        await sides.host.delete(SERVICES, name, namespace)
        probe = {"metadata": {"name": "probe"}, "spec": {"ports": [{"port": 1}]}}
        address = (await sides.host.create(SERVICES, probe, "default"))["spec"]["clusterIP"]
        await sides.host.delete(SERVICES, "probe", "default")
        kept = {field: host["metadata"][field] for field in ("name", "labels", "annotations", "ownerReferences")}
        await sides.host.create(SERVICES, {"metadata": kept, "spec": {"clusterIP": address, "ports": PORTS}}, namespace)
        left_alone = {labels.CONTROLLED_BY: "somebody-else"}
        await sides.create(SERVICES, "squatter", {"spec": {"clusterIP": address, "ports": PORTS}}, labels=left_alone)
    virtual, host = await agreed(sides, "address-conflict")
    assert host["spec"]["clusterIP"] != address
    await sides.settled(SERVICES, "address-conflict")
    stays = await sides.virtual.get(SERVICES, "address-conflict", "default")
    assert stays["metadata"]["uid"] == virtual["metadata"]["uid"]
    await sides.virtual.delete(SERVICES, "squatter", "default")


async def test_2_3_node_ports_are_the_hosts(sides: Sides) -> None:
    virtual, host = await made(sides, "node-port", type="NodePort")
    assert virtual["spec"]["ports"][0]["nodePort"] == host["spec"]["ports"][0]["nodePort"]


async def test_2_3_a_taken_node_port(sides: Sides) -> None:
    taken = {"metadata": {"name": "port-occupier"}, "spec": {"type": "NodePort", "ports": [{"port": 1}]}}
    occupier = await sides.host.create(SERVICES, taken, "default")
    port = occupier["spec"]["ports"][0]["nodePort"]
    virtual, _ = await made(sides, "port-conflict", type="NodePort", ports=[{**PORTS[0], "nodePort": port}])
    assert virtual["spec"]["ports"][0]["nodePort"] != port
    await sides.host.delete(SERVICES, "port-occupier", "default")


async def test_2_3_headless(sides: Sides) -> None:
    _, host = await made(sides, "headless", clusterIP="None", selector={"app": "x"})
    assert host["spec"]["clusterIP"] == "None"


async def test_2_3_cluster_ip_to_external_name_and_back(sides: Sides) -> None:
    await made(sides, "changes", selector={"app": "x"})
    external = {"type": "ExternalName", "externalName": "db.example.com", "clusterIP": None, "clusterIPs": None}
    await sides.change(SERVICES, "changes", {"spec": external})
    await sides.on_host(SERVICES, "changes", lambda one: one["spec"]["type"] == "ExternalName")
    await agreed(sides, "changes")
    await sides.change(SERVICES, "changes", {"spec": {"type": "ClusterIP", "externalName": None}})
    await sides.on_host(SERVICES, "changes", lambda one: one["spec"]["type"] == "ClusterIP")
    virtual, _ = await agreed(sides, "changes")
    assert virtual["spec"]["clusterIP"]


async def test_2_3_ports_of_a_living_service(sides: Sides) -> None:
    await made(sides, "ports")
    await sides.change(SERVICES, "ports", {"spec": {"ports": [{"name": "https", "port": 443}]}})
    host = await sides.on_host(SERVICES, "ports", lambda one: one["spec"]["ports"][0]["port"] == 443)
    assert [port["name"] for port in host["spec"]["ports"]] == ["https"]


async def test_2_3_the_status_of_a_load_balancer_comes_up(sides: Sides) -> None:
    await made(sides, "balanced", type="LoadBalancer")
    status = {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}
    await sides.host.patch(
        SERVICES, sides.host_name("balanced"), {"status": status}, sides.tenant.namespace, subresource="status"
    )
    virtual = await sides.above(SERVICES, "balanced", lambda one: one["status"].get("loadBalancer", {}).get("ingress"))
    assert virtual["status"]["loadBalancer"]["ingress"][0]["ip"] == "192.0.2.7"
    await sides.change(SERVICES, "balanced", {"spec": {"type": "ClusterIP"}})
    await sides.above(SERVICES, "balanced", lambda one: not one["status"].get("loadBalancer", {}).get("ingress"))


async def test_2_3_endpoints_of_a_service_without_selector(sides: Sides) -> None:
    await made(sides, "outside")
    subsets = [{"addresses": [{"ip": "192.0.2.5"}], "ports": [{"name": "http", "port": 8080}]}]
    await sides.create(ENDPOINTS, "outside", {"subsets": subsets})
    host = await sides.on_host(ENDPOINTS, "outside")
    assert [one["ip"] for one in host["subsets"][0]["addresses"]] == ["192.0.2.5"]
    await sides.change(ENDPOINTS, "outside", {"subsets": [{**subsets[0], "addresses": [{"ip": "192.0.2.6"}]}]})
    await sides.on_host(ENDPOINTS, "outside", lambda one: one["subsets"][0]["addresses"][0]["ip"] == "192.0.2.6")


async def test_2_3_a_selector_that_appears_leaves_the_endpoints_to_the_host(sides: Sides) -> None:
    await made(sides, "gets-selector")
    subsets = [{"addresses": [{"ip": "192.0.2.5"}], "ports": [{"name": "http", "port": 8080}]}]
    await sides.create(ENDPOINTS, "gets-selector", {"subsets": subsets})
    await sides.on_host(ENDPOINTS, "gets-selector", lambda one: one["subsets"])
    await sides.change(SERVICES, "gets-selector", {"spec": {"selector": {"app": "nobody"}}})
    host = await sides.on_host(
        ENDPOINTS,
        "gets-selector",
        lambda one: labels.OBJECT_NAME not in (one["metadata"].get("annotations") or {}),
    )
    assert not host.get("subsets")
    await sides.change(SERVICES, "gets-selector", {"spec": {"selector": None}})
    await sides.change(ENDPOINTS, "gets-selector", {"subsets": subsets})
    await sides.on_host(ENDPOINTS, "gets-selector", lambda one: one.get("subsets"))


async def test_2_3_slices_that_a_tenant_writes(sides: Sides) -> None:
    await made(sides, "sliced")
    body = {"addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.9"]}], "ports": [{"name": "http", "port": 80}]}
    await sides.create(ENDPOINT_SLICES, "sliced-1", body, labels={"kubernetes.io/service-name": "sliced"})
    host = await sides.on_host(ENDPOINT_SLICES, "sliced-1")
    assert host["metadata"]["labels"]["kubernetes.io/service-name"] == sides.host_name("sliced")
    assert host["endpoints"][0]["addresses"] == ["192.0.2.9"]
    await sides.virtual.delete(ENDPOINT_SLICES, "sliced-1", "default")
    await sides.gone_on_host(ENDPOINT_SLICES, "sliced-1")


async def test_2_3_a_deleted_service_goes(sides: Sides) -> None:
    await made(sides, "short-lived")
    await sides.virtual.delete(SERVICES, "short-lived", "default")
    await sides.gone_on_host(SERVICES, "short-lived")
