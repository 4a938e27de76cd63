"""An embedded host for tests: real etcd, API server, controllers, scheduler and kwok in a folder of their own.

    from tests.support.host import embedded_host

    @pytest.fixture(scope="session")
    def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
        with embedded_host(tmp_path_factory.mktemp("home")) as running:
            yield running

Few hosts run at a time on one machine, whoever started them: the others wait for a slot.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from nestling.local import decide, paths
from nestling.local import host as host_module

T = TypeVar("T")

SLOTS = 3
_SLOT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class RunningHost:
    """A host that is up, and how to reach it."""

    host: host_module.Host
    info: host_module.HostInfo
    paths: paths.Paths

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.info.kubeconfig


@contextlib.contextmanager
def embedded_host(home: Path, *, name: str = "default", options: decide.Options | None = None) -> Iterator[RunningHost]:
    """Bring a host up below `home` (its NESTLING_HOME) and take it away with its data afterwards."""
    places = paths.Paths(home)
    host = host_module.Host(name, places)
    with slot():
        try:
            yield RunningHost(host, wait(host.up(options=options or default_options())), places)
        finally:
            wait(host.delete(force=True))


def of_tenant(arguments: Sequence[str]) -> list[str]:
    """The arguments of a command, with the Kubernetes version of NESTLING_TEST_TENANT_KUBERNETES where one is chosen.

    So every test of a virtual cluster is also a test of a host and a tenant of different versions (`make test-skew`).
    """
    version = os.environ.get("NESTLING_TEST_TENANT_KUBERNETES")
    words = list(arguments)
    if not version or words[:1] != ["create"] or any(word.startswith("--kubernetes-version") for word in words):
        return words
    return [*words, "--kubernetes-version", version]


def default_options() -> decide.Options:
    """Simulated nodes as usual; the Kubernetes version can be set by NESTLING_TEST_KUBERNETES."""
    return decide.Options(kubernetes_version=os.environ.get("NESTLING_TEST_KUBERNETES") or None)


def wait(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine from a fixture that is no coroutine, without touching the loop of the test."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@contextlib.contextmanager
def slot() -> Iterator[None]:
    """Wait for one of a few slots of this machine; after a minute go on without, as a test has a time limit itself."""
    folder = Path(tempfile.gettempdir()) / f"nestling-test-hosts-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptors = [os.open(folder / f"slot-{number}", os.O_RDWR | os.O_CREAT, 0o600) for number in range(SLOTS)]
    deadline = time.monotonic() + _SLOT_SECONDS
    try:
        while not any(_try(descriptor) for descriptor in descriptors) and time.monotonic() < deadline:
            time.sleep(0.2)
        yield
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
