"""What a hostile tenant writes into objects other than pods must not reach what is not theirs (spec §1.2 to §1.5)."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.kube.resource import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    NAMESPACES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SECRETS,
    SERVICES,
    Obj,
    Resource,
)
from nestling.naming import labels
from tests.support import syncing

FORCED = {labels.FORCE_SYNC: "true"}
SERVICE_NAME = "kubernetes.io/service-name"
SUBSETS = [{"addresses": [{"ip": "10.0.0.66"}], "ports": [{"port": 80}]}]
SLICE: dict[str, Any] = {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.66"]}], "ports": [{"port": 80}]}


@pytest.fixture
def world() -> syncing.World:
    made = syncing.World()
    for name in ("c", "b-x-c"):
        made.virtual.put(NAMESPACES, syncing.obj(name, ""))
    return made


def lead_elsewhere(world: syncing.World, name: str, namespace: str) -> None:
    """A Service without selector, and both kinds of endpoints for it."""
    world.virtual.put(SERVICES, syncing.service(name, namespace, clusterIP="10.96.0.150"))
    world.virtual.put(ENDPOINTS, syncing.obj(name, namespace, subsets=SUBSETS))
    world.virtual.put(ENDPOINT_SLICES, syncing.obj("mine", namespace, labels={SERVICE_NAME: name}, **SLICE))


async def test_endpoints_cannot_be_put_behind_a_service_of_the_host(world: syncing.World) -> None:
    world.host.put(SERVICES, syncing.service("db-x-default-x-my-vc", "team-x", clusterIP="10.96.0.20"))
    lead_elsewhere(world, "db", "default")
    await world.settle()
    assert world.host.names(ENDPOINTS) == []
    assert world.host.names(ENDPOINT_SLICES) == []


async def test_endpoints_cannot_be_put_behind_a_service_of_another_namespace(world: syncing.World) -> None:
    world.virtual.put(SERVICES, syncing.service("a-x-b", "c", clusterIP="10.96.0.151"))
    await world.settle()
    lead_elsewhere(world, "a", "b-x-c")
    await world.settle()
    assert world.host.names(ENDPOINTS) == []
    assert world.host.names(ENDPOINT_SLICES) == []


async def test_endpoints_come_as_soon_as_their_own_service_is_on_the_host(world: syncing.World) -> None:
    world.host.put(SERVICES, syncing.service("db-x-default-x-my-vc", "team-x", clusterIP="10.96.0.20"))
    lead_elsewhere(world, "db", "default")
    await world.settle()
    world.host.drop(SERVICES, "team-x", "db-x-default-x-my-vc")
    await world.settle()
    assert world.host.there(ENDPOINTS, "team-x", "db-x-default-x-my-vc")["subsets"] == SUBSETS
    slices = world.host.there(ENDPOINT_SLICES, "team-x", "mine-x-default-x-my-vc")
    assert slices["metadata"]["labels"][SERVICE_NAME] == "db-x-default-x-my-vc"
    assert await world.again() == []


@pytest.mark.parametrize("resource", [CONFIG_MAPS, SECRETS], ids=lambda one: one.plural)
async def test_a_release_of_helm_cannot_be_made_up(world: syncing.World, resource: Resource) -> None:
    forged = {"owner": "helm", "name": "my-vc", "status": "deployed", "version": "99"}
    virtual = syncing.obj("release", labels=forged, annotations=FORCED, data={"release": "eA=="})
    world.virtual.put(resource, virtual)
    world.virtual.put(resource, syncing.obj("harmless", labels={"owner": "team-a"}, annotations=FORCED))
    await world.settle()
    on_host = world.host.there(resource, "team-x", "release-x-default-x-my-vc")["metadata"]["labels"]
    assert "owner" not in on_host
    harmless = world.host.there(resource, "team-x", "harmless-x-default-x-my-vc")["metadata"]["labels"]
    assert harmless["owner"] == "team-a"
    assert world.virtual.there(resource, "default", "release")["metadata"]["labels"] == forged
    world.virtual.change(resource, "default", "harmless", {"metadata": {"labels": {"owner": "helm"}}})
    await world.settle()
    harmless = world.host.there(resource, "team-x", "harmless-x-default-x-my-vc")["metadata"]["labels"]
    assert "owner" not in harmless
    assert await world.again() == []


@pytest.mark.parametrize("annotations", [{}, {labels.SKIP_TRANSLATE: "true"}], ids=["plain", "untranslated"])
@pytest.mark.parametrize("field", ["dataSource", "dataSourceRef"])
@pytest.mark.parametrize(
    "source",
    [
        {"kind": "PersistentVolumeClaim", "name": "data-my-vc-0"},
        {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "data-my-vc-0"},
        {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "data-my-vc-0", "namespace": "hosts"},
    ],
    ids=["claim", "snapshot", "snapshot of another namespace"],
)
async def test_a_claim_cannot_be_filled_from_an_object_of_the_host(
    world: syncing.World, source: Obj, field: str, annotations: dict[str, str]
) -> None:
    claim = syncing.claim()
    claim["spec"][field] = dict(source)
    claim["metadata"]["annotations"] = annotations
    world.virtual.put(PERSISTENT_VOLUME_CLAIMS, claim)
    await world.settle()
    found: Any = world.host.there(PERSISTENT_VOLUME_CLAIMS, "team-x", "data-x-default-x-my-vc")["spec"][field]
    assert found["name"] == f"data-my-vc-0-x-{source.get('namespace', 'default')}-x-my-vc"
    assert "namespace" not in found


USES: list[Obj] = [
    {"volumes": [{"name": "v", "secret": {"secretName": "a"}}]},
    {"volumes": [{"name": "v", "secret": {"secretName": "a", "optional": True}}]},
    {"imagePullSecrets": [{"name": "a"}]},
    {"containers": [{"name": "app", "image": "nginx", "envFrom": [{"secretRef": {"name": "a"}}]}]},
]


@pytest.mark.parametrize("spec", USES, ids=["volume", "optional volume", "pull secret", "environment"])
async def test_a_pod_cannot_use_what_another_namespace_has_under_its_host_name(
    world: syncing.World, spec: dict[str, Any]
) -> None:
    """Neither what is there already nor what comes later."""
    world.virtual.put(PODS, syncing.pod("early", "b-x-c", **spec))
    await world.settle()
    world.virtual.put(SECRETS, syncing.obj("a-x-b", "c", annotations=FORCED, data={"key": "c2VjcmV0"}))
    world.virtual.put(PODS, syncing.pod("late", "b-x-c", **spec))
    await world.settle()
    assert world.host.names(SECRETS) == ["a-x-b-x-c-x-my-vc"]
    assert world.host.names(PODS) == []
    messages = [one["message"] for one in world.events() if one["involvedObject"]["name"] == "early"]
    assert any('Secret "a" cannot be used' in message for message in messages)


@pytest.mark.parametrize("spec", USES, ids=["volume", "optional volume", "pull secret", "environment"])
async def test_a_pod_uses_its_own_object_under_a_name_that_others_could_have(
    world: syncing.World, spec: dict[str, Any]
) -> None:
    world.virtual.put(SECRETS, syncing.obj("a", "b-x-c", data={"key": "bWluZQ=="}))
    world.virtual.put(PODS, syncing.pod("web", "b-x-c", **spec))
    await world.settle()
    assert world.host.names(PODS) == ["web-x-b-x-c-x-my-vc"]


async def test_an_ephemeral_container_cannot_either(world: syncing.World) -> None:
    world.virtual.put(SECRETS, syncing.obj("a-x-b", "c", annotations=FORCED, data={"key": "c2VjcmV0"}))
    world.virtual.put(PODS, syncing.pod("web", "b-x-c"))
    await world.settle()
    spy = {"name": "spy", "image": "busybox", "envFrom": [{"secretRef": {"name": "a"}}]}
    world.virtual.change(PODS, "b-x-c", "web", {"spec": {"ephemeralContainers": [spy]}})
    world.host.forget_requests()
    await world.settle()
    assert not [one for one in world.host.writes if "ephemeralcontainers" in str(one)]


async def test_tokens_of_a_pod_in_another_namespace_are_not_taken_over(world: syncing.World) -> None:
    world.virtual.put(NAMESPACES, syncing.obj("b-sa-token-x-c", ""))
    token = {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    name = ("team-x", "a-sa-token-x-b-sa-token-x-c-x-my-vc")
    world.virtual.put(PODS, syncing.pod("a-sa-token-x-b", "c", volumes=[token]))
    await world.settle()
    before = world.host.there(SECRETS, *name)
    world.virtual.put(PODS, syncing.pod("a", "b-sa-token-x-c", volumes=[token]))
    await world.settle()
    assert world.host.there(SECRETS, *name) == before
