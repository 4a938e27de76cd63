"""Attacks with metadata and names, on real API servers: marks, owners, finalizers, names that mean somebody else."""

from __future__ import annotations

from typing import Any, Final

import pytest

from nestling.kube import errors
from nestling.kube.resource import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    EVENTS,
    INGRESSES,
    NAMESPACES,
    NETWORK_POLICIES,
    PERSISTENT_VOLUME_CLAIMS,
    POD_DISRUPTION_BUDGETS,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Obj,
    Resource,
)
from nestling.naming import labels
from tests.integration.syncer.sides import Sides, pod, until

FORCED: Final = {labels.FORCE_SYNC: "true"}
PORTS: Final = [{"name": "http", "port": 80, "protocol": "TCP"}]
BODIES: Final[dict[Resource, Obj]] = {
    SERVICES: {"spec": {"ports": PORTS}},
    ENDPOINTS: {"subsets": [{"addresses": [{"ip": "10.0.0.5"}], "ports": PORTS}]},
    ENDPOINT_SLICES: {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.5"]}], "ports": PORTS},
    CONFIG_MAPS: {"data": {"a": "b"}},
    SECRETS: {"data": {"a": "Yg=="}},
    PODS: pod(),
    SERVICE_ACCOUNTS: {},
    POD_DISRUPTION_BUDGETS: {"spec": {"minAvailable": 1, "selector": {}}},
    NETWORK_POLICIES: {"spec": {"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}]}]}},
    INGRESSES: {"spec": {"defaultBackend": {"service": {"name": "red", "port": {"number": 443}}}}},
    PERSISTENT_VOLUME_CLAIMS: {
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    },
}
#: What the machinery writes on host objects, with values that lead to the other virtual cluster.
LIES: Final = {
    labels.OBJECT_NAME: "victim",
    labels.OBJECT_NAMESPACE: "kube-system",
    labels.OBJECT_UID: "1",
    labels.OBJECT_KIND: "/v1, Kind=Namespace",
    labels.OBJECT_HOST_NAME: "vc-blue",
    labels.OBJECT_HOST_NAMESPACE: "vcluster-blue",
    labels.OBJECT_TENANT: "vcluster-blue/blue",
    labels.OBJECT_IMPORTED: "true",
    labels.MANAGED_ANNOTATIONS: "x",
    labels.MANAGED_LABELS: labels.MANAGED_BY,
    labels.SKIP_BACKSYNC: "true",
    labels.BLOCK_DELETION: "true",
    labels.SERVICE_CIDR: "192.0.2.0/24",
    labels.PREFIX + "replacement": '{"uid":"1","virtual":{"metadata":{"name":"victim","namespace":"kube-system"}}}',
}
FORGED_LABELS: Final = {
    labels.MANAGED_BY: "blue",
    labels.NAMESPACE: "kube-system",
    labels.RELEASE: "blue",
    labels.SERVICE: "true",
    labels.BELONGS_TO: "blue",
    labels.NODE: "node-0",
    labels.FAKE_NODE: "true",
    labels.VCLUSTER_NAME: "blue",
    "app": "vcluster",
    "vcluster-name": "blue",
}


@pytest.mark.parametrize("resource", list(BODIES), ids=lambda one: one.plural)
async def test_forged_marks(red: Sides, resource: Resource) -> None:
    """The host object says what is true, shows none of the lies, and goes with the virtual object."""
    meta: dict[str, Any] = {"labels": dict(FORGED_LABELS), "annotations": {**FORCED, **LIES}}
    if resource in (ENDPOINTS, ENDPOINT_SLICES):
        await red.create(SERVICES, "forged", BODIES[SERVICES])
        meta["labels"]["kubernetes.io/service-name"] = "forged"
    virtual = await red.create(resource, "forged", BODIES[resource], **meta)
    host = await red.on_host(resource, "forged", lambda one: labels.OBJECT_UID in (one["metadata"]["annotations"]))
    notes, marks = host["metadata"]["annotations"], host["metadata"]["labels"]
    truth = {
        labels.OBJECT_NAME: "forged",
        labels.OBJECT_NAMESPACE: "default",
        labels.OBJECT_UID: virtual["metadata"]["uid"],
        labels.OBJECT_KIND: resource.gvk,
        labels.OBJECT_HOST_NAME: red.host_name("forged"),
        labels.OBJECT_HOST_NAMESPACE: red.tenant.namespace,
    }
    assert {key: notes[key] for key in truth} == truth
    assert not [value for key, value in LIES.items() if notes.get(key) == value]
    assert (marks[labels.MANAGED_BY], marks[labels.NAMESPACE]) == ("red", "default")
    assert not (FORGED_LABELS.keys() - {labels.MANAGED_BY, labels.NAMESPACE, "app", "vcluster-name"}) & marks.keys()
    await red.virtual.delete(resource, "forged", "default", grace_period_seconds=0)
    await red.gone_on_host(resource, "forged")
    if resource in (ENDPOINTS, ENDPOINT_SLICES):
        await red.virtual.delete(SERVICES, "forged", "default")
        await red.gone_on_host(SERVICES, "forged")


async def test_policies_budgets_and_ingresses_that_mean_others(red: Sides) -> None:
    """Selectors of everything mean everything of the tenant's; a backend is a Service of the tenant's."""
    own = {labels.MANAGED_BY: "red", labels.NAMESPACE: "default"}
    for resource in (POD_DISRUPTION_BUDGETS, NETWORK_POLICIES, INGRESSES):
        await red.create(resource, "wide", BODIES[resource])
    assert (await red.on_host(POD_DISRUPTION_BUDGETS, "wide"))["spec"]["selector"] == {"matchLabels": own}
    policy = (await red.on_host(NETWORK_POLICIES, "wide"))["spec"]
    assert policy["podSelector"] == {"matchLabels": own}
    assert policy["ingress"] == [{"from": [{"podSelector": {"matchLabels": {labels.MANAGED_BY: "red"}}}]}]
    backend = (await red.on_host(INGRESSES, "wide"))["spec"]["defaultBackend"]["service"]["name"]
    assert backend == red.host_name("red")
    for resource in (POD_DISRUPTION_BUDGETS, NETWORK_POLICIES, INGRESSES):
        await red.virtual.delete(resource, "wide", "default")
        await red.gone_on_host(resource, "wide")


async def test_marks_that_come_later(red: Sides) -> None:
    await red.create(CONFIG_MAPS, "later", BODIES[CONFIG_MAPS], annotations=FORCED)
    before = await red.on_host(CONFIG_MAPS, "later")
    await red.change(CONFIG_MAPS, "later", {"metadata": {"annotations": LIES, "labels": FORGED_LABELS}})
    await red.settled(CONFIG_MAPS, "later")
    after = await red.on_host(CONFIG_MAPS, "later")
    for key in LIES:
        if key not in (labels.MANAGED_ANNOTATIONS, labels.MANAGED_LABELS):
            assert after["metadata"]["annotations"].get(key) == before["metadata"]["annotations"].get(key)
    assert after["metadata"]["labels"][labels.MANAGED_BY] == "red"
    await red.virtual.delete(CONFIG_MAPS, "later", "default")
    await red.gone_on_host(CONFIG_MAPS, "later")


async def test_marks_on_a_namespace(red: Sides) -> None:
    """Its pods carry its labels, under keys that select nothing of the host."""
    await red.create(NAMESPACES, "forged", {}, namespace="", labels=FORGED_LABELS, annotations=LIES)
    await red.above(CONFIG_MAPS, "kube-root-ca.crt", namespace="forged")

    async def made() -> Obj | None:
        try:
            return await red.create(PODS, "web", pod(), namespace="forged")
        except errors.Forbidden:  # the namespace's service account is on its way
            return None

    await until(made, "service account")
    found = (await red.on_host(PODS, "web", namespace="forged"))["metadata"]["labels"]
    own = {labels.namespace_label_key(key, red.tenant) for key in (*FORGED_LABELS, "kubernetes.io/metadata.name")}
    assert found.keys() == own | {labels.MANAGED_BY, labels.NAMESPACE}
    assert (found[labels.MANAGED_BY], found[labels.NAMESPACE]) == ("red", "forged")
    assert (await red.host.get(NAMESPACES, red.tenant.namespace))["metadata"]["labels"].keys() == {
        "kubernetes.io/metadata.name"
    }
    await red.virtual.delete(PODS, "web", "forged", grace_period_seconds=0)


async def test_an_object_that_is_given_to_another_controller_does_not_outlive_its_virtual_one(red: Sides) -> None:
    await red.create(PODS, "hidden", pod())
    await red.on_host(PODS, "hidden")
    await red.change(PODS, "hidden", {"metadata": {"labels": {labels.CONTROLLED_BY: "nobody"}}})
    await red.virtual.delete(PODS, "hidden", "default", grace_period_seconds=0)
    await red.gone_on_host(PODS, "hidden")


async def test_owners_and_finalizers_of_the_host(red: Sides) -> None:
    """An owner on the host would delete or keep objects; a finalizer would pin them, and with them the namespace."""
    service = await red.host.get(SERVICES, "red", red.tenant.namespace)
    forged = [{"apiVersion": "v1", "kind": "Service", "name": "blue", "uid": "1"}]
    await red.create(
        SECRETS, "owned", BODIES[SECRETS], annotations=FORCED, ownerReferences=forged, finalizers=["kubernetes.io/pin"]
    )
    meta = (await red.on_host(SECRETS, "owned"))["metadata"]
    assert [one["uid"] for one in meta["ownerReferences"]] == [service["metadata"]["uid"]]
    assert "finalizers" not in meta
    await red.change(SECRETS, "owned", {"metadata": {"finalizers": None}})


#: What the chart and the control plane keep in the namespace, by kind.
_OWN: Final = (
    (SERVICES, "red"),
    (SERVICES, "red-headless"),
    (SECRETS, "vc-red"),
    (SECRETS, "vc-config-red"),
    (CONFIG_MAPS, "kube-root-ca.crt"),
)


async def test_names_of_the_control_planes_own_objects(red: Sides) -> None:
    """They are other objects; those of the host are neither changed nor taken."""
    before = [await red.host.get(resource, name, red.tenant.namespace) for resource, name in _OWN]
    for resource, name in _OWN:
        if (resource, name) == (CONFIG_MAPS, "kube-root-ca.crt"):
            await red.virtual.patch(CONFIG_MAPS, name, {"data": {"ca.crt": "forged"}}, "default")
        else:
            await red.create(resource, name, BODIES[resource], annotations=FORCED)
            await red.on_host(resource, name)
            await red.virtual.delete(resource, name, "default")
            await red.gone_on_host(resource, name)
    assert [await red.host.get(resource, name, red.tenant.namespace) for resource, name in _OWN] == before


async def test_names_that_are_names_of_another_tenant_on_the_host(red: Sides, blue: Sides) -> None:
    await blue.create(SECRETS, "mine", {"data": {"of": "Ymx1ZQ=="}}, annotations=FORCED)
    before = await blue.on_host(SECRETS, "mine")
    await red.create(SECRETS, blue.host_name("mine"), {"data": {"of": "cmVk"}}, annotations=FORCED)
    mine = await red.on_host(SECRETS, blue.host_name("mine"))
    assert mine["metadata"]["namespace"] == red.tenant.namespace
    await red.virtual.delete(SECRETS, blue.host_name("mine"), "default")
    await red.gone_on_host(SECRETS, blue.host_name("mine"))
    assert await blue.on_host(SECRETS, "mine") == before


@pytest.mark.parametrize("resource", [PODS, SERVICES, SECRETS, PERSISTENT_VOLUME_CLAIMS], ids=lambda one: one.plural)
async def test_a_name_that_another_virtual_object_has_on_the_host(red: Sides, resource: Resource) -> None:
    """``a-x-b`` in ``c`` and ``a`` in ``b-x-c``: the first has it, the second is refused and changes nothing."""
    for namespace in ("c", "b-x-c"):
        await _namespace(red, namespace)
    await red.create(resource, "a-x-b", BODIES[resource], namespace="c", annotations=FORCED)
    uid = (await red.on_host(resource, "a-x-b", namespace="c"))["metadata"]["uid"]
    await red.create(resource, "a", BODIES[resource], namespace="b-x-c", annotations=FORCED)
    await red.warning("a", "does not belong to b-x-c/a", namespace="b-x-c")
    await red.virtual.delete(resource, "a", "b-x-c", grace_period_seconds=0)
    await red.gone_above(resource, "a", namespace="b-x-c")
    await red.settled(resource, "a-x-b", namespace="c")
    after = (await red.on_host(resource, "a-x-b", namespace="c"))["metadata"]
    assert (after["uid"], after["annotations"][labels.OBJECT_NAME]) == (uid, "a-x-b")
    await red.virtual.delete(resource, "a-x-b", "c", grace_period_seconds=0)
    await red.gone_on_host(resource, "a-x-b", namespace="c")


async def test_objects_of_the_host_with_some_of_our_marks(red: Sides) -> None:
    """Whatever is missing or wrong, they stay as they are; only what has every mark is an orphan of ours."""
    names = [f"partial-{number}-x-default-x-red" for number in range(len(_partial("x")))]
    before = []
    for name, meta in zip(names, (_partial(name)[number] for number, name in enumerate(names)), strict=True):
        body = {"data": {"of": "the host"}, "metadata": {"name": name, **meta}}
        before.append(await red.host.create(CONFIG_MAPS, body, red.tenant.namespace))
    orphan = "orphan-x-default-x-red"
    body = {"data": {}, "metadata": {"name": orphan, "labels": _MARKS, "annotations": _notes(orphan)}}
    await red.host.create(CONFIG_MAPS, body, red.tenant.namespace)
    await red.gone_on_host(CONFIG_MAPS, "orphan")
    async with red.cluster.without_syncer():
        await red.host.create(CONFIG_MAPS, body, red.tenant.namespace)
    await red.gone_on_host(CONFIG_MAPS, "orphan")
    assert [await red.host.get(CONFIG_MAPS, name, red.tenant.namespace) for name in names] == before
    for name in names:
        await red.host.delete(CONFIG_MAPS, name, red.tenant.namespace)


_MARKS: Final = {labels.MANAGED_BY: "red", labels.NAMESPACE: "default"}


def _notes(host_name: str) -> dict[str, str]:
    """Every annotation of a host ConfigMap of this name."""
    return {
        labels.OBJECT_NAME: host_name.removesuffix("-x-default-x-red"),
        labels.OBJECT_NAMESPACE: "default",
        labels.OBJECT_UID: "1",
        labels.OBJECT_KIND: CONFIG_MAPS.gvk,
        labels.OBJECT_HOST_NAME: host_name,
        labels.OBJECT_HOST_NAMESPACE: "vcluster-red",
    }


def _partial(host_name: str) -> list[Obj]:
    """Metadata that lacks something, or has something wrong."""
    notes = _notes(host_name)
    needed: tuple[str, ...] = (labels.OBJECT_NAME, labels.OBJECT_NAMESPACE, labels.OBJECT_KIND, labels.OBJECT_HOST_NAME)
    needed += (labels.OBJECT_HOST_NAMESPACE,)
    wrong = {
        labels.OBJECT_NAME: "other",
        labels.OBJECT_NAMESPACE: "kube-system",
        labels.OBJECT_KIND: SECRETS.gvk,
        labels.OBJECT_HOST_NAME: "other",
        labels.OBJECT_HOST_NAMESPACE: "vcluster-blue",
        labels.CONTROLLED_BY: "somebody",
        labels.SKIP_BACKSYNC: "true",
    }
    return [
        {"labels": _MARKS},
        {"annotations": notes},
        {"annotations": notes, "labels": {**_MARKS, labels.MANAGED_BY: "blue"}},
        *({"labels": _MARKS, "annotations": {k: v for k, v in notes.items() if k != missing}} for missing in needed),
        *({"labels": _MARKS, "annotations": {**notes, key: value}} for key, value in wrong.items()),
    ]


async def test_events_about_objects_of_the_host(red: Sides) -> None:
    """Events of the virtual cluster stay there, whatever they say they are about."""
    service = await red.host.get(SERVICES, "red", red.tenant.namespace)
    about = {"apiVersion": "v1", "kind": "Service", "name": "red", "namespace": "default"}
    body = {"involvedObject": {**about, "uid": service["metadata"]["uid"]}, "reason": "Forged", "message": "forged"}
    await red.create(EVENTS, "red.1", body)
    await red.create(CONFIG_MAPS, "after-event", BODIES[CONFIG_MAPS], annotations=FORCED)
    await red.on_host(CONFIG_MAPS, "after-event")
    found = [one for one in await red.host.list(EVENTS, red.tenant.namespace) if one.get("reason") == "Forged"]
    assert found == []


async def test_a_release_of_helm(red: Sides) -> None:
    """``helm list`` on the host must not see what a tenant installed or made up: it acts with the host's rights."""
    forged = {"owner": "helm", "name": "red", "status": "deployed", "version": "99"}
    for resource in (SECRETS, CONFIG_MAPS):
        await red.create(resource, "sh.helm.release.v1.red.v99", BODIES[resource], labels=forged, annotations=FORCED)
        await red.on_host(resource, "sh.helm.release.v1.red.v99")
        assert await red.host.list(resource, red.tenant.namespace, label_selector="owner=helm") == []


async def _namespace(red: Sides, name: str) -> None:
    try:
        await red.create(NAMESPACES, name, {}, namespace="")
    except errors.AlreadyExists:
        return
    await red.above(CONFIG_MAPS, "kube-root-ca.crt", namespace=name)
    await red.above(SERVICE_ACCOUNTS, "default", namespace=name)
