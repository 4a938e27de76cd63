"""Streams into pods of a virtual cluster on a real node: kubectl with both protocols, and many connections at once."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import re
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp

from nestling.controlplane import prepare, settings, supervisor_status
from nestling.kube import credentials, kubeconfig
from tests.support import node as support

#: WebSocket as kubectl prefers it, SPDY as older ones speak it.
PROTOCOLS = ("websocket", "spdy")
_SWITCHES = ("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "KUBECTL_PORT_FORWARD_WEBSOCKETS")
_CHANNELS = "v4.channel.k8s.io"
_DATA = 1


@dataclasses.dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: bytes
    err: bytes


@dataclasses.dataclass(frozen=True)
class Tenant:
    """A virtual cluster of the local driver and its user."""

    node: support.Node
    folder: Path

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "data" / "pki" / "admin.conf"

    @property
    def pki(self) -> Path:
        return self.folder / "data" / "pki"

    @property
    def known(self) -> settings.SyncerSettings:
        """What the control plane was told."""
        return settings.from_json((self.folder / prepare.SETTINGS).read_text())

    @property
    def syncer(self) -> Path:
        """The folder of the syncer process in /proc."""
        status = supervisor_status.read(self.folder)
        assert status is not None
        return Path("/proc") / str(status.components["syncer"].pid)

    def command(self, *arguments: str) -> list[str]:
        return ["kubectl", f"--kubeconfig={self.kubeconfig}", *arguments]

    def environment(self, protocol: str = "websocket") -> dict[str, str]:
        return {**self.node.environment, **dict.fromkeys(_SWITCHES, str(protocol == "websocket").lower())}

    def run(self, *arguments: str, given: bytes = b"", protocol: str = "websocket") -> Done:
        """kubectl, however it ends."""
        done = subprocess.run(
            self.command(*arguments),
            input=given,
            capture_output=True,
            env=self.environment(protocol),
            timeout=support.SECONDS * 2,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def out(self, *arguments: str, given: bytes = b"", protocol: str = "websocket") -> str:
        """What kubectl prints; it must succeed."""
        done = self.run(*arguments, given=given, protocol=protocol)
        assert done.code == 0, f"{arguments}: {done.out!r} {done.err!r}"
        return done.out.decode()

    @contextlib.contextmanager
    def started(self, *arguments: str, protocol: str = "websocket") -> Iterator[subprocess.Popen[bytes]]:
        """kubectl that goes on; it is gone afterwards."""
        with subprocess.Popen(
            self.command(*arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment(protocol),
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    @contextlib.contextmanager
    def forwarded(self, pod: str, port: int, *, protocol: str) -> Iterator[int]:
        """A local port that leads to one of a pod."""
        with self.started(
            "port-forward", f"pod/{pod}", f":{port}", "--address=127.0.0.1", protocol=protocol
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline().decode()
            told = re.search(r"127\.0\.0\.1:(\d+)", line)
            assert told is not None, line
            yield int(told[1])

    def metric(self, name: str) -> float:
        """The sum of a metric of the syncer process over its labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.known.ports.health}/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        found = [line.rpartition(" ")[2] for line in lines if re.match(rf"{name}[{{ ]", line)]
        return sum(float(one) for one in found)

    def streams(self) -> int:
        """How many streams go through the façade."""
        return int(self.metric("nestling_kubelet_streams"))

    def sockets(self) -> int:
        """How many sockets the syncer process has."""
        found = 0
        for one in (self.syncer / "fd").iterdir():
            with contextlib.suppress(OSError):
                found += str(one.readlink()).startswith("socket:")
        return found

    def memory(self, name: str) -> int:
        """``VmRSS`` or ``VmHWM`` of the syncer process in bytes."""
        text = (self.syncer / "status").read_text()
        found = re.search(rf"{name}:\s+(\d+) kB", text)
        assert found is not None
        return int(found[1]) * 1024

    def forget_peak(self) -> None:
        """``VmHWM`` starts over."""
        (self.syncer / "clear_refs").write_text("5")

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """Connections of the administrator to the virtual API server."""
        access = kubeconfig.load([self.kubeconfig])
        connector = aiohttp.TCPConnector(limit=0, ssl=credentials.tls_context(access), force_close=True)
        async with aiohttp.ClientSession(access.server, connector=connector) as session:
            yield session


def path(pod: str, subresource: str) -> str:
    """A subresource of a pod."""
    return f"/api/v1/namespaces/default/pods/{pod}/{subresource}"


async def forward(session: aiohttp.ClientSession, pod: str, port: int) -> aiohttp.ClientWebSocketResponse:
    """A forwarded port whose connection is there: both channels have said which port they are."""
    socket = await session.ws_connect(
        path(pod, "portforward"), params={"ports": str(port)}, protocols=[_CHANNELS], max_msg_size=0
    )
    for _ in range(2):
        await socket.receive_bytes()
    return socket


async def execute(session: aiohttp.ClientSession, pod: str, *command: str) -> aiohttp.ClientWebSocketResponse:
    """A process in a pod whose output is the connection's."""
    parameters: list[tuple[str, Any]] = [("stdout", "true"), *(("command", one) for one in command)]
    return await session.ws_connect(path(pod, "exec"), params=parameters, protocols=[_CHANNELS], max_msg_size=0)


async def follow(session: aiohttp.ClientSession, pod: str) -> aiohttp.ClientResponse:
    """The log of a pod, of which the first line has come."""
    answer = await session.get(path(pod, "log"), params={"follow": "true", "tailLines": "1"})
    assert answer.status == 200, await answer.text()
    await answer.content.readline()
    return answer


async def until(condition: Any, what: str) -> None:
    """Wait for something that is looked at in another thread."""
    await asyncio.to_thread(support.wait, condition, what)
