"""Section 2.2 of the specification, on real API servers: pods and their tokens. Simulated nodes run them."""

from __future__ import annotations

import base64

import pytest

from nestling.kube import errors
from nestling.kube.resource import CONFIG_MAPS, NODES, PODS, SECRETS, SERVICES, Obj, Resource
from nestling.naming import labels
from nestling.resources.pods import tokens
from tests.integration.syncer.sides import Sides, pod, recorded, until
from tests.support import skew

TOKEN_REVIEWS = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)


def is_running(one: Obj) -> bool:
    return (one.get("status") or {}).get("phase") == "Running"


def env_of(one: Obj) -> dict[str, Obj | str]:
    container = one["spec"]["containers"][0]
    return {variable["name"]: variable.get("value", variable.get("valueFrom")) for variable in container["env"]}


async def delete_now(sides: Sides, name: str) -> None:
    """Clean up without waiting for a grace period."""
    await sides.virtual.delete(PODS, name, "default", grace_period_seconds=0)


async def test_2_2_a_pod_runs_and_its_status_comes_back(sides: Sides) -> None:
    await sides.create(PODS, "runs", pod(), labels={"app": "runs"})
    virtual = await sides.above(PODS, "runs", is_running)
    host = await sides.on_host(PODS, "runs", is_running)
    for field in ("podIP", "hostIP", "phase", "startTime"):
        assert virtual["status"][field] == host["status"][field]
    assert virtual["status"]["containerStatuses"][0]["ready"] is True
    assert virtual["spec"]["nodeName"] == host["spec"]["nodeName"]
    assert await sides.above(NODES, virtual["spec"]["nodeName"], namespace=None)
    await delete_now(sides, "runs")


async def test_2_2_environment(sides: Sides) -> None:
    await sides.create(CONFIG_MAPS, "env-map", {"data": {"k": "v"}})
    await sides.create(SECRETS, "env-secret", {"data": {"k": "dg=="}})
    environment = [
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['release']"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "FROM_MAP", "valueFrom": {"configMapKeyRef": {"name": "env-map", "key": "k"}}},
        {"name": "FROM_SECRET", "valueFrom": {"secretKeyRef": {"name": "env-secret", "key": "k"}}},
    ]
    containers = [{"name": "app", "image": "nginx", "env": environment}]
    await sides.create(PODS, "env", pod(containers=containers), labels={"release": "r1"})
    host = await sides.on_host(PODS, "env")
    found = env_of(host)

    def field(path: str) -> Obj:
        return {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}

    assert found["NAME"] == field("metadata.annotations['vcluster.loft.sh/name']")
    assert found["NAMESPACE"] == field("metadata.annotations['vcluster.loft.sh/namespace']")
    assert found["LABEL"] == field("metadata.labels['vcluster.loft.sh/label-one-x-a4d451ec23']")
    assert found["IP"] == field("status.podIP")
    assert found["FROM_MAP"] == {"configMapKeyRef": {"name": sides.host_name("env-map"), "key": "k"}}
    assert found["FROM_SECRET"] == {"secretKeyRef": {"name": sides.host_name("env-secret"), "key": "k"}}
    service = await sides.host.get(SERVICES, "one", sides.tenant.namespace)
    assert found["KUBERNETES_SERVICE_HOST"] == service["spec"]["clusterIP"]
    assert host["metadata"]["annotations"]["vcluster.loft.sh/name"] == "env"
    assert host["metadata"]["labels"]["vcluster.loft.sh/label-one-x-a4d451ec23"] == "r1"
    await sides.on_host(CONFIG_MAPS, "env-map", lambda one: one["data"] == {"k": "v"})
    await sides.on_host(SECRETS, "env-secret", lambda one: one["data"] == {"k": "dg=="})
    await delete_now(sides, "env")
    await sides.gone_on_host(CONFIG_MAPS, "env-map")
    await sides.gone_on_host(SECRETS, "env-secret")


