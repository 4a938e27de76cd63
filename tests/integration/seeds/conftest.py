"""One embedded host for all seeds, and the program as a user calls it."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from nestling.binaries import chain
from tests.support import host as host_support

PROGRAMS = Path(sys.executable).parent
DEADLINE = 90.0


@dataclasses.dataclass(frozen=True, slots=True)
class User:
    """Somebody with a shell: the commands, kubectl for both sides, and patience."""

    environment: Mapping[str, str]
    host_kubeconfig: Path
    kubectl_path: Path

    def run(self, *command: str, check: bool = True, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command; on failure the test shows what it said."""
        done = subprocess.run(
            command, env=dict(self.environment), input=stdin, capture_output=True, text=True, timeout=120, check=False
        )
        if check and done.returncode != 0:
            pytest.fail(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def vcluster(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The program under the name that the seeds use."""
        return self.run(str(PROGRAMS / "vcluster"), *host_support.of_tenant(arguments), check=check)

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """kubectl with the current context."""
        return self.run(str(self.kubectl_path), *arguments, stdin=stdin, check=check).stdout

    def on_host(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """kubectl as the host's administrator."""
        return self.kubectl("--kubeconfig", str(self.host_kubeconfig), *arguments, stdin=stdin, check=check)

    def until(self, what: str, found: Callable[[], Any]) -> Any:
        """Wait for a condition; the answer is what made it true."""
        deadline = time.monotonic() + DEADLINE
        while not (answer := found()):
            if time.monotonic() > deadline:
                pytest.fail(f"not seen within {DEADLINE:.0f} s: {what}")
            time.sleep(0.1)
        return answer

    def names_on_host(self, kind: str, namespace: str) -> set[str]:
        """The names of all objects of a kind in a host namespace."""
        listed = json.loads(self.on_host("get", kind, "-n", namespace, "-o", "json"))
        return {item["metadata"]["name"] for item in listed["items"]}


@pytest.fixture(scope="package")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """A user with a home of their own and an embedded host."""
    home = tmp_path_factory.mktemp("seeds")
    kubectl = chain.ensure(["kubectl"])["kubectl"]
    with host_support.embedded_host(home) as running:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("NESTLING_", "KUBE"))},
            "NESTLING_HOME": str(home),
            "KUBECONFIG": str(home / "kubeconfig"),
            "PATH": f"{kubectl.parent}:{PROGRAMS}:{os.environ['PATH']}",
        }
        yield User(environment, running.kubeconfig, kubectl)
