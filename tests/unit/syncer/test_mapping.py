"""How kinds are named on both sides (spec §1.1, §1.5)."""

from __future__ import annotations

import json

import pytest

from nestling.config import load
from nestling.kube import cache, metadata
from nestling.kube.resource import CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS, SERVICES, Obj
from nestling.naming import labels
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.syncer import mapping
from nestling.syncer.context import SyncContext
from tests.support import syncing

KEY = VirtualKey("default", "web")
NAMING = mapping.Namespaced(special={mapping.KUBERNETES: lambda tenant: tenant.name})


@pytest.fixture
def ctx() -> SyncContext:
    return syncing.World().manager.context


def entry(obj: Obj) -> cache.Entry:
    raw = json.dumps(obj).encode()
    return cache.Entry(metadata.read(raw), raw, CONFIG_MAPS)


def host_object(**meta: Obj | str) -> Obj:
    base: Obj = {
        "name": "web-x-default-x-my-vc",
        "namespace": "team-x",
        "labels": {labels.MANAGED_BY: "my-vc", labels.NAMESPACE: "default"},
        "annotations": {labels.OBJECT_NAME: "web", labels.OBJECT_NAMESPACE: "default"},
    }
    return {"metadata": {**base, **meta}}


def test_the_formula_and_the_special_names(ctx: SyncContext) -> None:
    assert NAMING.to_host(ctx, KEY) == HostKey("team-x", "web-x-default-x-my-vc")
    assert NAMING.to_host(ctx, mapping.KUBERNETES) == HostKey("team-x", "my-vc")


def test_a_host_object_leads_back_to_its_key(ctx: SyncContext) -> None:
    assert NAMING.to_virtual(ctx, entry(host_object())) == KEY
    assert NAMING.claims(ctx, host_object(), KEY)


@pytest.mark.parametrize(
    "meta",
    [
        {"name": "renamed"},
        {"namespace": "team-y"},
        {"annotations": {}},
        {"annotations": {labels.OBJECT_NAME: "other", labels.OBJECT_NAMESPACE: "default"}},
        {"labels": {labels.MANAGED_BY: "other-vc"}},
        {"labels": {}},
    ],
)
def test_a_host_object_that_is_not_ours_leads_nowhere(ctx: SyncContext, meta: Obj) -> None:
    assert NAMING.to_virtual(ctx, entry(host_object(**meta))) is None


def test_two_keys_with_one_host_name_are_told_apart(ctx: SyncContext) -> None:
    first, second = VirtualKey("c", "a-x-b"), VirtualKey("b-x-c", "a")
    assert NAMING.to_host(ctx, first) == NAMING.to_host(ctx, second)
    host = host_object(
        name=NAMING.to_host(ctx, first).name,
        annotations={labels.OBJECT_NAME: "a-x-b", labels.OBJECT_NAMESPACE: "c"},
    )
    assert NAMING.to_virtual(ctx, entry(host)) == first
    assert NAMING.claims(ctx, host, first)
    assert not NAMING.claims(ctx, host, second)


def test_service_name_of_the_control_plane_is_nobodys(ctx: SyncContext) -> None:
    front = ctx.host.get(SERVICES, HostKey("team-x", "my-vc"))
    assert front is not None
    assert NAMING.to_virtual(ctx, entry(front)) is None


def test_mirrored_kinds_have_one_name(ctx: SyncContext) -> None:
    naming = mapping.Mirrored()
    assert naming.to_host(ctx, VirtualKey("", "fast")) == HostKey("", "fast")
    assert naming.to_virtual(ctx, entry({"metadata": {"name": "fast"}})) == VirtualKey("", "fast")
    assert naming.claims(ctx, {"metadata": {"name": "fast"}}, VirtualKey("", "fast"))


@pytest.mark.parametrize(
    "changed",
    [
        "sync: {toHost: {configMaps: {all: true}, secrets: {all: true}}}",
        "networking: {advanced: {clusterDomain: other.local}}",
        "experimental: {syncSettings: {setOwner: false}}",
        "controlPlane: {advanced: {workloadServiceAccount: {name: other}}}",
    ],
)
async def test_1_6_names_survive_another_configuration(changed: str) -> None:
    world = syncing.World()
    volumes = [{"name": "v", "configMap": {"name": "web"}}, {"name": "s", "secret": {"secretName": "web"}}]
    kinds = {CONFIG_MAPS: syncing.obj("web", data={}), SECRETS: syncing.obj("web", data={})}
    kinds |= {PODS: syncing.pod(volumes=volumes), SERVICES: syncing.service("web", clusterIP="10.96.0.150")}
    kinds[PERSISTENT_VOLUME_CLAIMS] = syncing.claim("web")
    for resource, one in kinds.items():
        world.virtual.put(resource, one)
    await world.settle()

    def held() -> dict[str, str]:
        where = [(resource, world.host.there(resource, "team-x", "web-x-default-x-my-vc")) for resource in kinds]
        return {resource.plural: one["metadata"]["uid"] for resource, one in where}

    before = held()
    world.config = load.load([load.Source("values.yaml", changed)])
    world.restart()
    await world.settle()
    assert held() == before
