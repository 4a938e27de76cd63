"""What users of vCluster suffered from, replayed on real processes; the numbers are those of docs/lessons.md."""

from __future__ import annotations

from typing import Any

from nestling.kube import errors
from nestling.kube.resource import (
    CONFIG_MAPS,
    ENDPOINTS,
    EVENTS,
    NAMESPACES,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SECRETS,
    SERVICES,
    STORAGE_CLASSES,
    Obj,
)
from nestling.naming import labels
from tests.integration.syncer.sides import Sides, pod, until

CLAIM = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
PORTS = [{"name": "http", "port": 80}]


def is_running(one: Obj) -> bool:
    return (one.get("status") or {}).get("phase") == "Running"


def ready_addresses(endpoints: Obj) -> bool:
    subsets = endpoints.get("subsets") or []
    return bool(subsets) and all(not subset.get("notReadyAddresses") for subset in subsets)


async def test_1_a_pod_whose_init_container_ended_while_nobody_looked_is_shown_running(sides: Sides) -> None:
    spec: Any = {"initContainers": [{"name": "init", "image": "busybox"}]}
    async with sides.cluster.without_syncer():
        await sides.create(PODS, "initialised", pod(**spec))
    await sides.on_host(PODS, "initialised", is_running)
    virtual = await sides.above(PODS, "initialised", is_running)
    assert "terminated" in virtual["status"]["initContainerStatuses"][0]["state"]
    await sides.virtual.delete(PODS, "initialised", "default", grace_period_seconds=0)


async def test_11_endpoints_are_ready_after_a_restart_at_each_step(sides: Sides) -> None:
    node = (await sides.host.list(NODES))[0]["metadata"]["name"]
    service = {"spec": {"selector": {"app": "steps"}, "ports": PORTS}}
    await sides.create(SERVICES, "steps", service)
    await sides.on_host(SERVICES, "steps")
    # the syncer dies before the host knows the pod, …
    async with sides.cluster.without_syncer():
        await sides.create(PODS, "steps", pod(nodeSelector={"lesson": "eleven"}), labels={"app": "steps"})
    await sides.on_host(PODS, "steps")
    # … and while the host starts it
    async with sides.cluster.without_syncer():
        await sides.host.patch(NODES, node, {"metadata": {"labels": {"lesson": "eleven"}}})
        await sides.on_host(PODS, "steps", is_running)
        await sides.on_host(ENDPOINTS, "steps", ready_addresses)
    await sides.above(PODS, "steps", is_running)
    endpoints = await sides.above(ENDPOINTS, "steps", ready_addresses)
    address = endpoints["subsets"][0]["addresses"][0]
    assert address["ip"] == (await sides.on_host(PODS, "steps"))["status"]["podIP"]
    # … and while it goes
    async with sides.cluster.without_syncer():
        await sides.virtual.delete(PODS, "steps", "default", grace_period_seconds=0)
    await sides.gone_on_host(PODS, "steps")
    await sides.above(ENDPOINTS, "steps", lambda one: not one.get("subsets"))
    await sides.on_host(ENDPOINTS, "steps", lambda one: not one.get("subsets"))
    await sides.host.patch(NODES, node, {"metadata": {"labels": {"lesson": None}}})


async def test_18_a_namespace_goes_with_all_that_is_in_it_whatever_happened_on_the_host(sides: Sides) -> None:
    namespace = "doomed"
    await sides.create(NAMESPACES, namespace, {}, namespace="")
    await sides.above(CONFIG_MAPS, "kube-root-ca.crt", namespace=namespace)
    await sides.create(SECRETS, "used", {"data": {}}, namespace=namespace)
    await sides.create(SERVICES, "web", {"spec": {"ports": PORTS}}, namespace=namespace)
    await sides.create(PERSISTENT_VOLUME_CLAIMS, "data", CLAIM, namespace=namespace)
    volumes = [{"name": "s", "secret": {"secretName": "used"}}]

    async def made() -> Obj | None:
        try:
            return await sides.create(PODS, "web", pod(volumes=volumes), namespace=namespace)
        except errors.Forbidden:  # the namespace's service account is on its way
            return None

    await until(made, "service account")
    await sides.above(PODS, "web", is_running, namespace=namespace)
    async with sides.cluster.without_syncer():
        # nobody is there to see the host pod go
        host_name = sides.host_name("web", namespace)
        await sides.host.delete(PODS, host_name, sides.tenant.namespace, grace_period_seconds=0)
        await sides.virtual.delete(NAMESPACES, namespace)
    await sides.gone_above(NAMESPACES, namespace, namespace=None)
    for resource, name in ((PODS, "web"), (SECRETS, "used"), (SERVICES, "web"), (PERSISTENT_VOLUME_CLAIMS, "data")):
        await sides.gone_on_host(resource, name, namespace=namespace)


