"""Sections 2.1, 2.6 and 2.7 of the specification on real API servers: kinds that are off by default."""

from __future__ import annotations

from nestling.kube.resource import (
    INGRESS_CLASSES,
    INGRESSES,
    NETWORK_POLICIES,
    POD_DISRUPTION_BUDGETS,
    PODS,
    PRIORITY_CLASSES,
    RUNTIME_CLASSES,
    SECRETS,
    SERVICE_ACCOUNTS,
    Obj,
)
from nestling.naming import labels
from tests.integration.syncer.sides import Sides, pod

BACKEND = {"service": {"name": "web", "port": {"number": 80}}}


def ingress(**spec: object) -> Obj:
    path = {"path": "/", "pathType": "Prefix", "backend": BACKEND}
    return {"spec": {"rules": [{"host": "a.example", "http": {"paths": [path]}}], **spec}}


async def test_2_6_an_ingress_is_served_by_the_host(other: Sides) -> None:
    await other.host.create(
        INGRESS_CLASSES, {"metadata": {"name": "public"}, "spec": {"controller": "example.com/public"}}
    )
    await other.above(INGRESS_CLASSES, "public", namespace=None)
    await other.create(SECRETS, "cert", {"type": "Opaque", "data": {"tls.crt": "YQ=="}})
    tls = [{"hosts": ["a.example"], "secretName": "cert"}]
    await other.create(INGRESSES, "web", ingress(ingressClassName="public", tls=tls))
    host = await other.on_host(INGRESSES, "web")
    found = host["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"]
    assert found == other.host_name("web")
    assert host["spec"]["tls"][0]["secretName"] == other.host_name("cert")
    assert host["spec"]["ingressClassName"] == "public"
    await other.on_host(SECRETS, "cert")
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}}
    name = other.host_name("web")
    await other.host.patch(INGRESSES, name, status, other.tenant.namespace, subresource="status")
    await other.above(INGRESSES, "web", lambda one: one["status"] == status["status"])
    await other.virtual.delete(INGRESSES, "web", "default")
    await other.gone_on_host(INGRESSES, "web")
    await other.gone_on_host(SECRETS, "cert")
    await other.host.delete(INGRESS_CLASSES, "public")
    await other.gone_above(INGRESS_CLASSES, "public", namespace=None)


async def test_2_7_a_network_policy_is_about_the_tenants_pods(other: Sides) -> None:
    peers = [{"podSelector": {"matchLabels": {"app": "db"}}}, {"namespaceSelector": {"matchLabels": {"team": "a"}}}]
    spec = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"], "ingress": [{"from": peers}]}
    await other.create(NETWORK_POLICIES, "web", {"spec": spec})
    found = (await other.on_host(NETWORK_POLICIES, "web"))["spec"]
    marks = {labels.MANAGED_BY: "two", labels.NAMESPACE: "default"}
    assert found["podSelector"]["matchLabels"] == {"app": "web", **marks}
    own, team = (peer["podSelector"] for peer in found["ingress"][0]["from"])
    assert own["matchLabels"] == {"app": "db", **marks}
    assert team["matchLabels"] == {labels.MANAGED_BY: "two"}
    assert team["matchExpressions"][0]["values"] == ["a"]
    await other.virtual.delete(NETWORK_POLICIES, "web", "default")
    await other.gone_on_host(NETWORK_POLICIES, "web")


async def test_2_1_a_disruption_budget_guards_the_tenants_pods(other: Sides) -> None:
    selector = {"matchLabels": {"app": "web"}}
    await other.create(POD_DISRUPTION_BUDGETS, "web", {"spec": {"minAvailable": 1, "selector": selector}})
    found = (await other.on_host(POD_DISRUPTION_BUDGETS, "web"))["spec"]
    assert found["selector"]["matchLabels"] == {"app": "web", labels.MANAGED_BY: "two", labels.NAMESPACE: "default"}
    await other.change(POD_DISRUPTION_BUDGETS, "web", {"spec": {"minAvailable": 2}})
    await other.on_host(POD_DISRUPTION_BUDGETS, "web", lambda one: one["spec"]["minAvailable"] == 2)
    await other.virtual.delete(POD_DISRUPTION_BUDGETS, "web", "default")
    await other.gone_on_host(POD_DISRUPTION_BUDGETS, "web")


async def test_2_1_pods_use_classes_of_the_host_and_accounts_of_the_tenant(other: Sides) -> None:
    await other.host.create(PRIORITY_CLASSES, {"metadata": {"name": "batch"}, "value": 7})
    await other.host.create(RUNTIME_CLASSES, {"metadata": {"name": "sandbox"}, "handler": "runc"})
    await other.above(PRIORITY_CLASSES, "batch", namespace=None)
    await other.above(RUNTIME_CLASSES, "sandbox", namespace=None)
    await other.create(SERVICE_ACCOUNTS, "app", {}, annotations={"cloud.example/role": "reader"})
    chosen: Obj = {"priorityClassName": "batch", "runtimeClassName": "sandbox", "serviceAccountName": "app"}
    await other.create(PODS, "classy", pod(**chosen))
    spec = (await other.on_host(PODS, "classy"))["spec"]
    assert (spec["priorityClassName"], spec["priority"], spec["runtimeClassName"]) == ("batch", 7, "sandbox")
    assert spec["serviceAccountName"] == other.host_name("app")
    account = await other.on_host(SERVICE_ACCOUNTS, "app")
    assert account["automountServiceAccountToken"] is False
    assert account["metadata"]["annotations"]["cloud.example/role"] == "reader"
    await other.virtual.delete(PODS, "classy", "default", grace_period_seconds=0)
    await other.gone_on_host(PODS, "classy")
    await other.host.delete(PRIORITY_CLASSES, "batch")
    await other.host.delete(RUNTIME_CLASSES, "sandbox")
    await other.gone_above(PRIORITY_CLASSES, "batch", namespace=None)
