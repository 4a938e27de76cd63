"""Sections 2.1, 2.4 and 2.5 of the specification, on real API servers: used objects, nodes, storage, events."""

from __future__ import annotations

import asyncio

from nestling.kube import errors
from nestling.kube.resource import (
    CONFIG_MAPS,
    EVENTS,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    SECRETS,
    SERVICES,
    STORAGE_CLASSES,
    Obj,
)
from nestling.naming import labels, names
from tests.integration.syncer.sides import Sides, pod, until

CLAIM = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}


def is_bound(one: Obj) -> bool:
    return bool((one.get("status") or {}).get("phase") == "Bound")


async def test_2_1_config_maps_and_secrets_are_synced_while_they_are_used(sides: Sides) -> None:
    await sides.create(CONFIG_MAPS, "used", {"data": {"a": "b"}})
    await sides.create(SECRETS, "used", {"data": {"a": "Yg=="}, "type": "example.com/kind"})
    await sides.create(CONFIG_MAPS, "unused", {"data": {}})
    volumes = [
        {"name": "c", "configMap": {"name": "used"}},
        {"name": "s", "secret": {"secretName": "used"}},
    ]
    await sides.create(PODS, "uses", pod(volumes=volumes))
    assert (await sides.on_host(CONFIG_MAPS, "used"))["data"] == {"a": "b"}
    assert (await sides.on_host(SECRETS, "used"))["type"] == "example.com/kind"
    await sides.change(CONFIG_MAPS, "used", {"data": {"a": "new"}})
    await sides.on_host(CONFIG_MAPS, "used", lambda one: one["data"] == {"a": "new"})
    await sides.virtual.delete(PODS, "uses", "default", grace_period_seconds=0)
    await sides.gone_on_host(CONFIG_MAPS, "used")
    await sides.gone_on_host(SECRETS, "used")
    await sides.above(CONFIG_MAPS, "used")
    on_host = [one["metadata"]["name"] for one in await sides.host.list(CONFIG_MAPS, sides.tenant.namespace)]
    assert sides.host_name("unused") not in on_host


async def test_2_1_events_of_the_host_are_shown_in_virtual_names(sides: Sides) -> None:
    await sides.create(PODS, "eventful", pod(nodeSelector={"no": "such-node"}))

    async def look() -> Obj | None:
        events = await sides.virtual.list(EVENTS, "default")
        about = (one for one in events if one["involvedObject"].get("name") == "eventful")
        return next((one for one in about if one["reason"] == "FailedScheduling"), None)

    event = await until(look, "event of the host's scheduler", explain=sides.cluster.logs)
    assert event["metadata"]["name"].startswith("eventful.")
    virtual = await sides.above(PODS, "eventful")
    assert event["involvedObject"]["uid"] == virtual["metadata"]["uid"]
    assert sides.host_name("eventful") not in str(event)
    await sides.virtual.delete(PODS, "eventful", "default", grace_period_seconds=0)


async def test_2_1_storage_classes_of_the_host_are_mirrored(sides: Sides) -> None:
    standard = await sides.virtual.get(STORAGE_CLASSES, "standard")
    on_host = await sides.host.get(STORAGE_CLASSES, "standard")
    assert standard["provisioner"] == on_host["provisioner"]
    fast = {"metadata": {"name": "fast", "labels": {"tier": "1"}}, "provisioner": "example.com/fast"}
    await sides.host.create(STORAGE_CLASSES, fast)
    seen = await sides.above(STORAGE_CLASSES, "fast", namespace=None)
    assert (seen["provisioner"], seen["metadata"]["labels"]) == ("example.com/fast", {"tier": "1"})
    await sides.virtual.delete(STORAGE_CLASSES, "fast")
    uid = seen["metadata"]["uid"]
    await sides.above(STORAGE_CLASSES, "fast", lambda one: one["metadata"]["uid"] != uid, namespace=None)
    await sides.host.delete(STORAGE_CLASSES, "fast")
    await sides.gone_above(STORAGE_CLASSES, "fast", namespace=None)


