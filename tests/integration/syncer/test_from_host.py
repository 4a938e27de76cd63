"""Sections 2.4 and 2.9 of the specification on real API servers: real nodes, a scheduler of the virtual cluster, and
ConfigMaps and Secrets of host namespaces.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Final

import pytest

from nestling.kube import errors
from nestling.kube.resource import (
    CONFIG_MAPS,
    CSI_DRIVERS,
    CSI_STORAGE_CAPACITIES,
    NAMESPACES,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    SECRETS,
    STORAGE_CLASSES,
    Obj,
)
from nestling.naming import labels, names
from tests.integration.syncer.sides import Sides, VirtualCluster, opened, pod, until
from tests.support import kubelet_client

SHARED: Final = "shared-by-host"
CLAIM: Final = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


@pytest.fixture
async def third(third_vcluster: VirtualCluster) -> AsyncIterator[Sides]:
    async with opened(third_vcluster) as made:
        with contextlib.suppress(errors.AlreadyExists):
            await made.host.create(NAMESPACES, {"metadata": {"name": SHARED}})
        yield made


async def put(sides: Sides, name: str, body: Obj, *, resource: object = CONFIG_MAPS, **meta: object) -> None:
    assert resource in (CONFIG_MAPS, SECRETS)
    chosen = CONFIG_MAPS if resource is CONFIG_MAPS else SECRETS
    await sides.host.create(chosen, {**body, "metadata": {"name": name, "namespace": SHARED, **meta}}, SHARED)


async def test_2_9_config_maps_of_the_host_appear_follow_and_go(third: Sides) -> None:
    await put(third, "settings", {"data": {"a": "1"}, "binaryData": {"b": "AA=="}}, labels={"tier": "1"})
    seen = await third.above(CONFIG_MAPS, "settings", namespace="config")
    assert (seen["data"], seen["binaryData"]) == ({"a": "1"}, {"b": "AA=="})
    assert seen["metadata"]["labels"] == {"tier": "1"}
    await third.host.patch(CONFIG_MAPS, "settings", {"binaryData": {"c": "AQ=="}}, SHARED)
    await third.above(CONFIG_MAPS, "settings", lambda one: "c" in one["binaryData"], namespace="config")
    await third.change(CONFIG_MAPS, "settings", {"data": {"a": "mine", "x": "y"}}, namespace="config")
    await third.above(CONFIG_MAPS, "settings", lambda one: one["data"] == {"a": "1"}, namespace="config")
    await third.virtual.delete(CONFIG_MAPS, "settings", "config")
    uid = seen["metadata"]["uid"]
    await third.above(CONFIG_MAPS, "settings", lambda one: one["metadata"]["uid"] != uid, namespace="config")
    await third.host.delete(CONFIG_MAPS, "settings", SHARED)
    await third.gone_above(CONFIG_MAPS, "settings", namespace="config")


async def test_2_9_a_secret_of_another_type_or_made_anew_as_immutable_follows(third: Sides) -> None:
    await put(third, "password", {"data": {"p": "YQ=="}, "type": "Opaque"}, resource=SECRETS)
    await third.above(SECRETS, "password", namespace="config")
    await third.host.delete(SECRETS, "password", SHARED)
    await third.gone_above(SECRETS, "password", namespace="config")
    typed = {"data": {"p": "Yg=="}, "type": "example.com/kind", "immutable": True}
    await put(third, "password", typed, resource=SECRETS)
    seen = await third.above(SECRETS, "password", namespace="config")
    assert (seen["data"], seen["type"], seen["immutable"]) == (typed["data"], typed["type"], True)
    await third.host.delete(SECRETS, "password", SHARED)
    await third.gone_above(SECRETS, "password", namespace="config")


async def test_2_9_the_namespace_that_the_tenant_deleted_comes_back_with_what_is_in_it(third: Sides) -> None:
    await put(third, "lasting", {"data": {"a": "1"}})
    before = (await third.above(CONFIG_MAPS, "lasting", namespace="config"))["metadata"]["uid"]
    await third.virtual.delete(NAMESPACES, "config")
    await third.above(CONFIG_MAPS, "lasting", lambda one: one["metadata"]["uid"] != before, namespace="config")
    await third.host.delete(CONFIG_MAPS, "lasting", SHARED)
    await third.gone_above(CONFIG_MAPS, "lasting", namespace="config")


async def test_2_9_what_the_tenant_has_under_the_name_is_left_as_it_is(third: Sides) -> None:
    await third.host.create(NAMESPACES, {"metadata": {"name": "one-of-many"}})
    await third.create(CONFIG_MAPS, "only", {"data": {"mine": "1"}})
    for name in ("only", "not-named"):
        body = {"metadata": {"name": name, "namespace": "one-of-many"}, "data": {"theirs": "1"}}
        await third.host.create(CONFIG_MAPS, body, "one-of-many")
    await third.warning("only", "not made from it")
    assert (await third.above(CONFIG_MAPS, "only"))["data"] == {"mine": "1"}
    await third.virtual.delete(CONFIG_MAPS, "only", "default")
    await third.above(CONFIG_MAPS, "only", lambda one: one["data"] == {"theirs": "1"})
    assert "not-named" not in {one["metadata"]["name"] for one in await third.virtual.list(CONFIG_MAPS)}
    await third.host.delete(NAMESPACES, "one-of-many")
    await third.gone_above(CONFIG_MAPS, "only")


async def test_attack_a_tenant_reaches_no_host_object_that_is_not_named(third: Sides) -> None:
    """Forged marks, names and namespaces of the host in the virtual cluster: nothing of the host comes in."""
    secret = {"data": {"p": "c2VjcmV0"}, "metadata": {"name": "crown", "namespace": "kube-system"}}
    await third.host.create(SECRETS, secret, "kube-system")
    forged = {
        labels.OBJECT_IMPORTED: "true",
        labels.OBJECT_NAME: "crown",
        labels.OBJECT_NAMESPACE: "kube-system",
        labels.OBJECT_HOST_NAME: "crown",
        labels.OBJECT_HOST_NAMESPACE: "kube-system",
        labels.FORCE_SYNC: "true",
    }
    await third.create(NAMESPACES, SHARED, {})
    for namespace in ("kube-system", SHARED, "default"):
        await third.create(SECRETS, "crown", {"data": {}}, namespace=namespace, annotations=forged)
    await put(third, "after", {"data": {}}, resource=SECRETS)
    await third.above(SECRETS, "after", namespace="config")
    for one in await third.virtual.list(SECRETS):
        assert "p" not in (one.get("data") or {}), one["metadata"]
    assert "certs" not in str([one["metadata"]["name"] for one in await third.virtual.list(SECRETS, "own")])
    await third.host.delete(SECRETS, "crown", "kube-system")
    await third.host.delete(SECRETS, "after", SHARED)
    for namespace in (SHARED, "default"):
        with contextlib.suppress(errors.NotFound):
            await third.virtual.delete(SECRETS, "crown", namespace)


async def test_attack_copies_of_tenants_objects_and_control_planes_are_not_shown(third: Sides, sides: Sides) -> None:
    """The own namespace is mapped whole: neither what this tenant has there comes back, nor its certificates."""
    await third.create(CONFIG_MAPS, "forced", {"data": {"a": "1"}}, annotations={labels.FORCE_SYNC: "true"})
    await third.on_host(CONFIG_MAPS, "forced")
    body = {"metadata": {"name": "plain", "namespace": third.tenant.namespace}, "data": {"a": "1"}}
    await third.host.create(CONFIG_MAPS, body, third.tenant.namespace)
    await third.above(CONFIG_MAPS, "plain", namespace="own")
    own = {one["metadata"]["name"] for one in await third.virtual.list(CONFIG_MAPS, "own")}
    # The controller manager brings its own one to each namespace, sooner or later.
    assert own - {"kube-root-ca.crt"} == {"plain"}
    secrets = {one["metadata"]["name"] for one in await third.virtual.list(SECRETS, "own")}
    assert secrets == set()
    await third.host.delete(CONFIG_MAPS, "plain", third.tenant.namespace)
    await third.virtual.delete(CONFIG_MAPS, "forced", "default")
    await third.gone_above(CONFIG_MAPS, "plain", namespace="own")


async def test_2_4_all_nodes_of_the_host_are_shown_and_lead_to_the_facade(third: Sides) -> None:
    on_host = {one["metadata"]["name"]: one for one in await third.host.list(NODES)}
    for name, host in on_host.items():
        node = await third.above(NODES, name, lambda one: one["status"].get("addresses"), namespace=None)
        assert node["status"]["capacity"] == host["status"]["capacity"]
        by_type = {one["type"]: one["address"] for one in node["status"]["addresses"]}
        assert by_type["Hostname"] == names.node_hostname(name)
        assert by_type["ExternalDNS"] == "127.0.0.1"
        assert by_type["InternalIP"] not in {one["address"] for one in host["status"]["addresses"]}
    assert {one["metadata"]["name"] for one in await third.virtual.list(NODES)} == set(on_host)


async def test_2_4_labels_and_taints_follow_and_those_of_the_tenant_stay(third: Sides) -> None:
    name = (await third.host.list(NODES))[0]["metadata"]["name"]
    taint = {"key": "own", "effect": "PreferNoSchedule"}
    await third.above(NODES, name, namespace=None)
    await third.virtual.patch(NODES, name, {"metadata": {"labels": {"own": "1"}}, "spec": {"taints": [taint]}})
    await third.host.patch(NODES, name, {"metadata": {"labels": {"from-host": "1"}}})
    seen = await third.above(NODES, name, lambda one: "from-host" in one["metadata"]["labels"], namespace=None)
    assert seen["metadata"]["labels"]["own"] == "1"
    assert taint in seen["spec"]["taints"]
    assert "own" not in (await third.host.get(NODES, name))["metadata"]["labels"]
    await third.virtual.patch(NODES, name, {"metadata": {"labels": {"own": None}}, "spec": {"taints": None}})
    await third.host.patch(NODES, name, {"metadata": {"labels": {"from-host": None}}})
    await third.above(NODES, name, lambda one: "from-host" not in one["metadata"]["labels"], namespace=None)


async def test_2_2_the_virtual_scheduler_places_pods_and_the_host_follows(third: Sides) -> None:
    """A label that only the virtual node has: the host's scheduler could not have chosen."""
    name = max(one["metadata"]["name"] for one in await third.host.list(NODES))
    await third.above(NODES, name, namespace=None)
    await third.virtual.patch(NODES, name, {"metadata": {"labels": {"only": "here"}}})
    await third.create(PODS, "placed", pod(nodeSelector={"only": "here"}))
    host = await third.on_host(PODS, "placed", lambda one: (one.get("status") or {}).get("phase") == "Running")
    assert host["spec"]["nodeName"] == name
    assert "nodeSelector" not in host["spec"]
    await third.above(PODS, "placed", lambda one: (one.get("status") or {}).get("phase") == "Running")
    await third.create(PODS, "nowhere", pod(nodeSelector={"only": "elsewhere"}))

    async def refused() -> bool | None:
        conditions = ((await third.above(PODS, "nowhere")).get("status") or {}).get("conditions") or ()
        return True if any(one.get("reason") == "Unschedulable" for one in conditions) else None

    await until(refused, "a condition of the virtual scheduler", explain=third.cluster.logs)
    with pytest.raises(errors.NotFound):
        await third.host.get(PODS, third.host_name("nowhere"), third.tenant.namespace)
    for one in ("placed", "nowhere"):
        await third.virtual.delete(PODS, one, "default", grace_period_seconds=0)
    await third.virtual.patch(NODES, name, {"metadata": {"labels": {"only": None}}})
    await third.gone_on_host(PODS, "placed")


