"""kubectl for the virtual cluster, and what the façade answers to clients of its own."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import subprocess
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path

from nestling.controlplane import prepare, settings
from nestling.kube.resource import PODS
from tests.integration.syncer import sides as sides_module
from tests.integration.syncer.sides import Sides
from tests.support import envtest

__all__ = ["PATIENCE", "PODS", "TARGET_PORT", "Shell"]
PATIENCE = 60.0
#: Where the simulated containers listen, whatever port is asked for.
TARGET_PORT = envtest.free_port()


@dataclasses.dataclass(frozen=True)
class Shell:
    """A user of the virtual cluster."""

    sides: Sides

    @property
    def admin(self) -> Path:
        return self.sides.cluster.folder / "data" / "pki" / "admin.conf"

    @property
    def pki(self) -> Path:
        return self.sides.cluster.folder / "data" / "pki"

    @property
    def settings(self) -> settings.SyncerSettings:
        """What the control plane was told."""
        return settings.from_json((self.sides.cluster.folder / prepare.SETTINGS).read_text())

    def command(self, *arguments: str) -> list[str]:
        return ["kubectl", "--kubeconfig", str(self.admin), "-n", "default", *arguments]

    def env(self, websocket: str = "true") -> dict[str, str]:
        """kubectl speaks WebSocket, or SPDY as older ones do."""
        switches = ("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "KUBECTL_PORT_FORWARD_WEBSOCKETS")
        return {**os.environ, "HOME": str(self.sides.cluster.home), **dict.fromkeys(switches, websocket)}

    def metric(self, name: str) -> float:
        """A metric of the syncer process, 0 while it does not exist."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.settings.ports.health}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return float(next((line.rpartition(" ")[2] for line in lines if line.startswith(name + " ")), "0"))

    async def until_streams(self, kind: str, count: int) -> None:
        """Wait until so many streams of this kind go through the façade."""

        async def look() -> bool | None:
            found = await asyncio.to_thread(self.metric, f'nestling_kubelet_streams{{kind="{kind}"}}')
            return True if found == count else None

        await sides_module.until(look, f"{count} streams of kind {kind}", explain=self.sides.cluster.logs)

    async def until(self, look: Callable[[], Awaitable[bool | None]], what: str) -> None:
        """Wait for something."""
        await sides_module.until(look, what, explain=self.sides.cluster.logs)

    def run(self, *arguments: str, given: bytes = b"", code: int = 0, websocket: str = "true") -> bytes:
        """Run kubectl to its end; its output."""
        done = subprocess.run(
            self.command(*arguments),
            input=given,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env=self.env(websocket),
        )
        assert done.returncode == code, f"{arguments}\n{done.stdout!r}\n{done.stderr!r}\n{self.sides.cluster.logs()}"
        return done.stdout + (done.stderr if code else b"")
