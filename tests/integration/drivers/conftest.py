"""An embedded host as the cluster that a user has, and the program run as its users run it."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from nestling.binaries import chain, settings
from tests.support import host as host_support

PATIENCE = 240.0
CONTEXT = "prod"


@dataclasses.dataclass(frozen=True)
class World:
    """A user with a kubeconfig whose current context is a cluster with simulated nodes."""

    folder: Path
    host: host_support.RunningHost

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def home(self) -> Path:
        return self.folder / "own"

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.kubeconfig),
            "NESTLING_HOME": str(self.home),
            "NESTLING_CACHE_DIR": str(settings.Settings.from_env().cache_dir),
            "NO_COLOR": "1",
        }

    def reset(self) -> None:
        """The kubeconfig as it was: one context, of the host."""
        document = yaml.safe_load(self.host.kubeconfig.read_text())
        document["contexts"][0]["name"] = document["current-context"] = CONTEXT
        self.kubeconfig.write_text(yaml.safe_dump(document))
        self.kubeconfig.chmod(0o600)

    def start(self, *args: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "nestling.cli.main", *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.env,
        )

    def run(self, *args: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        with self.start(*args) as process:
            out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == code, f"{args} ended with {process.returncode}\n{out}\n{err}"
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def entries(self) -> dict[str, dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.run("list", "--output", "json").stdout)
        return {entry["Name"]: entry for entry in found}

    def kubectl(self, *args: str) -> str:
        words = ["kubectl", "--kubeconfig", str(self.host.kubeconfig), *args]
        return subprocess.run(words, capture_output=True, text=True, check=True, env=self.env).stdout

    def get(self, *args: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", *args, "-o", "json"))
        return found

    def exists(self, *args: str) -> bool:
        return self.kubectl("get", *args, "--ignore-not-found", "-o", "name").strip() != ""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    chain.ensure(["helm"])
    home = tmp_path_factory.mktemp("home")
    with host_support.embedded_host(home / "host") as running:
        found = World(home, running)
        found.reset()
        yield found
