"""A real API for the tests of kube/, and what they share."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from nestling.kube import client, kubeconfig
from nestling.kube.resource import NAMESPACES
from tests.support import envtest


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[envtest.Cluster]:
    """One cluster for all tests that do not harm it; they stay apart by namespaces."""
    with envtest.running(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture
async def api(cluster: envtest.Cluster) -> AsyncIterator[client.Client]:
    """The administrator's client."""
    async with client.Client(kubeconfig.load([cluster.kubeconfig])) as found:
        yield found


@pytest.fixture
async def namespace(api: client.Client) -> str:
    """A namespace of this test's own."""
    name = f"t-{secrets.token_hex(4)}"
    await api.create(NAMESPACES, {"metadata": {"name": name}})
    return name


async def until(condition: Callable[[], object], *, seconds: float = 60.0) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition did not come true")
        await asyncio.sleep(0.01)