async def test_2_4_what_others_use_of_a_node_is_not_there_for_the_tenant(third: Sides) -> None:
    node = (await third.host.list(NODES))[0]
    name, whole = node["metadata"]["name"], node["status"]["allocatable"]["cpu"]
    before = (await third.above(NODES, name, namespace=None))["status"]["allocatable"]
    body = pod(containers=[{"name": "a", "image": "nginx", "resources": {"requests": {"cpu": "1"}}}], nodeName=name)
    meta = {"name": "of-somebody-else", "namespace": "default"}
    await third.host.create(PODS, {**body, "metadata": meta}, "default")
    await third.above(NODES, name, lambda one: one["status"]["allocatable"] != before, namespace=None)
    assert (await third.host.get(NODES, name))["status"]["allocatable"]["cpu"] == whole
    assert "of-somebody-else" not in json.dumps(await third.virtual.list(PODS))
    await third.host.delete(PODS, "of-somebody-else", "default", grace_period_seconds=0)
    await third.above(NODES, name, lambda one: one["status"]["allocatable"] == before, namespace=None)


async def test_2_5_a_claim_that_waits_for_its_consumer_is_made_where_the_pod_goes(third: Sides) -> None:
    name = (await third.host.list(NODES))[0]["metadata"]["name"]
    late = {
        "metadata": {"name": "late"},
        "provisioner": "example.com/late",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    await third.host.create(STORAGE_CLASSES, late)
    await third.above(STORAGE_CLASSES, "late", namespace=None)
    await third.create(PERSISTENT_VOLUME_CLAIMS, "late", {"spec": {**CLAIM, "storageClassName": "late"}})
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "late"}}]
    await third.create(PODS, "consumer", pod(volumes=volumes, nodeSelector={"kubernetes.io/hostname": name}))
    chosen = "volume.kubernetes.io/selected-node"
    claim = await third.on_host(
        PERSISTENT_VOLUME_CLAIMS, "late", lambda one: chosen in one["metadata"].get("annotations", {})
    )
    assert claim["metadata"]["annotations"][chosen] == name
    # what a provisioner does
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [name]}]}]
    volume = {
        "metadata": {"name": "made-late"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "storageClassName": "late",
            "hostPath": {"path": "/tmp/made-late"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "name": claim["metadata"]["name"],
                "namespace": third.tenant.namespace,
                "uid": claim["metadata"]["uid"],
            },
        },
    }
    await third.host.create(PERSISTENT_VOLUMES, volume)
    await third.on_host(PODS, "consumer", lambda one: (one.get("status") or {}).get("phase") == "Running")
    shown = await third.above(PERSISTENT_VOLUMES, "made-late", namespace=None)
    assert shown["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"] == terms
    assert "hostPath" not in shown["spec"]
    await third.virtual.delete(PODS, "consumer", "default", grace_period_seconds=0)
    await third.virtual.delete(PERSISTENT_VOLUME_CLAIMS, "late", "default")
    await third.gone_on_host(PERSISTENT_VOLUME_CLAIMS, "late")
    await third.host.delete(PERSISTENT_VOLUMES, "made-late")
    await third.host.delete(STORAGE_CLASSES, "late")


