"""Secrets: used ones only (spec §2.1, §1.6)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import PODS, SECRETS
from tests.support import syncing

HOST = ("team-x", "keys-x-default-x-my-vc")
USER = syncing.pod(volumes=[{"name": "v", "secret": {"secretName": "keys"}}])


@pytest.fixture
def world() -> syncing.World:
    return syncing.World()


async def test_a_secret_that_nothing_uses_stays_above(world: syncing.World) -> None:
    world.virtual.put(SECRETS, syncing.obj("keys", data={"a": "Yg=="}))
    await world.settle()
    assert world.host.names(SECRETS) == []


async def test_one_that_a_pod_uses_is_synced_with_its_type(world: syncing.World) -> None:
    world.virtual.put(SECRETS, syncing.obj("keys", data={"tls.crt": "", "tls.key": ""}, type="kubernetes.io/tls"))
    world.virtual.put(PODS, USER)
    await world.settle()
    host = world.host.there(SECRETS, *HOST)
    assert (host["type"], host["data"]) == ("kubernetes.io/tls", {"tls.crt": "", "tls.key": ""})
    assert await world.again() == []


async def test_a_service_account_token_is_opaque_on_the_host(world: syncing.World) -> None:
    annotations = {"kubernetes.io/service-account.name": "default", "kubernetes.io/service-account.uid": "u"}
    token = syncing.obj("keys", annotations=annotations, data={"token": "eA=="})
    world.virtual.put(SECRETS, {**token, "type": "kubernetes.io/service-account-token"})
    world.virtual.put(PODS, USER)
    await world.settle()
    host = world.host.there(SECRETS, *HOST)
    assert host["type"] == "Opaque"
    assert not [key for key in host["metadata"]["annotations"] if key.startswith("kubernetes.io/")]
    assert world.virtual.there(SECRETS, "default", "keys")["type"] == "kubernetes.io/service-account-token"
    assert await world.again() == []


async def test_another_type_is_another_secret(world: syncing.World) -> None:
    """A type cannot be changed: the tenant has made the Secret anew."""
    world.virtual.put(SECRETS, syncing.obj("keys", data={"a": "Yg=="}, type="Opaque"))
    world.virtual.put(PODS, USER)
    await world.settle()
    world.virtual.drop(SECRETS, "default", "keys")
    world.virtual.put(SECRETS, syncing.obj("keys", data={"a": "Yg=="}, type="example.com/other"))
    await world.settle()
    assert world.host.there(SECRETS, *HOST)["type"] == "example.com/other"


async def test_data_goes_both_ways(world: syncing.World) -> None:
    world.virtual.put(SECRETS, syncing.obj("keys", data={"a": "Yg=="}))
    world.virtual.put(PODS, USER)
    await world.settle()
    world.host.change(SECRETS, *HOST, {"data": {"a": "eA=="}})
    await world.settle()
    assert world.virtual.there(SECRETS, "default", "keys")["data"] == {"a": "eA=="}


async def test_secrets_of_the_host_namespace_are_never_touched_or_shown(world: syncing.World) -> None:
    certs = world.host.put(SECRETS, syncing.obj("my-vc-certs", "team-x", data={"ca.key": "eA=="}))
    await world.settle()
    assert world.virtual.names(SECRETS) == []
    assert world.host.there(SECRETS, "team-x", "my-vc-certs") == certs


async def test_a_tenants_secret_that_is_called_like_a_token_secret_does_not_take_its_place(
    world: syncing.World,
) -> None:
    sources = [{"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}]
    world.virtual.put(
        PODS,
        syncing.pod(
            volumes=[
                {"name": "t", "projected": {"sources": sources}},
                {"name": "v", "secret": {"secretName": "web-sa-token"}},
            ]
        ),
    )
    world.virtual.put(SECRETS, syncing.obj("web-sa-token", data={"t": "Zm9yZ2Vk"}))
    await world.settle()
    messages = [event["message"] for event in world.events()]
    assert len(world.host.names(SECRETS)) == 1
    assert any("does not belong to" in message for message in messages), messages