async def test_2_4_a_fake_node_appears_with_its_pod_and_vanishes_with_it(sides: Sides) -> None:
    busy = {one["spec"].get("nodeName") for one in await sides.virtual.list(PODS)}
    free = [one["metadata"]["name"] for one in await sides.host.list(NODES) if one["metadata"]["name"] not in busy]
    node = free[0]
    service_name = names.node_service_name(node, sides.tenant)
    selector = {"kubernetes.io/hostname": node}
    await sides.create(PODS, "alone", pod(nodeSelector=selector))
    fake = await sides.above(NODES, node, lambda one: one["status"].get("addresses"), namespace=None)
    service = await sides.host.get(SERVICES, service_name, sides.tenant.namespace)
    assert fake["metadata"]["labels"][labels.FAKE_NODE] == "true"
    assert {one["type"]: one["address"] for one in fake["status"]["addresses"]} == {
        "Hostname": names.node_hostname(node),
        "InternalIP": service["spec"]["clusterIP"],
        "ExternalDNS": "127.0.0.1",
    }
    assert fake["status"]["capacity"]["cpu"] == "16"
    virtual = await sides.above(PODS, "alone", lambda one: one["spec"].get("nodeName"))
    assert virtual["spec"]["nodeName"] == node
    await sides.virtual.delete(PODS, "alone", "default", grace_period_seconds=0)
    await sides.gone_above(NODES, node, namespace=None)

    async def gone() -> bool | None:
        try:
            await sides.host.get(SERVICES, service_name, sides.tenant.namespace)
        except errors.NotFound:
            return True
        return None

    await until(gone, "end of the node's Service", explain=sides.cluster.logs)


async def test_2_5_a_claim_is_bound_grows_and_is_cleaned_up(sides: Sides) -> None:
    await sides.create(PERSISTENT_VOLUME_CLAIMS, "data", CLAIM)
    claim = await sides.above(PERSISTENT_VOLUME_CLAIMS, "data", is_bound)
    host = await sides.on_host(PERSISTENT_VOLUME_CLAIMS, "data", is_bound)
    assert claim["spec"]["volumeName"] == host["spec"]["volumeName"]
    assert claim["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] == "yes"
    name = claim["spec"]["volumeName"]
    volume = await sides.above(PERSISTENT_VOLUMES, name, is_bound, namespace=None)
    assert volume["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"]
    assert volume["spec"]["flexVolume"]["driver"] == "fake"
    larger = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    await sides.change(PERSISTENT_VOLUME_CLAIMS, "data", larger)
    await sides.on_host(
        PERSISTENT_VOLUME_CLAIMS, "data", lambda one: one["spec"]["resources"]["requests"]["storage"] == "2Gi"
    )
    assert (await sides.above(PERSISTENT_VOLUME_CLAIMS, "data"))["status"]["phase"] == "Bound"
    await sides.virtual.delete(PERSISTENT_VOLUME_CLAIMS, "data", "default")
    await sides.gone_above(PERSISTENT_VOLUME_CLAIMS, "data")
    await sides.gone_on_host(PERSISTENT_VOLUME_CLAIMS, "data")
    await sides.gone_above(PERSISTENT_VOLUMES, name, namespace=None)


async def test_2_5_a_pod_uses_its_claim(sides: Sides) -> None:
    await sides.create(PERSISTENT_VOLUME_CLAIMS, "used-claim", CLAIM)
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "used-claim"}}]
    await sides.create(PODS, "claims", pod(volumes=volumes))
    host = await sides.on_host(PODS, "claims", lambda one: (one.get("status") or {}).get("phase") == "Running")
    claims = [one["persistentVolumeClaim"]["claimName"] for one in host["spec"]["volumes"] if one["name"] == "v"]
    assert claims == [sides.host_name("used-claim")]
    await sides.virtual.delete(PODS, "claims", "default", grace_period_seconds=0)
    await sides.virtual.delete(PERSISTENT_VOLUME_CLAIMS, "used-claim", "default")
    await sides.gone_on_host(PERSISTENT_VOLUME_CLAIMS, "used-claim")


async def test_2_5_a_claim_that_is_deleted_on_the_host_is_deleted_above(sides: Sides) -> None:
    await sides.create(PERSISTENT_VOLUME_CLAIMS, "lost", CLAIM)
    await sides.above(PERSISTENT_VOLUME_CLAIMS, "lost", is_bound)
    await sides.host.delete(PERSISTENT_VOLUME_CLAIMS, sides.host_name("lost"), sides.tenant.namespace)
    await asyncio.gather(
        sides.gone_above(PERSISTENT_VOLUME_CLAIMS, "lost"), sides.gone_on_host(PERSISTENT_VOLUME_CLAIMS, "lost")
    )