async def test_the_facade_shows_of_a_real_node_the_tenants_pods_only(third: Sides, sides: Sides) -> None:
    await sides.create(PODS, "of-another-tenant", pod())
    host = await sides.on_host(PODS, "of-another-tenant", lambda one: one["spec"].get("nodeName"))
    name = host["spec"]["nodeName"]
    await third.create(PODS, "beside", pod(nodeSelector={"kubernetes.io/hostname": name}))
    await third.above(PODS, "beside", lambda one: one["spec"].get("nodeName") == name)
    await third.on_host(PODS, "beside", lambda one: one["spec"].get("nodeName") == name)
    node = await third.virtual.get(NODES, name)
    port = node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    tls = kubelet_client.tls(third.cluster.folder / "data" / "pki")
    listed = await kubelet_client.ask(port, tls, "GET", "/pods", host=names.node_hostname(name))
    assert "beside" in listed.text
    assert "of-another-tenant" not in listed.text
    assert sides.tenant.namespace not in listed.text
    for one in ("/containerLogs/default/of-another-tenant/app", "/run/x", "/configz"):
        answer = await kubelet_client.ask(port, tls, "GET", one, host=names.node_hostname(name))
        assert answer.status in (403, 404), one
    await third.virtual.delete(PODS, "beside", "default", grace_period_seconds=0)
    await sides.virtual.delete(PODS, "of-another-tenant", "default", grace_period_seconds=0)


