"""Secrets of the host that tenants see; what they have in common with ConfigMaps is tested there (spec §2.9)."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.kube.resource import PODS, SECRETS, Obj
from nestling.naming import labels
from tests.support import syncing

CONFIG = """
sync:
  fromHost:
    secrets: {enabled: true, mappings: {byName: {"vault/*": "config/*", "": "own"}}}
"""
TOKEN = "kubernetes.io/service-account-token"


@pytest.fixture
def world() -> syncing.World:
    return syncing.World(CONFIG)


def secret(name: str = "password", namespace: str = "vault", **body: Any) -> Obj:
    return syncing.obj(name, namespace, **{"data": {"p": "YQ=="}, "type": "Opaque", **body})


async def test_a_secret_appears_with_its_type(world: syncing.World) -> None:
    applied = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "note": "n"}
    host = {**secret(type="example.com/kind"), "metadata": {"name": "password", "namespace": "vault"}}
    host["metadata"]["annotations"] = applied
    world.host.put(SECRETS, host)
    await world.settle()
    seen = world.virtual.there(SECRETS, "config", "password")
    assert (seen["data"], seen["type"]) == ({"p": "YQ=="}, "example.com/kind")
    marks = {labels.OBJECT_IMPORTED: "true", labels.OBJECT_NAME: "password", labels.OBJECT_NAMESPACE: "config"}
    assert seen["metadata"]["annotations"] == {"note": "n", **marks}
    assert await world.again() == []


async def test_a_secret_of_another_type_is_made_anew(world: syncing.World) -> None:
    world.host.put(SECRETS, secret())
    await world.settle()
    world.host.put(SECRETS, secret(type="example.com/kind"))
    await world.settle()
    assert world.virtual.there(SECRETS, "config", "password")["type"] == "example.com/kind"


async def test_tokens_of_the_host_are_kept_back(world: syncing.World) -> None:
    world.host.put(SECRETS, secret("token", type=TOKEN))
    await world.settle()
    assert world.virtual.names(SECRETS) == []


async def test_the_tokens_of_the_tenants_pods_are_not_shown(world: syncing.World) -> None:
    source = {"serviceAccountToken": {"path": "token"}}
    world.virtual.put(PODS, syncing.pod(volumes=[{"name": "t", "projected": {"sources": [source]}}]))
    world.virtual.answers.append(
        lambda request: (
            {"status": {"token": "t", "expirationTimestamp": "2027-02-01T00:00:00Z"}}
            if request.path.endswith("/token")
            else None
        )
    )
    await world.settle()
    assert [name for name in world.host.names(SECRETS) if "sa-token" in name]
    assert world.virtual.names(SECRETS) == []


async def test_the_tenant_reaches_nothing_by_planting_names(world: syncing.World) -> None:
    """A Secret of the tenant with the host's marks, in a mapped namespace, fetches no other host object."""
    world.host.put(SECRETS, secret("other", "not-mapped"))
    forged = {
        labels.OBJECT_IMPORTED: "true",
        labels.OBJECT_NAME: "other",
        labels.OBJECT_NAMESPACE: "config",
        labels.OBJECT_HOST_NAME: "other",
        labels.OBJECT_HOST_NAMESPACE: "not-mapped",
    }
    world.virtual.put(SECRETS, syncing.obj("other", "config", annotations=forged, data={}))
    await world.settle()
    assert all("not-mapped" not in one.path for one in (*world.host.requests, *world.virtual.requests))
    assert world.virtual.names(SECRETS) == []
