"""One embedded host for the tests of the verbs, and the program run as its users run it."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nestling.binaries import settings
from tests.support import host as host_support

#: Longest wait for something that happens within seconds on an idle machine.
PATIENCE = 120.0


@dataclasses.dataclass(frozen=True)
class World:
    """A user with a home folder, a kubeconfig and an embedded host."""

    folder: Path
    host: host_support.RunningHost

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.kubeconfig),
            "NESTLING_HOME": str(self.host.paths.home),
            "NESTLING_CACHE_DIR": str(settings.Settings.from_env().cache_dir),
            "NO_COLOR": "1",
        }

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def clusters(self) -> Path:
        return self.host.paths.clusters(self.host.host.name)

    def start(self, *args: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "nestling.cli.main", *host_support.of_tenant(args)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**self.env, **env},
        )

    def run(self, *args: str, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
        with self.start(*args, **env) as process:
            out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == code, f"{args} ended with {process.returncode}\n{out}\n{err}"
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def entries(self) -> dict[str, dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.run("list", "--output", "json").stdout)
        return {entry["Name"]: entry for entry in found}

    def kubectl(self, *args: str) -> str:
        """kubectl on the host, as its administrator."""
        words = ["kubectl", "--kubeconfig", str(self.host.kubeconfig), *args]
        return subprocess.run(words, capture_output=True, text=True, check=True, env=self.env).stdout

    def exists(self, *args: str) -> bool:
        return self.kubectl("get", *args, "--ignore-not-found", "-o", "name").strip() != ""

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