async def test_nothing_is_written_again_and_again(third: Sides) -> None:
    """Nodes whose status the two versions of Kubernetes do not both know in full settle all the same."""
    name = (await third.host.list(NODES))[0]["metadata"]["name"]
    await third.above(NODES, name, namespace=None)
    await put(third, "quiet", {"data": {"a": "1"}})
    seen = await third.above(CONFIG_MAPS, "quiet", namespace="config")
    versions = [seen["metadata"]["resourceVersion"]]
    await third.create(CONFIG_MAPS, "marker", {"data": {}}, annotations={labels.FORCE_SYNC: "true"})
    await third.settled(CONFIG_MAPS, "marker")
    seen = await third.above(CONFIG_MAPS, "quiet", namespace="config")
    assert [seen["metadata"]["resourceVersion"]] == versions
    await third.virtual.delete(CONFIG_MAPS, "marker", "default")
    await third.host.delete(CONFIG_MAPS, "quiet", SHARED)
    await third.gone_above(CONFIG_MAPS, "quiet", namespace="config")


async def test_5_pods_that_violate_the_standard_are_refused_whatever_a_namespace_says(third: Sides) -> None:
    """Taking the label off lets a pod in for a moment, but not to the host."""
    enforce = "pod-security.kubernetes.io/enforce"
    body = pod(hostNetwork=True)
    await third.above(
        NAMESPACES, "default", lambda one: one["metadata"]["labels"].get(enforce) == "baseline", namespace=None
    )
    await third.create(NAMESPACES, "late", {})
    await third.above(NAMESPACES, "late", lambda one: enforce in one["metadata"]["labels"], namespace=None)

    async def refused() -> bool | None:
        try:
            await third.create(PODS, "refused", body)
        except errors.Forbidden:
            return True
        await third.virtual.delete(PODS, "refused", "default", grace_period_seconds=0)
        return None

    await until(refused, "a refusal of the virtual API server", explain=third.cluster.logs)

    async def slipped_in() -> bool | None:
        await third.virtual.patch(NAMESPACES, "default", {"metadata": {"labels": {enforce: "privileged"}}})
        try:
            await third.create(PODS, "slipped-in", body)
        except errors.Forbidden:
            return None
        return True

    await until(slipped_in, "a moment without the label", explain=third.cluster.logs)
    await third.warning("slipped-in", "Pod slipped-in is forbidden: violates PodSecurity")
    with pytest.raises(errors.NotFound):
        await third.host.get(PODS, third.host_name("slipped-in"), third.tenant.namespace)
    await third.above(
        NAMESPACES, "default", lambda one: one["metadata"]["labels"][enforce] == "baseline", namespace=None
    )
    await third.virtual.delete(PODS, "slipped-in", "default", grace_period_seconds=0)
    await third.virtual.delete(NAMESPACES, "late")


