"""An embedded host as the cluster that a user has, and the program run as its users run it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from nestling.binaries import chain
from tests.support import host as host_support
from tests.support import user

CONTEXT = "prod"


@dataclasses.dataclass(frozen=True)
class World(user.User):
    """A user with a kubeconfig whose current context is a cluster with simulated nodes."""

    PATIENCE = 240.0

    @property
    def home(self) -> Path:
        return self.folder / "own"

    def reset(self) -> None:
        """The kubeconfig as it was: one context, of the host."""
        document = yaml.safe_load(self.host.kubeconfig.read_text())
        document["contexts"][0]["name"] = document["current-context"] = CONTEXT
        self.kubeconfig.write_text(yaml.safe_dump(document))
        self.kubeconfig.chmod(0o600)

    def get(self, *args: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", *args, "-o", "json"))
        return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    chain.ensure(["helm"])
    home = tmp_path_factory.mktemp("home")
    with host_support.embedded_host(home / "host") as running:
        found = World(home, running)
        found.reset()
        yield found
