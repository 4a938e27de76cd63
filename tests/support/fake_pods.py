"""An API server whose pods are local ports: lists pods, forwards to them and runs commands, over WebSockets.

Only what the driver helm asks for; plain HTTP on loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from nestling.drivers.helm import websocket
from nestling.kube import dial, kubeconfig
from nestling.kubelet import wire

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def pod(name: str, *, ready: bool = True, phase: str = "Running") -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {"metadata": {"name": name, "namespace": "ns"}, "status": {"phase": phase, "conditions": conditions}}


@dataclasses.dataclass
class FakeApi:
    """What there is, and what was asked for."""

    pods: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    #: Where a port of a pod leads: ``name:port`` → local port. What is missing is refused by the kubelet.
    ports: dict[str, int] = dataclasses.field(default_factory=dict)
    #: What a command prints, and its exit code.
    prints: bytes = b""
    code: int = 0
    #: The answer of the API server instead of an upgrade.
    refuses: int = 0
    asked: list[str] = dataclasses.field(default_factory=list)
    port: int = 0

    @property
    def config(self) -> kubeconfig.ClientConfig:
        return kubeconfig.ClientConfig(server=f"http://127.0.0.1:{self.port}")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rest = b""
        try:
            while (request := await wire.read_request(reader, rest=rest)) is not None:
                rest = request.head.rest
                self.asked.append(f"{request.method} {request.path}")
                if request.upgrade:
                    await self._upgrade(request, (reader, writer))
                    return
                writer.write(self._answer(request))
                await writer.drain()
        except (wire.Malformed, OSError):
            pass
        finally:
            writer.close()

    def _answer(self, request: wire.Request) -> bytes:
        if request.path.endswith("/pods"):
            body: dict[str, Any] = {"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": self.pods}
            return wire.answer(200, json.dumps(body).encode(), content_type="application/json")
        status = {"kind": "Status", "reason": "NotFound", "code": 404, "message": "not here"}
        return wire.answer(404, json.dumps(status).encode(), content_type="application/json")

    async def _upgrade(self, request: wire.Request, ends: Ends) -> None:
        if self.refuses:
            status = {"kind": "Status", "code": self.refuses, "message": "no"}
            ends[1].write(wire.answer(self.refuses, json.dumps(status).encode(), content_type="application/json"))
            await ends[1].drain()
            return
        headers = [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Accept", websocket.accepted(request.head.value("Sec-WebSocket-Key"))),
            ("Sec-WebSocket-Protocol", "v4.channel.k8s.io"),
        ]
        ends[1].write(dial.head("HTTP/1.1 101 Switching Protocols", headers))
        name, what = request.path.split("/")[-2:]
        if what == "exec":
            await self._run(ends)
        else:
            await self._forward(f"{name}:{dict(request.query)['ports']}", ends)

    async def _run(self, ends: Ends) -> None:
        causes = {"causes": [{"reason": "ExitCode", "message": str(self.code)}]}
        status = {"status": "Failure", "details": causes} if self.code else {"status": "Success"}
        for channel, data in ((1, b""), (1, self.prints), (2, b"told"), (3, json.dumps(status).encode())):
            ends[1].write(_frame(bytes((channel,)) + data))
        ends[1].write(_frame(b"\x03\xe8", opcode=8))
        await ends[1].drain()

    async def _forward(self, target: str, ends: Ends) -> None:
        port = int(target.rpartition(":")[2]).to_bytes(2, "little")
        ends[1].write(_frame(b"\0" + port) + _frame(b"\1" + port))
        if target not in self.ports:
            # Only when something was sent: whoever carries the connection on must not have lost it.
            await ends[0].read(1)
            ends[1].write(_frame(b"\1connection refused"))
            await ends[1].drain()
            return
        inner = await asyncio.open_connection("127.0.0.1", self.ports[target])
        try:
            async with asyncio.TaskGroup() as group:
                upward = group.create_task(self._up(ends[0], inner[1]))
                while data := await inner[0].read(1 << 15):
                    ends[1].write(_frame(b"\0" + data))
                    await ends[1].drain()
                ends[1].write(_frame(b"\x03\xe8", opcode=8))
                upward.cancel()
        finally:
            inner[1].transport.abort()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(2)
                length = head[1] & 0x7F
                if length >= 126:
                    length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
                mask = await reader.readexactly(4)
                payload = websocket.masked(await reader.readexactly(length), mask)
                if head[0] & 0x0F == 8:
                    break
                if payload[:1] == b"\0":
                    writer.write(payload[1:])
                    await writer.drain()
        writer.close()


def _frame(payload: bytes, *, opcode: int = 2) -> bytes:
    """As servers send it: without a mask."""
    length = len(payload)
    if length < 126:
        return bytes((0x80 | opcode, length)) + payload
    return bytes((0x80 | opcode, 126)) + length.to_bytes(2, "big") + payload


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def _serving(handler: Handler) -> AsyncIterator[int]:
    """A server as long as the context is open; no connection outlives it."""
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        tasks.add(asyncio.get_running_loop().create_task(_quietly(handler(reader, writer))))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)  # transports close in the loop's next turns


async def _quietly(work: Awaitable[None]) -> None:
    with contextlib.suppress(OSError):
        await work


@contextlib.asynccontextmanager
async def running(api: FakeApi) -> AsyncIterator[FakeApi]:
    """The server as long as the context is open."""
    async with _serving(api.serve) as api.port:
        yield api


@contextlib.asynccontextmanager
async def echoing(name: bytes = b"echo") -> AsyncIterator[int]:
    """A server in a pod that says its name before everything that it is told; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 15):
            writer.write((name + b":" if name else b"") + data)
            await writer.drain()
        writer.close()

    async with _serving(serve) as port:
        yield port
