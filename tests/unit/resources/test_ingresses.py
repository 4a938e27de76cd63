"""Ingresses (spec §2.6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nestling.kube.resource import INGRESS_CLASSES, INGRESSES, SECRETS, Obj
from tests.support import syncing

CONFIG = "sync: {toHost: {ingresses: {enabled: true}}, fromHost: {ingressClasses: {enabled: true}}}"
LIMITED = """
sync:
  toHost: {ingresses: {enabled: true}}
  fromHost: {ingressClasses: {enabled: true, selector: {matchLabels: {offered: "yes"}}}}
"""
HOST = ("team-x", "web-x-default-x-my-vc")


def ingress(annotations: dict[str, str] | None = None, **spec: Any) -> Obj:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    rules = [{"host": "a.example", "http": {"paths": [path]}}]
    return syncing.obj("web", annotations=annotations, spec={"rules": rules, **spec}, status={"loadBalancer": {}})


def on_host(world: syncing.World) -> Obj:
    return world.host.there(INGRESSES, *HOST)


@pytest.fixture
def world() -> syncing.World:
    return syncing.World(CONFIG)


async def test_services_resources_and_secrets_get_their_host_names(world: syncing.World) -> None:
    resource = {"resource": {"apiGroup": "k8s.example", "kind": "Bucket", "name": "static"}}
    world.virtual.put(SECRETS, syncing.obj("cert", data={"tls.crt": "YQ=="}))
    world.virtual.put(INGRESSES, ingress(defaultBackend=resource, tls=[{"hosts": ["a.example"], "secretName": "cert"}]))
    await world.settle()
    spec = on_host(world)["spec"]
    assert spec["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] == "web-x-default-x-my-vc"
    assert spec["defaultBackend"]["resource"]["name"] == "static-x-default-x-my-vc"
    assert spec["tls"] == [{"hosts": ["a.example"], "secretName": "cert-x-default-x-my-vc"}]
    assert world.host.names(SECRETS) == ["cert-x-default-x-my-vc"], "a Secret that it uses is synced"
    assert await world.again() == []


async def test_the_status_comes_back_and_the_tenants_changes_go_down(world: syncing.World) -> None:
    world.virtual.put(INGRESSES, ingress())
    await world.settle()
    status = {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}
    world.host.change(INGRESSES, *HOST, {"status": status})
    world.virtual.change(INGRESSES, "default", "web", {"spec": {"rules": [{"host": "b.example"}]}})
    await world.settle()
    assert world.virtual.there(INGRESSES, "default", "web")["status"] == status
    assert on_host(world)["spec"]["rules"] == [{"host": "b.example"}]
    assert await world.again() == []


async def test_the_class_goes_both_ways(world: syncing.World) -> None:
    world.virtual.put(INGRESSES, ingress(ingressClassName="nginx"))
    await world.settle()
    world.host.change(INGRESSES, *HOST, {"spec": {"ingressClassName": "traefik"}})
    await world.settle()
    assert world.virtual.there(INGRESSES, "default", "web")["spec"]["ingressClassName"] == "traefik"


async def test_annotations_that_name_secrets_are_translated_and_go_with_the_tenants(world: syncing.World) -> None:
    own, shared = "nginx.ingress.kubernetes.io/auth-secret", "nginx.ingress.kubernetes.io/auth-tls-secret"
    world.virtual.put(SECRETS, syncing.obj("ca", "team", data={"ca.crt": "YQ=="}))
    world.virtual.put(INGRESSES, ingress({own: "users", shared: "team/ca", "other": "kept"}))
    await world.settle()
    found = on_host(world)["metadata"]["annotations"]
    assert (found[own], found[shared]) == ("users-x-default-x-my-vc", "team-x/ca-x-team-x-my-vc")
    assert found["other"] == "kept"
    assert world.host.names(SECRETS) == ["ca-x-team-x-my-vc"]
    assert await world.again() == []
    assert world.virtual.there(INGRESSES, "default", "web")["metadata"]["annotations"][own] == "users"
    world.virtual.change(INGRESSES, "default", "web", {"metadata": {"annotations": {own: None}}})
    await world.settle()
    assert own not in on_host(world)["metadata"]["annotations"]


@pytest.mark.parametrize(
    ("sneaky", "expected"),
    [
        ("vc-my-vc", "vc-my-vc-x-default-x-my-vc"),
        ("team-x/vc-my-vc", "team-x/vc-my-vc-x-team-x-x-my-vc"),
        ("kube-system/x/y", None),
        ("/", None),
        ("a/", None),
        ("/vc-my-vc", None),
        ("", None),
    ],
)
async def test_attack_an_annotation_never_names_a_secret_of_the_host(
    world: syncing.World, sneaky: str, expected: str | None
) -> None:
    key = "nginx.ingress.kubernetes.io/auth-secret"
    world.virtual.put(INGRESSES, ingress({key: sneaky}))
    await world.settle()
    assert on_host(world)["metadata"]["annotations"].get(key) == expected


async def test_actions_of_the_alb_controller(world: syncing.World) -> None:
    action = {"type": "forward", "forwardConfig": {"targetGroups": [{"serviceName": "web", "weight": 1}, {"arn": "x"}]}}
    prefix = "alb.ingress.kubernetes.io"
    given = {f"{prefix}/actions.web": json.dumps(action), f"{prefix}/conditions.web": "no json"}
    world.virtual.put(INGRESSES, ingress({**given, f"{prefix}/scheme": "internal"}))
    await world.settle()
    found = on_host(world)["metadata"]["annotations"]
    groups = json.loads(found[f"{prefix}/actions.web-x-default-x-my-vc"])["forwardConfig"]["targetGroups"]
    assert groups == [{"serviceName": "web-x-default-x-my-vc", "weight": 1}, {"arn": "x"}]
    assert found[f"{prefix}/conditions.web-x-default-x-my-vc"] == "no json"
    assert f"{prefix}/actions.web" not in found
    assert found[f"{prefix}/scheme"] == "internal"
    assert world.virtual.there(INGRESSES, "default", "web")["metadata"]["annotations"] == {
        **given,
        f"{prefix}/scheme": "internal",
    }
    assert await world.again() == []


@pytest.mark.parametrize(("field", "annotated"), [(True, False), (False, True)])
async def test_a_class_that_is_not_offered_is_refused_with_what_there_is(field: bool, annotated: bool) -> None:
    world = syncing.World(LIMITED)
    world.host.put(INGRESS_CLASSES, syncing.obj("public", "", labels={"offered": "yes"}, spec={"controller": "c"}))
    world.host.put(INGRESS_CLASSES, syncing.obj("internal", "", spec={"controller": "c"}))
    annotations = {"kubernetes.io/ingress.class": "internal"} if annotated else None
    world.virtual.put(INGRESSES, ingress(annotations, **({"ingressClassName": "internal"} if field else {})))
    await world.settle()
    assert world.host.names(INGRESSES) == []
    (event,) = world.events()
    assert 'IngressClass "internal" is not offered here' in event["message"]
    assert event["message"].endswith("use one of: public")
    changed = {"metadata": {"annotations": None}, "spec": {"ingressClassName": "public"}}
    world.virtual.change(INGRESSES, "default", "web", changed)
    await world.settle()
    assert world.host.names(INGRESSES) == [HOST[1]]
