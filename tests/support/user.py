"""The program run as its users run it: with a home folder, a kubeconfig, and an embedded host."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

from nestling.binaries import settings
from tests.support import host as host_support


@dataclasses.dataclass(frozen=True)
class User:
    """One user of one host."""

    folder: Path
    host: host_support.RunningHost
    #: What the program is run by, say with fewer rights.
    through: tuple[str, ...] = ()

    #: How many seconds a command may take.
    PATIENCE: ClassVar[float] = 120.0

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def home(self) -> Path:
        """NESTLING_HOME; that of the host, unless the host is somebody else's."""
        return self.host.paths.home

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

    def start(self, *args: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.through, sys.executable, "-m", "nestling.cli.main", *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**self.env, **env},
        )

    def run(self, *args: str, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
        with self.start(*args, **env) as process:
            out, err = process.communicate(timeout=self.PATIENCE)
        assert process.returncode == code, f"{args} ended with {process.returncode}\n{out}\n{err}"
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def entries(self) -> dict[str, dict[str, Any]]:
        """What ``list`` says, by name."""
        found: list[dict[str, Any]] = json.loads(self.run("list", "--output", "json").stdout)
        return {entry["Name"]: entry for entry in found}

    def kubectl(self, *args: str) -> str:
        """kubectl on the host, as its administrator."""
        words = ["kubectl", "--kubeconfig", str(self.host.kubeconfig), *args]
        return subprocess.run(words, capture_output=True, text=True, check=True, env=self.env).stdout

    def exists(self, *args: str) -> bool:
        """Is it on the host?"""
        return self.kubectl("get", *args, "--ignore-not-found", "-o", "name").strip() != ""
