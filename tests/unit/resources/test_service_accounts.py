"""ServiceAccounts (spec §2.1)."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.kube.resource import PODS, SERVICE_ACCOUNTS
from tests.support import syncing

HOST = ("team-x", "app-x-default-x-my-vc")


@pytest.fixture
def world() -> syncing.World:
    return syncing.World("sync: {toHost: {serviceAccounts: {enabled: true}}}")


async def test_the_account_goes_without_secrets_and_tokens(world: syncing.World) -> None:
    secrets: dict[str, Any] = {
        "secrets": [{"name": "s"}],
        "imagePullSecrets": [{"name": "p"}],
        "automountServiceAccountToken": True,
    }
    role = {"cloud.example/role": "reader"}
    world.virtual.put(SERVICE_ACCOUNTS, syncing.obj("app", annotations=role, **secrets))
    await world.settle()
    host = world.host.there(SERVICE_ACCOUNTS, *HOST)
    assert host["automountServiceAccountToken"] is False
    assert "secrets" not in host
    assert "imagePullSecrets" not in host
    assert host["metadata"]["annotations"]["cloud.example/role"] == "reader"
    assert await world.again() == []


async def test_a_token_that_somebody_lets_pods_mount_is_taken_back(world: syncing.World) -> None:
    world.virtual.put(SERVICE_ACCOUNTS, syncing.obj("app"))
    await world.settle()
    world.host.change(SERVICE_ACCOUNTS, *HOST, {"automountServiceAccountToken": True})
    await world.settle()
    assert world.host.there(SERVICE_ACCOUNTS, *HOST)["automountServiceAccountToken"] is False
    assert "automountServiceAccountToken" not in world.virtual.there(SERVICE_ACCOUNTS, "default", "app")


async def test_what_the_cloud_writes_on_it_comes_back(world: syncing.World) -> None:
    world.virtual.put(SERVICE_ACCOUNTS, syncing.obj("app"))
    await world.settle()
    world.host.change(SERVICE_ACCOUNTS, *HOST, {"metadata": {"annotations": {"cloud.example/id": "7"}}})
    await world.settle()
    seen = world.virtual.there(SERVICE_ACCOUNTS, "default", "app")
    assert seen["metadata"]["annotations"] == {"cloud.example/id": "7"}


async def test_a_pod_waits_for_its_account_and_runs_as_it(world: syncing.World) -> None:
    world.virtual.put(PODS, syncing.pod(serviceAccountName="app"))
    await world.settle()
    assert world.host.names(PODS) == []
    assert world.events() == [], "it comes by itself: nobody is told"
    world.virtual.put(SERVICE_ACCOUNTS, syncing.obj("app"))
    await world.settle()
    pod = world.host.there(PODS, "team-x", "web-x-default-x-my-vc")
    assert (pod["spec"]["serviceAccountName"], pod["spec"]["automountServiceAccountToken"]) == (HOST[1], False)
