"""One embedded host for the tests of the verbs, and the program run as its users run it."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import host as host_support
from tests.support import user

#: Longest wait for something that happens within seconds on an idle machine.
PATIENCE = user.User.PATIENCE


@dataclasses.dataclass(frozen=True)
class World(user.User):
    """A user with a home folder, a kubeconfig and an embedded host."""

    @property
    def clusters(self) -> Path:
        return self.host.paths.clusters(self.host.host.name)

    def start(self, *args: str, **env: str) -> subprocess.Popen[str]:
        return super().start(*host_support.of_tenant(args), **env)

    def processes(self, name: str) -> list[int]:
        """Processes with the virtual cluster's folder in their command line or environment."""
        needle = f"/{name}/".encode()
        clusters = str(self.clusters).encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                except OSError:
                    continue
                if clusters in text and any(needle in part + b"/" for part in text.split(b"\0") if clusters in part):
                    found.append(int(entry.name))
        return found

    def assert_nothing_left(self, name: str) -> None:
        namespace = f"vcluster-{name}"
        assert not self.exists("namespace", namespace)
        assert self.processes(name) == []
        assert not (self.clusters / namespace).exists()
        assert name not in (self.kubeconfig.read_text() if self.kubeconfig.exists() else "")
        assert list(self.clusters.parent.glob(".*.lock")) == []
        cluster_wide = self.kubectl("get", "clusterroles,clusterrolebindings,persistentvolumes", "-o", "json")
        assert namespace not in cluster_wide


def until(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.02)


def interrupt_when(process: subprocess.Popen[str], condition: Callable[[], Any], number: signal.Signals) -> str:
    """Send a signal once the condition holds; returns what the process wrote to stderr."""
    until(lambda: condition() or process.poll() is not None, "the moment to interrupt")
    assert process.poll() is None, process.communicate()
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    return err


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("home")
    with host_support.embedded_host(home / "nestling") as running:
        found = World(home, running)
        yield found
        for name, entry in found.entries().items():
            found.run("delete", name, "-n", entry["Namespace"])


def holding_something(world: World, name: str) -> Iterator[Path]:
    """The folder of a virtual cluster that holds the ConfigMap ``kept``; it is deleted afterwards."""
    world.run("create", name, "--connect=false")
    world.run("connect", name, "--", "kubectl", "create", "configmap", "kept")
    yield world.clusters / f"vcluster-{name}" / name
    world.run("delete", name, "--ignore-not-found")