async def test_2_1_the_scheduler_sees_drivers_and_the_room_that_they_have(third: Sides) -> None:
    name = (await third.host.list(NODES))[0]["metadata"]["name"]
    await third.host.create(CSI_DRIVERS, {"metadata": {"name": "csi.example"}, "spec": {"storageCapacity": True}})
    seen = await third.above(CSI_DRIVERS, "csi.example", namespace=None)
    assert seen["spec"]["storageCapacity"] is True
    await third.host.create(STORAGE_CLASSES, {"metadata": {"name": "roomy"}, "provisioner": "csi.example"})
    room = {
        "metadata": {"name": "room", "namespace": SHARED},
        "storageClassName": "roomy",
        "capacity": "1Gi",
        "nodeTopology": {"matchLabels": {"kubernetes.io/hostname": name}},
    }
    await third.host.create(CSI_STORAGE_CAPACITIES, room, SHARED)
    shown = f"room-x-{SHARED}"
    await third.above(CSI_STORAGE_CAPACITIES, shown, namespace="kube-system")
    await third.host.patch(CSI_STORAGE_CAPACITIES, "room", {"capacity": "2Gi"}, SHARED)
    await third.above(CSI_STORAGE_CAPACITIES, shown, lambda one: one["capacity"] == "2Gi", namespace="kube-system")
    await third.host.delete(STORAGE_CLASSES, "roomy")
    await third.gone_above(CSI_STORAGE_CAPACITIES, shown, namespace="kube-system")
    await third.host.delete(CSI_STORAGE_CAPACITIES, "room", SHARED)
    await third.host.delete(CSI_DRIVERS, "csi.example")
    await third.gone_above(CSI_DRIVERS, "csi.example", namespace=None)
