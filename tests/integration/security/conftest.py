"""One embedded host that writes an audit log, and two virtual clusters on it: the attacker's and somebody else's."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.integration.syncer import sides as sides_module
from tests.support import host as host_module
from tests.support.host import RunningHost

#: The attacker's virtual cluster syncs every kind that there is.
EVERYTHING = (
    *(f"sync.toHost.{kind}.enabled=true" for kind in ("ingresses", "networkPolicies", "podDisruptionBudgets")),
    "sync.toHost.serviceAccounts.enabled=true",
    *(
        f"sync.fromHost.{kind}.enabled=true"
        for kind in ("storageClasses", "ingressClasses", "runtimeClasses", "priorityClasses")
    ),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these need processes, and the first one waits for them to start."""
    for item in items:
        if "integration/security" in item.path.as_posix():
            item.add_marker(pytest.mark.integration)
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(scope="package")
def audited_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    options = dataclasses.replace(host_module.default_options(), audit=True)
    with host_module.embedded_host(tmp_path_factory.mktemp("home"), options=options) as running:
        yield running


@pytest.fixture(scope="package")
def attacker(audited_host: RunningHost) -> Iterator[sides_module.VirtualCluster]:
    yield from _created("red", audited_host, *EVERYTHING)


@pytest.fixture(scope="package")
def victim(audited_host: RunningHost) -> Iterator[sides_module.VirtualCluster]:
    yield from _created("blue", audited_host, "sync.toHost.ingresses.enabled=true")


@pytest.fixture
async def red(attacker: sides_module.VirtualCluster) -> AsyncIterator[sides_module.Sides]:
    """Both sides of the attacker's virtual cluster; ``host`` is the administrator of the host."""
    async with sides_module.opened(attacker) as made:
        yield made


@pytest.fixture
async def blue(victim: sides_module.VirtualCluster) -> AsyncIterator[sides_module.Sides]:
    """Both sides of the other virtual cluster."""
    async with sides_module.opened(victim) as made:
        yield made


def _created(name: str, host: RunningHost, *values: str) -> Iterator[sides_module.VirtualCluster]:
    made = sides_module.VirtualCluster(name, host.paths.home, host.kubeconfig)
    settings = [argument for value in values for argument in ("--set", value)]
    made.command("create", name, "--connect=false", *settings)
    yield made
    made.command("delete", name)
