"""One embedded host and two virtual clusters for all tests of the syncer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.integration.syncer import sides as sides_module
from tests.support import host as host_module
from tests.support.host import RunningHost

#: Kinds that the second virtual cluster syncs.
OFF_BY_DEFAULT = (
    "toHost.ingresses",
    "toHost.networkPolicies",
    "toHost.podDisruptionBudgets",
    "toHost.serviceAccounts",
    "fromHost.ingressClasses",
    "fromHost.priorityClasses",
    "fromHost.runtimeClasses",
)
#: What the third one has of the host, and what its pods may not do.
FROM_HOST = (
    "policies.podSecurityStandard=baseline",
    "sync.fromHost.nodes.enabled=true",
    "controlPlane.distro.k8s.scheduler.enabled=true",
    "sync.fromHost.configMaps.enabled=true",
    "sync.fromHost.configMaps.mappings.byName.shared-by-host/*=config/*",
    "sync.fromHost.configMaps.mappings.byName.one-of-many/only=default/only",
    "sync.fromHost.configMaps.mappings.byName.vcluster-three/*=own/*",
    "sync.fromHost.secrets.enabled=true",
    "sync.fromHost.secrets.mappings.byName.shared-by-host/*=config/*",
    "sync.fromHost.secrets.mappings.byName.vcluster-three/*=own/*",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these need processes, and the first one waits for them to start."""
    for item in items:
        if "integration/syncer" in item.path.as_posix():
            item.add_marker(pytest.mark.integration)
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(scope="package")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    with host_module.embedded_host(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="package")
def vcluster(host: RunningHost) -> Iterator[sides_module.VirtualCluster]:
    yield from _created("one", host, "sync.fromHost.storageClasses.enabled=true")


@pytest.fixture(scope="package")
def other_vcluster(host: RunningHost) -> Iterator[sides_module.VirtualCluster]:
    yield from _created("two", host, *(f"sync.{kind}.enabled=true" for kind in OFF_BY_DEFAULT))


@pytest.fixture(scope="package")
def third_vcluster(host: RunningHost) -> Iterator[sides_module.VirtualCluster]:
    yield from _created("three", host, *FROM_HOST)


@pytest.fixture
async def sides(vcluster: sides_module.VirtualCluster) -> AsyncIterator[sides_module.Sides]:
    async with sides_module.opened(vcluster) as made:
        yield made


@pytest.fixture
async def other(other_vcluster: sides_module.VirtualCluster) -> AsyncIterator[sides_module.Sides]:
    async with sides_module.opened(other_vcluster) as made:
        yield made


def _created(name: str, host: RunningHost, *values: str) -> Iterator[sides_module.VirtualCluster]:
    made = sides_module.VirtualCluster(name, host.paths.home, host.kubeconfig)
    settings = [argument for value in values for argument in ("--set", value)]
    made.command("create", name, "--connect=false", *settings)
    yield made
    made.command("delete", name)