async def test_2_2_volumes_and_the_account(sides: Sides) -> None:
    volumes = [
        {"name": "m", "configMap": {"name": "vol-map", "optional": True}},
        {"name": "s", "secret": {"secretName": "vol-secret", "optional": True}},
        {"name": "e", "emptyDir": {}},
        {"name": "d", "downwardAPI": {"items": [{"path": "p", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]
    await sides.create(PODS, "volumes", pod(volumes=volumes))
    spec = (await sides.on_host(PODS, "volumes"))["spec"]
    found = {volume["name"]: volume for volume in spec["volumes"]}
    assert found["m"]["configMap"]["name"] == sides.host_name("vol-map")
    assert found["s"]["secret"]["secretName"] == sides.host_name("vol-secret")
    assert found["e"] == {"name": "e", "emptyDir": {}}
    path = found["d"]["downwardAPI"]["items"][0]["fieldRef"]["fieldPath"]
    assert path == "metadata.annotations['vcluster.loft.sh/namespace']"
    assert spec["serviceAccountName"] == "vc-workload-one"
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["hostname"] == "volumes"
    await delete_now(sides, "volumes")


async def test_2_2_host_paths_name_the_tenants_own_pods(sides: Sides) -> None:
    await sides.create(PODS, "mounted", pod())
    host_uid = (await sides.on_host(PODS, "mounted", is_running))["metadata"]["uid"]
    virtual_uid = (await sides.above(PODS, "mounted", is_running))["metadata"]["uid"]
    kubelet, own = "/var/lib/kubelet/pods", f"/tmp/vcluster/{sides.tenant.namespace}/one"
    paths = {"own": f"{kubelet}/{virtual_uid}/volumes", "foreign": f"{kubelet}/{host_uid}", "logs": "/var/log"}
    volumes = [{"name": name, "hostPath": {"path": path}} for name, path in paths.items()]
    await sides.create(PODS, "paths", pod(volumes=volumes))
    spec = (await sides.on_host(PODS, "paths"))["spec"]
    found = {volume["name"]: (volume.get("hostPath") or {}).get("path") for volume in spec["volumes"]}
    assert found["own"] == f"{kubelet}/{host_uid}/volumes"
    assert found["foreign"] == f"{own}/kubelet/pods/{host_uid}", "a UID of the host is nobody's in the virtual cluster"
    assert found["logs"] == f"{own}/log"
    await delete_now(sides, "paths")
    await delete_now(sides, "mounted")


async def test_2_2_dns_leads_to_the_virtual_clusters_name_server(sides: Sides) -> None:
    await sides.create(PODS, "dns", pod())
    spec = (await sides.on_host(PODS, "dns"))["spec"]
    dns = await sides.host.get(SERVICES, "kube-dns-x-kube-system-x-one", sides.tenant.namespace)
    assert spec["dnsPolicy"] == "None"
    assert spec["dnsConfig"]["nameservers"] == [dns["spec"]["clusterIP"]]
    assert spec["dnsConfig"]["searches"] == ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"]
    api = await sides.host.get(SERVICES, "one", sides.tenant.namespace)
    aliases = {alias["ip"]: alias["hostnames"] for alias in spec["hostAliases"]}
    assert "kubernetes.default.svc" in aliases[api["spec"]["clusterIP"]]
    await delete_now(sides, "dns")


async def test_2_2_tokens_are_of_the_virtual_cluster_and_die_with_the_pod(sides: Sides) -> None:
    await sides.create(PODS, "tokens", pod())
    virtual = await sides.above(PODS, "tokens", is_running)
    host = await sides.on_host(PODS, "tokens")
    (volume,) = [volume for volume in host["spec"]["volumes"] if volume["name"].startswith("kube-api-access")]
    (projected,) = [source["secret"] for source in volume["projected"]["sources"] if "secret" in source]
    assert not any("serviceAccountToken" in source for source in volume["projected"]["sources"])

    async def secret() -> Obj | None:
        try:
            return await sides.host.get(SECRETS, projected["name"], sides.tenant.namespace)
        except errors.NotFound:
            return None

    held = await until(secret, "token Secret", explain=sides.cluster.logs)
    token = base64.b64decode(held["data"][projected["items"][0]["key"]]).decode()
    review = await sides.virtual.create(TOKEN_REVIEWS, {"spec": {"token": token}})
    assert review["status"]["authenticated"] is True
    user = review["status"]["user"]
    assert user["username"] == "system:serviceaccount:default:default"
    assert user["extra"]["authentication.kubernetes.io/pod-uid"] == [virtual["metadata"]["uid"]]
    on_host = await sides.host.create(TOKEN_REVIEWS, {"spec": {"token": token}})
    assert not on_host["status"].get("authenticated")
    assert token not in str(host)
    claims = tokens.read_claims(token)
    assert claims is not None
    assert (claims.expires - claims.issued).total_seconds() == pytest.approx(3607, abs=5)
    assert [owner["name"] for owner in held["metadata"]["ownerReferences"]] == [host["metadata"]["name"]]
    await delete_now(sides, "tokens")

    async def gone() -> bool | None:
        return True if await secret() is None else None

    await until(gone, "end of the token Secret", explain=sides.cluster.logs)

    async def refused() -> bool | None:
        # the API server remembers for some seconds that a token was good
        review = await sides.virtual.create(TOKEN_REVIEWS, {"spec": {"token": token}})
        return None if review["status"].get("authenticated") else True

    await until(refused, "end of the token")


def grace_periods(states: list[Obj]) -> list[int]:
    """The grace periods that an object was deleted with, one after the other."""
    found = [one["metadata"].get("deletionGracePeriodSeconds") for one in states]
    return list(dict.fromkeys(seconds for seconds in found if seconds is not None))


async def test_2_2_a_tenants_deletion_reaches_the_host_with_its_grace_period(sides: Sides) -> None:
    await sides.create(PODS, "leaves", pod(terminationGracePeriodSeconds=40))
    await sides.above(PODS, "leaves", is_running)
    host_name = sides.host_name("leaves")
    async with recorded(sides.host, PODS, sides.tenant.namespace, host_name) as states:
        await sides.virtual.delete(PODS, "leaves", "default", grace_period_seconds=7)
        await sides.gone_on_host(PODS, "leaves")
        await sides.gone_above(PODS, "leaves")
    assert grace_periods(states)[0] == 7


async def test_2_2_a_deletion_on_the_host_reaches_the_tenant(sides: Sides) -> None:
    await sides.create(PODS, "evicted", pod(terminationGracePeriodSeconds=33))
    await sides.above(PODS, "evicted", is_running)
    # held on the host, so that it cannot be gone before anybody has looked
    await sides.change_on_host(PODS, "evicted", {"metadata": {"finalizers": ["test.example.com/hold"]}})
    async with recorded(sides.virtual, PODS, "default", "evicted") as states:
        await sides.host.delete(PODS, sides.host_name("evicted"), sides.tenant.namespace, grace_period_seconds=5)
        await sides.above(PODS, "evicted", lambda one: one["metadata"].get("deletionTimestamp"))
        await sides.change_on_host(PODS, "evicted", {"metadata": {"finalizers": None}})
        await sides.gone_on_host(PODS, "evicted")
        await sides.gone_above(PODS, "evicted")
    assert grace_periods(states)[0] == 33


async def test_2_2_a_pod_that_ran_is_not_brought_back_to_life(sides: Sides) -> None:
    await sides.create(PODS, "once", pod())
    await sides.above(PODS, "once", is_running)
    async with sides.cluster.without_syncer():
        await sides.host.delete(PODS, sides.host_name("once"), sides.tenant.namespace, grace_period_seconds=0)
        await sides.gone_on_host(PODS, "once")
    await sides.gone_above(PODS, "once")


async def test_2_2_ephemeral_containers_reach_the_running_pod(sides: Sides) -> None:
    await sides.create(PODS, "debugged", pod())
    await sides.above(PODS, "debugged", is_running)
    container = {"name": "debugger", "image": "busybox", "targetContainerName": "app"}
    await sides.virtual.patch(
        PODS,
        "debugged",
        {"spec": {"ephemeralContainers": [container]}},
        "default",
        subresource="ephemeralcontainers",
    )
    host = await sides.on_host(PODS, "debugged", lambda one: one["spec"].get("ephemeralContainers"))
    (added,) = host["spec"]["ephemeralContainers"]
    assert (added["name"], added["image"], added["targetContainerName"]) == ("debugger", "busybox", "app")
    assert "KUBERNETES_SERVICE_HOST" in {variable["name"] for variable in added["env"]}
    await delete_now(sides, "debugged")


async def test_2_2_a_resize_in_place_reaches_the_host(sides: Sides) -> None:
    if not await skew.resizes(sides.virtual):
        pytest.skip("the virtual API server resizes no pods")
    small, large = {"requests": {"cpu": "100m"}}, {"requests": {"cpu": "200m"}}
    await sides.create(PODS, "grows", pod(containers=[{"name": "app", "image": "nginx", "resources": small}]))
    await sides.above(PODS, "grows", is_running)
    patch = {"spec": {"containers": [{"name": "app", "image": "nginx", "resources": large}]}}
    await sides.virtual.patch(PODS, "grows", patch, "default", subresource="resize")
    if not await skew.resizes(sides.host):
        await sides.warning("grows", "older than 1.33")
    else:
        await sides.on_host(PODS, "grows", lambda one: one["spec"]["containers"][0]["resources"] == large)
    await delete_now(sides, "grows")


async def test_2_2_images_and_tolerations_of_a_running_pod(sides: Sides) -> None:
    await sides.create(PODS, "updated", pod())
    virtual = await sides.above(PODS, "updated", is_running)
    tolerations = [*virtual["spec"]["tolerations"], {"key": "gpu", "operator": "Exists"}]
    containers = [{**virtual["spec"]["containers"][0], "image": "nginx:2"}]
    await sides.change(PODS, "updated", {"spec": {"containers": containers, "tolerations": tolerations}})
    host = await sides.on_host(PODS, "updated", lambda one: one["spec"]["containers"][0]["image"] == "nginx:2")
    assert {"key": "gpu", "operator": "Exists"} in host["spec"]["tolerations"]
    await delete_now(sides, "updated")


async def test_2_2_readiness_gates_go_down(sides: Sides) -> None:
    await sides.create(PODS, "gated", pod(readinessGates=[{"conditionType": "example.com/gate"}]))
    await sides.above(PODS, "gated", is_running)
    condition = {"type": "example.com/gate", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    virtual = await sides.above(PODS, "gated")
    conditions = [*virtual["status"]["conditions"], condition]
    await sides.virtual.patch(PODS, "gated", {"status": {"conditions": conditions}}, "default", subresource="status")

    def has_gate(one: Obj) -> bool:
        return any(
            (found["type"], found["status"]) == ("example.com/gate", "True") for found in one["status"]["conditions"]
        )

    await sides.on_host(PODS, "gated", has_gate)
    await sides.above(PODS, "gated", has_gate)
    await delete_now(sides, "gated")


async def test_2_2_affinity_counts_pods_of_the_tenant_only(sides: Sides) -> None:
    term = {"labelSelector": {"matchLabels": {"app": "x"}}, "topologyKey": "kubernetes.io/hostname"}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    await sides.create(PODS, "apart", pod(affinity=affinity))
    spec = (await sides.on_host(PODS, "apart"))["spec"]
    (found,) = spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert found["labelSelector"]["matchLabels"] == {
        "app": "x",
        labels.MANAGED_BY: "one",
        labels.NAMESPACE: "default",
    }
    assert not found.get("namespaces")
    await delete_now(sides, "apart")
