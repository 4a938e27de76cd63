"""``create --upgrade`` on a virtual cluster whose store is slow (user lesson 5)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest

from nestling.controlplane import supervisor_status
from nestling.kube import client, errors, kubeconfig
from nestling.kube.resource import CONFIG_MAPS
from tests.integration.lifecycle import conftest
from tests.integration.lifecycle.conftest import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

NAME = "slow"
WRITES = 60


def test_5_an_upgrade_says_that_the_store_is_slow(world: World, tmp_path: Path) -> None:
    world.run("create", NAME, "--connect=false")
    try:
        assert "is slow" not in world.run("create", NAME, "--upgrade", "--connect=false").stderr
        access = tmp_path / "kubeconfig"
        access.write_text(world.run("connect", NAME, "--print").stdout)
        asyncio.run(writes_while_the_store_hangs(world, access))
        told = world.run("create", NAME, "--upgrade", "--connect=false").stderr
        assert f"The store of {NAME} is slow: " in told
        assert "a faster disk" in told
        # it went on, and nothing was lost
        found = world.run("connect", NAME, "--", "kubectl", "get", "configmaps", "-o", "name").stdout
        assert {f"configmap/waiting-{number}" for number in range(WRITES)} <= set(found.split())
    finally:
        world.run("delete", NAME, "--ignore-not-found")


async def writes_while_the_store_hangs(world: World, access: Path) -> None:
    """Until the API server has noticed, which takes it two seconds."""
    status = supervisor_status.read(world.clusters / f"vcluster-{NAME}" / NAME)
    assert status is not None
    store = status.components["etcd"].pid
    assert store is not None
    async with client.Client(kubeconfig.load([access])) as api, asyncio.TaskGroup() as group:
        os.kill(store, signal.SIGSTOP)
        try:
            for number in range(WRITES):
                body = {"metadata": {"name": f"waiting-{number}"}}
                group.create_task(api.create(CONFIG_MAPS, body, "default"))
            await missed(api)
        finally:
            os.kill(store, signal.SIGCONT)


async def missed(api: client.Client) -> None:
    """The API server says that it misses its store."""
    async with asyncio.timeout(conftest.PATIENCE):
        with contextlib.suppress(errors.ServerError):
            while True:
                await api.raw("/readyz/etcd")
