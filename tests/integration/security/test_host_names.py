"""A tenant gets no host name of another one: the policy in ``examples/`` on a real host (docs/lessons.md row 40)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from nestling.kube import client, errors
from nestling.kube.resource import INGRESSES, NAMESPACES, SERVICES, Obj, Resource
from nestling.naming import labels
from tests.integration.syncer.sides import Sides, until

FILE: Final = Path(__file__).parents[3] / "examples" / "ingress-hosts.yaml"
KINDS: Final = {
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}
#: The key in the file.
ALLOWED: Final = "example.com/hosts"
HOSTS: Final = {"red": "shop.example.com, *.red.example.com", "blue": "*.blue.example.com"}
REFUSAL: Final = "not among the host names of this virtual cluster: "
#: What the policy waits for by itself: an Ingress of nobody with our label, in a dry run.
PROBE: Final = {"metadata": {"name": "probe", "labels": {labels.MANAGED_BY: "probe"}}}


def rule(host: str | None) -> Obj:
    """A rule for this host, or for all."""
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {**({"host": host} if host else {}), "http": {"paths": [path]}}


def ingress(*hosts: str | None) -> Obj:
    """A body of an Ingress."""
    return {"spec": {"rules": [rule(host) for host in hosts]}}


@contextlib.asynccontextmanager
async def policy_of_the_host(host: client.Client) -> AsyncIterator[None]:
    """The file is applied during the block, and each virtual cluster has names of its own."""
    objects = [one for one in yaml.safe_load_all(FILE.read_text()) if one]
    resources = [
        Resource("admissionregistration.k8s.io", "v1", KINDS[one["kind"]], one["kind"], namespaced=False)
        for one in objects
    ]
    for name, value in HOSTS.items():
        await host.patch(NAMESPACES, f"vcluster-{name}", {"metadata": {"annotations": {ALLOWED: value}}})
    for resource, one in zip(resources, objects, strict=True):
        await host.create(resource, one)
    try:
        await until(lambda: _works(host), "work of the policy")
        yield
    finally:
        for resource, one in zip(resources, objects, strict=True):
            await host.delete(resource, one["metadata"]["name"])


async def _works(host: client.Client) -> bool | None:
    try:
        await host.create(INGRESSES, {**PROBE, **ingress("probe.example.com")}, "default", dry_run=True)
    except errors.Forbidden:
        return True
    return None


@pytest.fixture
async def guarded(red: Sides, blue: Sides) -> AsyncIterator[Sides]:
    """The attacker, on a host that has the policy and another tenant."""
    async with policy_of_the_host(blue.host):
        yield red


async def remove(sides: Sides, resource: Resource, name: str) -> None:
    await sides.virtual.delete(resource, name, "default")
    await sides.gone_on_host(resource, name)


async def test_40_without_the_policy_a_tenant_can_take_any_host_name(red: Sides) -> None:
    """The control: it is the policy that refuses."""
    await red.create(INGRESSES, "thief", ingress("shop.blue.example.com"))
    await red.on_host(INGRESSES, "thief")
    await remove(red, INGRESSES, "thief")


async def test_40_a_tenant_gets_its_own_host_names_and_not_those_of_another(guarded: Sides, blue: Sides) -> None:
    await blue.create(INGRESSES, "mine", ingress("shop.blue.example.com"))
    await blue.on_host(INGRESSES, "mine")
    await guarded.create(INGRESSES, "thief", ingress("shop.blue.example.com"))
    await guarded.warning("thief", REFUSAL + "shop.blue.example.com")
    await guarded.create(INGRESSES, "own", ingress("shop.example.com", "a.b.red.example.com", "*.red.example.com"))
    await guarded.on_host(INGRESSES, "own")
    await guarded.gone_on_host(INGRESSES, "thief")
    await remove(guarded, INGRESSES, "own")
    await remove(blue, INGRESSES, "mine")
    await guarded.virtual.delete(INGRESSES, "thief", "default")


async def test_40_an_ingress_that_gets_a_foreign_host_name_later_keeps_what_it_had(guarded: Sides) -> None:
    await guarded.create(INGRESSES, "later", ingress("app.red.example.com"))
    await guarded.on_host(INGRESSES, "later")
    await guarded.change(INGRESSES, "later", ingress("shop.blue.example.com"))
    await guarded.warning("later", REFUSAL + "shop.blue.example.com")
    kept = await guarded.on_host(INGRESSES, "later")
    assert [one["host"] for one in kept["spec"]["rules"]] == ["app.red.example.com"]
    await guarded.change(INGRESSES, "later", ingress("new.red.example.com"))
    await guarded.on_host(INGRESSES, "later", lambda one: one["spec"]["rules"][0]["host"] == "new.red.example.com")
    await remove(guarded, INGRESSES, "later")


_OWN: Final = ingress("app.red.example.com")
_NGINX: Final = "nginx.ingress.kubernetes.io/"
_DNS: Final = "external-dns.alpha.kubernetes.io/hostname"
#: Other ways to a host name: a body, annotations, and what the tenant reads.
WAYS: Final[dict[str, tuple[Obj, dict[str, str], str]]] = {
    "its-end": (ingress("evilshop.example.com"), {}, REFUSAL + "evilshop.example.com"),
    "wildcard-above": (ingress("*.example.com"), {}, REFUSAL + "*.example.com"),
    "no-host": (ingress("app.red.example.com", None), {}, "each rule needs a host"),
    "default-backend": (
        {"spec": {**_OWN["spec"], "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}},
        {},
        "each rule needs a host",
    ),
    "certificate": (
        {"spec": {**_OWN["spec"], "tls": [{"hosts": ["app.red.example.com", "shop.blue.example.com"]}]}},
        {},
        REFUSAL + "shop.blue.example.com",
    ),
    "alias": (_OWN, {f"{_NGINX}server-alias": "app.red.example.com, shop.blue.example.com"}, REFUSAL + "shop.blue."),
    "pattern": (_OWN, {f"{_NGINX}server-alias": r"~^.*|.red.example.com"}, REFUSAL + "~^"),
    "snippet": (_OWN, {f"{_NGINX}server-snippet": "server_name x;"}, "annotations with snippets"),
    "condition": (_OWN, {"alb.ingress.kubernetes.io/conditions.web": "[]"}, "annotations with snippets"),
    "name-server": (_OWN, {_DNS: "shop.blue.example.com"}, REFUSAL + "shop.blue.example.com"),
}


@pytest.mark.parametrize("way", WAYS)
async def test_40_other_ways_to_a_host_name(guarded: Sides, way: str) -> None:
    body, annotations, said = WAYS[way]
    await guarded.create(INGRESSES, way, body, annotations=annotations)
    await guarded.warning(way, said)
    await guarded.gone_on_host(INGRESSES, way)
    await guarded.virtual.delete(INGRESSES, way, "default")


async def test_40_a_name_in_the_domain_name_system_by_a_service(guarded: Sides) -> None:
    spec: Obj = {"spec": {"ports": [{"port": 80}]}}
    await guarded.create(SERVICES, "foreign", spec, annotations={_DNS: "shop.blue.example.com"})
    await guarded.warning("foreign", REFUSAL + "shop.blue.example.com")
    named: dict[str, dict[str, str]] = {"named": {_DNS: "shop.example.com"}, "plain": {}}
    for name, own in named.items():
        await guarded.create(SERVICES, name, spec, annotations=own)
        await guarded.on_host(SERVICES, name)
        await remove(guarded, SERVICES, name)
    await guarded.virtual.delete(SERVICES, "foreign", "default")


async def test_40_an_ingress_of_the_host_is_none_of_its_business(guarded: Sides) -> None:
    made = await guarded.host.create(INGRESSES, {"metadata": {"name": "own"}, **ingress("any.example.org")}, "default")
    assert made["spec"]["rules"][0]["host"] == "any.example.org"
    await guarded.host.delete(INGRESSES, "own", "default")


async def test_40_what_is_being_deleted_can_lose_its_finalizer(red: Sides, blue: Sides) -> None:
    """An Ingress from before the policy, held by a controller of the host."""
    await red.create(INGRESSES, "old", ingress("shop.blue.example.com"))
    await red.on_host(INGRESSES, "old")
    await red.change_on_host(INGRESSES, "old", {"metadata": {"finalizers": ["example.com/hold"]}})
    async with policy_of_the_host(blue.host):
        await red.virtual.delete(INGRESSES, "old", "default")
        await red.on_host(INGRESSES, "old", lambda one: one["metadata"].get("deletionTimestamp"))
        await red.change_on_host(INGRESSES, "old", {"metadata": {"finalizers": None}})
        await red.gone_on_host(INGRESSES, "old")