async def test_26_a_load_balancer_with_local_traffic_has_one_health_check_port(sides: Sides) -> None:
    spec = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "selector": {"app": "x"}, "ports": PORTS}
    await sides.create(SERVICES, "local", {"spec": spec})
    host = await sides.on_host(SERVICES, "local")
    port = host["spec"]["healthCheckNodePort"]
    virtual = await sides.above(SERVICES, "local", lambda one: one["spec"].get("healthCheckNodePort") == port)
    await sides.settled(SERVICES, "local")
    assert virtual["spec"]["ports"] == (await sides.on_host(SERVICES, "local"))["spec"]["ports"]
    events = await sides.virtual.list(EVENTS, "default")
    assert not [one for one in events if one["involvedObject"].get("name") == "local" and one["reason"] == "SyncError"]


async def test_26_a_health_check_port_that_the_host_has_given_away_is_the_hosts_choice(sides: Sides) -> None:
    port = await _with_a_port_of_the_host(sides, "checked")
    host = await sides.on_host(SERVICES, "checked", lambda one: one["spec"].get("healthCheckNodePort"))
    chosen = host["spec"]["healthCheckNodePort"]
    assert chosen != port
    await sides.above(SERVICES, "checked", lambda one: one["spec"].get("healthCheckNodePort") == chosen)
    await sides.settled(SERVICES, "checked")
    await sides.host.delete(SERVICES, "check-occupier", "default")


async def _with_a_port_of_the_host(sides: Sides, name: str) -> int:
    """A Service whose health check port the host has given to Service ``check-occupier``; that port."""
    taken = {"metadata": {"name": "check-occupier"}, "spec": {"type": "NodePort", "ports": [{"port": 1}]}}
    for _ in range(10):
        occupier = await sides.host.create(SERVICES, taken, "default")
        port: int = occupier["spec"]["ports"][0]["nodePort"]
        spec = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": PORTS, "healthCheckNodePort": port}
        try:
            await sides.create(SERVICES, name, {"spec": spec})
        except errors.ServerError:
            # the virtual cluster has given this port to somebody, too
            await sides.host.delete(SERVICES, "check-occupier", "default")
        else:
            return port
    raise AssertionError("no port that only the host has given away")


async def test_34_a_claim_without_class_gets_the_hosts_default_and_no_class_is_ever_written_there(sides: Sides) -> None:
    before = await sides.host.list(STORAGE_CLASSES)
    await sides.create(PERSISTENT_VOLUME_CLAIMS, "classless", CLAIM)
    bound = await sides.on_host(
        PERSISTENT_VOLUME_CLAIMS, "classless", lambda one: (one.get("status") or {}).get("phase") == "Bound"
    )
    assert bound["spec"]["storageClassName"] == "standard"
    default = {labels.FORCE_SYNC: "true", "storageclass.kubernetes.io/is-default-class": "true"}
    mine = {"metadata": {"name": "mine", "annotations": default}, "provisioner": "example.com/x"}
    await sides.virtual.create(STORAGE_CLASSES, mine)
    await sides.settled(PERSISTENT_VOLUME_CLAIMS, "classless")
    assert await sides.host.list(STORAGE_CLASSES) == before
    await sides.virtual.delete(PERSISTENT_VOLUME_CLAIMS, "classless", "default")
    await sides.gone_on_host(PERSISTENT_VOLUME_CLAIMS, "classless")
