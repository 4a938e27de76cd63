"""The rights of the control plane on the host are those that it uses: proved by the host's audit log.

One run makes every kind of object that is synced, changes it on both sides, lets it collide, and takes it away; what
the account did is then compared with what its roles say.
"""

from __future__ import annotations

import base64
import functools
from typing import Any

import pytest

from nestling.controlplane import prepare, settings
from nestling.drivers.local import access
from nestling.kube import errors
from nestling.kube.resource import (
    CLUSTER_ROLES,
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    INGRESS_CLASSES,
    INGRESSES,
    NETWORK_POLICIES,
    PERSISTENT_VOLUME_CLAIMS,
    POD_DISRUPTION_BUDGETS,
    PODS,
    PRIORITY_CLASSES,
    ROLES,
    RUNTIME_CLASSES,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    STORAGE_CLASSES,
    Obj,
    Resource,
)
from nestling.naming import labels
from tests.integration.syncer.sides import Sides, pod, until
from tests.support import audit, kubelet_client, skew
from tests.support.host import RunningHost

FORCED = {labels.FORCE_SYNC: "true"}
PORTS = [{"name": "http", "port": 80, "protocol": "TCP"}]
CLAIM = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
#: Rights that this run does not use, and why they are needed.
NOT_EXERCISED = {
    "pods/attach": "kubectl attach: the request of a user, passed on by the kubelet of the node",
    "pods/exec": "kubectl exec, in the same way",
    "pods/log": "kubectl logs, in the same way",
    "pods/portforward": "kubectl port-forward, in the same way",
}
OFF_BY_DEFAULT: dict[Resource, Obj] = {
    SERVICE_ACCOUNTS: {},
    POD_DISRUPTION_BUDGETS: {"spec": {"minAvailable": 1, "selector": {}}},
    NETWORK_POLICIES: {"spec": {"podSelector": {}}},
    INGRESSES: {"spec": {"defaultBackend": {"service": {"name": "x", "port": {"number": 443}}}}},
}
CLASSES: dict[Resource, Obj] = {
    STORAGE_CLASSES: {"provisioner": "example.com/x"},
    INGRESS_CLASSES: {"spec": {"controller": "example.com/x"}},
    RUNTIME_CLASSES: {"handler": "x"},
    PRIORITY_CLASSES: {"value": 1},
}
SLICE = {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.5"]}], "ports": PORTS}
SUBSETS = {"subsets": [{"addresses": [{"ip": "10.0.0.5"}], "ports": PORTS}]}
TOKEN = {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}


@pytest.fixture
async def entries(red: Sides, audited_host: RunningHost) -> list[Obj]:
    """The audit log of an account that has done all that it ever does."""
    await _plain_objects(red)
    await _services(red)
    await _pods(red)
    await _claims(red)
    await _kinds_that_are_off_by_default(red)
    await _repairs(red)
    return audit.read(audited_host.host.layout.audit_log, access.user(red.tenant))


async def test_the_account_has_the_rights_that_it_uses_and_no_others(red: Sides, entries: list[Obj]) -> None:
    denied = {str(audit.right(entry)) for entry in entries if audit.is_denied(entry)}
    assert denied == set()
    name = access.user(red.tenant)
    role = await red.host.get(ROLES, f"vc-{red.tenant.name}", red.tenant.namespace)
    cluster_role = await red.host.get(CLUSTER_ROLES, f"vc-{red.tenant.name}-v-{red.tenant.namespace}")
    granted = audit.granted([*role["rules"], *cluster_role["rules"]])
    used = audit.used(entries)
    assert {str(one) for one in used - granted} == set(), f"{name} used rights that its roles do not give"
    not_exercised = NOT_EXERCISED.keys() | (set() if await _both_resize(red) else {"pods/resize"})
    unused = {one for one in granted - used if one.resource not in not_exercised}
    assert {str(one) for one in unused} == set(), f"{name} has rights that it never used"
    outside = {audit.right(one) for one in entries if one["objectRef"].get("namespace") != red.tenant.namespace}
    assert outside <= audit.granted(cluster_role["rules"])
    assert {one.verb for one in outside} <= {"get", "list", "watch"}


async def _plain_objects(red: Sides) -> None:
    for resource, first, second in (
        (CONFIG_MAPS, {"a": "1"}, {"a": "2"}),
        (SECRETS, {"a": "MQ=="}, {"a": "Mg=="}),
    ):
        await red.create(resource, "plain", {"data": first}, annotations=FORCED)
        await red.on_host(resource, "plain")
        await red.change(resource, "plain", {"data": second})
        await red.on_host(resource, "plain", functools.partial(_says, next(iter(second.values())), "data"))
        await red.virtual.delete(resource, "plain", "default")
        await red.gone_on_host(resource, "plain")
        await red.create(resource, "vanishing", {"data": first}, annotations=FORCED)
        await _vanishes(red, resource, "vanishing")


def _says(text: str, field: str, one: Obj) -> bool:
    return text in str(one[field])


async def _vanishes(red: Sides, resource: Resource, name: str) -> None:
    """Somebody deletes the host object; the virtual one follows."""
    await red.settled(resource, name)
    await red.host.delete(resource, red.host_name(name), red.tenant.namespace)
    await red.gone_above(resource, name)


async def _is_refused(red: Sides, resource: Resource, body: Obj) -> None:
    """The name on the host is somebody else's object: it is looked at, and left alone."""
    await red.host.create(resource, {**body, "metadata": {"name": red.host_name("taken")}}, red.tenant.namespace)
    await red.create(resource, "taken", body)
    await red.warning("taken", "does not belong to")
    await red.virtual.delete(resource, "taken", "default", grace_period_seconds=0)
    await red.host.delete(resource, red.host_name("taken"), red.tenant.namespace, grace_period_seconds=0)


async def _services(red: Sides) -> None:
    await red.create(SERVICES, "by-hand", {"spec": {"ports": PORTS}})
    await red.on_host(SERVICES, "by-hand")
    for resource, body, patch, field in (
        (ENDPOINTS, SUBSETS, {"subsets": [{"addresses": [{"ip": "10.0.0.6"}], "ports": PORTS}]}, "subsets"),
        (ENDPOINT_SLICES, SLICE, {"endpoints": [{"addresses": ["10.0.0.6"]}]}, "endpoints"),
    ):
        meta: dict[str, Any] = (
            {"labels": {"kubernetes.io/service-name": "by-hand"}} if resource is ENDPOINT_SLICES else {}
        )
        # the name is taken at first: Endpoints that the host made itself are taken over, a foreign slice is not
        await red.host.create(resource, {**body, "metadata": {"name": red.host_name("by-hand")}}, red.tenant.namespace)
        await red.create(resource, "by-hand", body, **meta)
        if resource is ENDPOINT_SLICES:
            await red.warning("by-hand", "does not belong to")
            await red.host.delete(resource, red.host_name("by-hand"), red.tenant.namespace)
        await red.on_host(resource, "by-hand", lambda one: labels.MANAGED_BY in (one["metadata"].get("labels") or {}))
        await red.change(resource, "by-hand", patch)
        await red.on_host(resource, "by-hand", functools.partial(_says, "10.0.0.6", field))
        await red.virtual.delete(resource, "by-hand", "default")
        await red.gone_on_host(resource, "by-hand")
    await red.change(SERVICES, "by-hand", {"spec": {"ports": [{**PORTS[0], "port": 81}]}})
    await red.on_host(SERVICES, "by-hand", lambda one: one["spec"]["ports"][0]["port"] == 81)
    await _vanishes(red, SERVICES, "by-hand")
    await red.create(SERVICES, "brief", {"spec": {"ports": PORTS}})
    await red.on_host(SERVICES, "brief")
    await red.virtual.delete(SERVICES, "brief", "default")
    await red.gone_on_host(SERVICES, "brief")


async def _pods(red: Sides) -> None:
    containers = [{"name": "app", "image": "nginx", "resources": {"requests": {"cpu": "10m"}}}]
    gates = [{"conditionType": "example.com/ready"}]
    await red.create(PODS, "busy", pod(containers=containers, readinessGates=gates, volumes=[TOKEN]))
    await red.on_host(SECRETS, "busy-sa-token")
    await red.above(PODS, "busy", lambda one: one["status"].get("phase") == "Running")
    debugger = {"name": "debug", "image": "busybox"}
    await red.virtual.patch(
        PODS, "busy", {"spec": {"ephemeralContainers": [debugger]}}, "default", subresource="ephemeralcontainers"
    )
    await red.on_host(PODS, "busy", lambda one: one["spec"].get("ephemeralContainers"))
    if await _both_resize(red):
        larger = [{**containers[0], "resources": {"requests": {"cpu": "20m"}}}]
        await red.virtual.patch(PODS, "busy", {"spec": {"containers": larger}}, "default", subresource="resize")
        await red.on_host(PODS, "busy", lambda one: "20m" in str(one["spec"]["containers"][0]["resources"]))
    conditions = (await red.above(PODS, "busy"))["status"]["conditions"]
    mine = [*conditions, {"type": "example.com/ready", "status": "True"}]
    await red.virtual.patch(PODS, "busy", {"status": {"conditions": mine}}, "default", subresource="status")
    await red.on_host(PODS, "busy", lambda one: "example.com/ready" in str(one["status"]["conditions"]))
    await red.change(PODS, "busy", {"metadata": {"labels": {"new": "1"}}})
    await red.on_host(PODS, "busy", lambda one: one["metadata"]["labels"].get("new"))
    await _streams(red)
    await red.virtual.delete(PODS, "busy", "default", grace_period_seconds=0)
    await red.gone_on_host(PODS, "busy")
    await _is_refused(red, PODS, pod())


async def _both_resize(red: Sides) -> bool:
    return await skew.resizes(red.virtual) and await skew.resizes(red.host)


async def _streams(red: Sides) -> None:
    """Both protocols of clients; whether the node does what is asked does not matter here."""
    folder = red.cluster.folder
    port = settings.from_json((folder / prepare.SETTINGS).read_text()).ports.kubelet
    tls = kubelet_client.tls(folder / "data" / "pki")
    for path in ("exec/default/busy/app?command=true&output=1", "attach/default/busy/app?output=1"):
        await kubelet_client.ask(port, tls, "POST", f"/{path}", kubelet_client.SPDY)
        await kubelet_client.ask(port, tls, "GET", f"/{path}", kubelet_client.WEBSOCKET)
    await kubelet_client.ask(port, tls, "POST", "/portForward/default/busy", kubelet_client.SPDY)
    await kubelet_client.ask(port, tls, "GET", "/portForward/default/busy?port=80", kubelet_client.WEBSOCKET)
    await kubelet_client.ask(port, tls, "GET", "/containerLogs/default/busy/app")


async def _claims(red: Sides) -> None:
    await red.create(PERSISTENT_VOLUME_CLAIMS, "disk", CLAIM)
    await red.above(PERSISTENT_VOLUME_CLAIMS, "disk", lambda one: one["status"].get("phase") == "Bound")
    larger = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    await red.change(PERSISTENT_VOLUME_CLAIMS, "disk", larger)
    await red.on_host(PERSISTENT_VOLUME_CLAIMS, "disk", lambda one: "2Gi" in str(one["spec"]))
    await red.virtual.delete(PERSISTENT_VOLUME_CLAIMS, "disk", "default")
    await red.gone_on_host(PERSISTENT_VOLUME_CLAIMS, "disk")
    await _is_refused(red, PERSISTENT_VOLUME_CLAIMS, CLAIM)


async def _kinds_that_are_off_by_default(red: Sides) -> None:
    for resource, body in OFF_BY_DEFAULT.items():
        await red.create(resource, "plain", body)
        await red.on_host(resource, "plain")
        await red.settled(resource, "plain")
        await red.virtual.delete(resource, "plain", "default")
        await red.gone_on_host(resource, "plain")
        await _is_refused(red, resource, body)
    for resource, body in CLASSES.items():
        await red.host.create(resource, {**body, "metadata": {"name": "brief"}})
        await red.above(resource, "brief", namespace=None)
        await red.host.delete(resource, "brief")
        await red.gone_above(resource, "brief", namespace=None)


async def _repairs(red: Sides) -> None:
    """The kubeconfig Secret is broken, and mended."""
    name, namespace = f"vc-{red.tenant.name}", red.tenant.namespace
    before = await red.host.get(SECRETS, name, namespace)
    broken = base64.b64encode(b"broken").decode()
    await red.host.patch(SECRETS, name, {"data": {"config": broken}}, namespace)

    async def mended() -> bool | None:
        try:
            return (await red.host.get(SECRETS, name, namespace))["data"]["config"] == before["data"]["config"] or None
        except errors.NotFound:
            return None

    await until(mended, "kubeconfig Secret as it was", explain=red.cluster.logs)
