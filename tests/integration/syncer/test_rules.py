"""Rules of sections 2.1 to 2.3 of the specification that need only one object each, on real API servers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nestling.kube import errors
from nestling.kube.resource import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    EVENTS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SECRETS,
    SERVICES,
    Obj,
    Resource,
)
from nestling.naming import labels
from tests.integration.syncer.sides import Sides, pod

FORCED = {labels.FORCE_SYNC: "true"}
#: Nobody runs these pods; what becomes of them on the host shows all the same.
NOWHERE = {"no": "such-node"}
PREFIX = "vcluster.loft.sh/"
DAEMON_SETS = Resource("apps", "v1", "daemonsets", "DaemonSet", namespaced=True)


async def translated(sides: Sides, name: str, *, meta: Obj | None = None, **spec: object) -> Obj:
    """The host pod of a pod that waits for ever, which is deleted at once."""
    await sides.create(PODS, name, {"spec": {**pod()["spec"], "nodeSelector": NOWHERE, **spec}}, **(meta or {}))
    host = await sides.on_host(PODS, name)
    await sides.virtual.delete(PODS, name, "default", grace_period_seconds=0)
    return host


async def test_2_1_text_and_binary_data_go_both_ways(sides: Sides) -> None:
    await sides.create(CONFIG_MAPS, "binary", {"data": {"a": "b"}, "binaryData": {"c": "AQI="}}, annotations=FORCED)
    await sides.settled(CONFIG_MAPS, "binary")
    await sides.change_on_host(CONFIG_MAPS, "binary", {"data": {"a": None, "d": "e"}, "binaryData": {"f": "Ag=="}})
    virtual = await sides.above(CONFIG_MAPS, "binary", lambda one: one["data"] == {"d": "e"})
    assert virtual["binaryData"] == {"c": "AQI=", "f": "Ag=="}


async def test_2_1_a_token_secret_is_opaque_on_the_host(sides: Sides) -> None:
    annotations = {**FORCED, "kubernetes.io/service-account.name": "default"}
    body = {"type": "kubernetes.io/service-account-token"}
    await sides.create(SECRETS, "account-token", body, annotations=annotations)
    host = await sides.on_host(SECRETS, "account-token", lambda one: "token" in (one.get("data") or {}))
    assert host["type"] == "Opaque"
    assert not [key for key in host["metadata"]["annotations"] if key.startswith("kubernetes.io/service-account.")]
    assert (await sides.above(SECRETS, "account-token"))["type"] == "kubernetes.io/service-account-token"
    await sides.virtual.delete(SECRETS, "account-token", "default")
    await sides.gone_on_host(SECRETS, "account-token")


async def test_2_1_events_about_other_kinds_are_not_shown(sides: Sides) -> None:
    namespace = sides.tenant.namespace
    for kind, name in (("Lease", "foreign.1"), ("Pod", "after-foreign.1")):
        involved = {"kind": kind, "name": sides.host_name("eventless"), "namespace": namespace}
        event = {"metadata": {"name": name}, "involvedObject": involved, "message": "x", "type": "Normal"}
        await sides.host.create(EVENTS, event, namespace)
    # about no object of the tenant; a forced one that came later is shown
    meta = {"name": "last.1", "annotations": FORCED}
    involved = {"kind": "Namespace", "name": namespace, "namespace": namespace}
    await sides.host.create(EVENTS, {"metadata": meta, "involvedObject": involved, "message": "x"}, namespace)
    await sides.above(EVENTS, "last.1")
    shown = {one["metadata"]["name"] for one in await sides.virtual.list(EVENTS)}
    assert not shown & {"foreign.1", "after-foreign.1"}


async def test_2_2_annotations_for_the_downward_api_and_the_autoscaler(sides: Sides) -> None:
    # a real one that runs nowhere: the garbage collector takes pods of owners that do not exist
    template = {"metadata": {"labels": {"app": "agents"}}, "spec": {**pod()["spec"], "nodeSelector": NOWHERE}}
    agents = {"spec": {"selector": {"matchLabels": {"app": "agents"}}, "template": template}}
    made = await sides.create(DAEMON_SETS, "agents", agents)
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agents", "uid": made["metadata"]["uid"]}
    # its labels are those of the selector: a DaemonSet lets go of pods that it does not select
    meta: Any = {"labels": {"app": "agents"}, "ownerReferences": [{**owner, "controller": True}]}
    await sides.create(PODS, "owned", {"spec": {**pod()["spec"], "nodeSelector": NOWHERE}}, **meta)
    host = await sides.on_host(PODS, "owned")
    uid = host["metadata"]["annotations"][labels.OBJECT_UID]
    notes = host["metadata"]["annotations"]
    assert {key: notes[PREFIX + key] for key in ("name", "namespace", "uid", "service-account-name", "labels")} == {
        "name": "owned",
        "namespace": "default",
        "uid": uid,
        "service-account-name": "default",
        "labels": 'app="agents"',
    }
    assert notes[f"{PREFIX}owner-set-kind"] == "DaemonSet"
    assert json.loads(notes[f"{PREFIX}owner-references"])[0]["name"] == "agents"
    assert notes["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "true"
    assert notes["cluster-autoscaler.kubernetes.io/daemonset-pod"] == "true"
    assert host["metadata"]["ownerReferences"][0]["kind"] == "Service"
    await sides.virtual.delete(PODS, "owned", "default", grace_period_seconds=0)
    await sides.virtual.delete(DAEMON_SETS, "agents", "default")


async def test_2_2_a_priority_class_that_is_not_synced_stays_above(sides: Sides) -> None:
    host = await translated(sides, "important", priorityClassName="system-node-critical")
    assert "priorityClassName" not in host["spec"]
    assert host["spec"].get("priority", 0) == 0


async def test_2_2_a_subdomain_is_written_into_the_hosts_file(sides: Sides) -> None:
    host = await translated(sides, "in-subdomain", subdomain="web")
    assert "subdomain" not in host["spec"]
    (init,) = host["spec"]["initContainers"]
    assert init["name"] == "vcluster-rewrite-hosts"
    (mount,) = [one for one in host["spec"]["containers"][0]["volumeMounts"] if one["mountPath"] == "/etc/hosts"]
    assert mount["subPath"] == "hosts"
    assert host["metadata"]["annotations"][f"{PREFIX}hosts-rewritten"] == "true"


@pytest.mark.parametrize(
    ("policy", "expected"), [("Default", "Default"), ("None", "None"), ("ClusterFirstWithHostNet", "None")]
)
async def test_2_2_dns_policies(sides: Sides, policy: str, expected: str) -> None:
    config = {"nameservers": ["192.0.2.53"], "searches": ["example.com"]}
    host = await translated(sides, f"dns-{policy.lower()}", dnsPolicy=policy, dnsConfig=config)
    assert host["spec"]["dnsPolicy"] == expected
    assert host["spec"]["dnsConfig"]["nameservers"][-1] == "192.0.2.53"
    assert host["spec"]["dnsConfig"]["searches"][-1] == "example.com"
    assert len(host["spec"]["dnsConfig"]["nameservers"]) == (2 if policy == "ClusterFirstWithHostNet" else 1)


async def test_2_2_an_ephemeral_volume_is_the_claim_that_the_virtual_cluster_makes(sides: Sides) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    volumes = [{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": claim}}}]
    await sides.create(PODS, "temporary", pod(volumes=volumes))
    host = await sides.on_host(PODS, "temporary", lambda one: (one.get("status") or {}).get("phase") == "Running")
    (volume,) = [one for one in host["spec"]["volumes"] if one["name"] == "scratch"]
    assert volume["persistentVolumeClaim"]["claimName"] == sides.host_name("temporary-scratch")
    await sides.on_host(PERSISTENT_VOLUME_CLAIMS, "temporary-scratch")
    await sides.virtual.delete(PODS, "temporary", "default", grace_period_seconds=0)
    await sides.gone_on_host(PERSISTENT_VOLUME_CLAIMS, "temporary-scratch")


async def test_2_2_topology_spread_counts_pods_of_the_tenant_only(sides: Sides) -> None:
    spread = {
        "maxSkew": 1,
        "topologyKey": "zone",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"release": "x"}},
    }
    host = await translated(sides, "spread", topologySpreadConstraints=[spread])
    assert host["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"] == {
        "vcluster.loft.sh/label-one-x-a4d451ec23": "x",
        labels.MANAGED_BY: "one",
        labels.NAMESPACE: "default",
    }


async def test_2_2_a_gate_that_the_tenant_lifts_and_a_deadline_reach_the_host(sides: Sides) -> None:
    gates = [{"name": "example.com/first"}, {"name": "example.com/second"}]
    await sides.create(PODS, "gates", pod(schedulingGates=gates))
    await sides.on_host(PODS, "gates", lambda one: one["spec"]["schedulingGates"] == gates)
    await sides.change(PODS, "gates", {"spec": {"schedulingGates": gates[:1], "activeDeadlineSeconds": 3600}})
    host = await sides.on_host(PODS, "gates", lambda one: one["spec"].get("schedulingGates") == gates[:1])
    assert host["spec"]["activeDeadlineSeconds"] == 3600
    await sides.virtual.delete(PODS, "gates", "default", grace_period_seconds=0)


async def test_2_3_annotations_that_stay_on_their_side(sides: Sides) -> None:
    theirs, ports = "field.cattle.io/publicEndpoints", [{"port": 80}]
    await sides.create(SERVICES, "published", {"spec": {"ports": ports}}, annotations={theirs: "[]", "note": "1"})
    host = await sides.on_host(SERVICES, "published")
    assert theirs not in host["metadata"]["annotations"]
    leader = {"control-plane.alpha.kubernetes.io/leader": "{}", "note": "1"}
    await sides.create(ENDPOINTS, "published", {"subsets": []}, annotations=leader)
    endpoints = await sides.on_host(
        ENDPOINTS, "published", lambda one: "note" in (one["metadata"].get("annotations") or {})
    )
    assert not leader.keys() & endpoints["metadata"]["annotations"].keys() - {"note"}


async def test_2_3_references_to_pods_lose_what_belongs_to_the_virtual_pod(sides: Sides) -> None:
    await sides.create(SERVICES, "refers", {"spec": {"ports": [{"port": 80}]}})
    target = {"kind": "Pod", "name": "web", "namespace": "default", "uid": "u", "resourceVersion": "1"}
    addresses = [{"ip": "192.0.2.5", "targetRef": target}]
    await sides.create(ENDPOINTS, "refers", {"subsets": [{"addresses": addresses, "ports": [{"port": 80}]}]})
    host = await sides.on_host(ENDPOINTS, "refers", lambda one: one.get("subsets"))
    assert host["subsets"][0]["addresses"][0]["targetRef"] == {
        "kind": "Pod",
        "name": sides.host_name("web"),
        "namespace": sides.tenant.namespace,
    }


async def test_2_3_slices_of_a_service_with_selector_are_the_hosts_business(sides: Sides) -> None:
    await sides.create(SERVICES, "selects", {"spec": {"ports": [{"port": 80}], "selector": {"app": "nobody"}}})
    body = {"addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.9"]}], "ports": [{"port": 80}]}
    await sides.create(ENDPOINT_SLICES, "mine", body, labels={"kubernetes.io/service-name": "selects"})
    await sides.settled(SERVICES, "selects")
    with pytest.raises(errors.NotFound):
        await sides.host.get(ENDPOINT_SLICES, sides.host_name("mine"), sides.tenant.namespace)
