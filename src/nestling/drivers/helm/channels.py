"""Exec and port-forward through the API server, as WebSockets of channels (``v4.channel.k8s.io``).

Every message begins with the number of its channel. API servers and kubelets have spoken it since Kubernetes 1.5, it
needs no program beside us, and one WebSocket for each forwarded connection means that one that breaks breaks alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import urllib.parse
from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec

from nestling.drivers.helm import websocket
from nestling.kube import dial, errors, kubeconfig, resource, tls
from nestling.kubelet import wire

PROTOCOL: Final = "v4.channel.k8s.io"
CHUNK: Final = 1 << 15
_SWITCHING: Final = 101
_ANSWER_SECONDS: Final = 15.0
_GOODBYE_SECONDS: Final = 5.0
_LONGEST_REFUSAL: Final = 1 << 14
_STDOUT: Final = 1
_STDERR: Final = 2
_STATUS: Final = 3
_DATA: Final = 0
_ERROR: Final = 1
#: Each channel of a forwarded port begins with the number of the port.
_PORT_BYTES: Final = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Pod:
    """A pod by its name."""

    namespace: str
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    """What a command left."""

    code: int
    out: bytes = dataclasses.field(repr=False)
    err: bytes = dataclasses.field(repr=False)


@dataclasses.dataclass(slots=True)
class Local:
    """A local connection. What it sent is kept until something comes back: until then another pod can take it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    answered: bool = False
    unanswered: bytearray = dataclasses.field(default_factory=bytearray)

    def answer(self) -> None:
        """Something comes back: from now on it belongs to this pod."""
        self.answered = True
        self.unanswered.clear()


class Dialer:
    """Opens WebSockets to one API server, as one user."""

    def __init__(self, config: kubeconfig.ClientConfig) -> None:
        self._server = config.server
        self._dialer = dial.Dialer(config, buffer=2 * CHUNK)

    @contextlib.asynccontextmanager
    async def open(self, path: str, query: Sequence[tuple[str, str]]) -> AsyncIterator[websocket.WebSocket]:
        """A WebSocket to a subresource of a pod.

        Raises:
            errors.ApiError: the server refused.
            errors.ConnectionFailed: it could not be reached, or answers something else.
        """
        key = websocket.new_key()
        headers = [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", key),
            ("Sec-WebSocket-Protocol", PROTOCOL),
        ]
        ends = await self._dialer.open("GET", f"{path}?{urllib.parse.urlencode(query)}", headers)
        try:
            yield websocket.WebSocket(ends, await self._agreed(ends, key))
        finally:
            ends[1].transport.abort()

    async def _agreed(self, ends: dial.Ends, key: str) -> bytes:
        """What came behind the server's answer, which agrees to the protocol."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await wire.read_answer(ends[0])
                if answer.status != _SWITCHING:
                    raise errors.from_response(answer.status, await _body(answer, ends[0]))
        except (wire.Malformed, OSError, TimeoutError) as error:
            raise errors.ConnectionFailed(self._server, str(error) or "it does not answer") from error
        if answer.head.value("Sec-WebSocket-Accept") != websocket.accepted(key):
            raise errors.ConnectionFailed(self._server, "it answers like no WebSocket server")
        return answer.head.rest

    async def forward(self, pod: Pod, port: int, local: Local) -> None:
        """Carry one connection to a port of a pod and back, until either side ends; ``local`` is closed then.

        Raises:
            errors.ApiError, errors.ConnectionFailed: nothing came back, and ``local`` can be carried elsewhere.
        """
        path = resource.PODS.path(pod.namespace, pod.name, "portforward")
        async with self.open(path, [("ports", str(port))]) as socket, asyncio.TaskGroup() as group:
            upward = group.create_task(_up(local, socket), name="up")
            said = await _down(socket, local)
            upward.cancel()
        if not local.answered and not local.reader.at_eof():
            raise errors.ConnectionFailed(f"{pod.name} port {port}", said or "the connection ended at once")
        local.writer.close()

    async def run(self, pod: Pod, container: str, command: Sequence[str]) -> Done:
        """Run a command in a container and wait for its end.

        Raises:
            errors.ApiError, errors.ConnectionFailed: it could not be started, or the connection was lost.
        """
        query = [("container", container), ("stdout", "true"), ("stderr", "true")]
        query += [("command", word) for word in command]
        output = {_STDOUT: bytearray(), _STDERR: bytearray(), _STATUS: bytearray()}
        async with self.open(resource.PODS.path(pod.namespace, pod.name, "exec"), query) as socket:
            with contextlib.suppress(OSError):
                async for message in socket.messages():
                    if message and message[0] in output:
                        output[message[0]] += message[1:]
        if not output[_STATUS]:
            raise errors.ConnectionFailed(self._server, "the connection ended before the command did")
        return Done(exit_code(bytes(output[_STATUS])), bytes(output[_STDOUT]), bytes(output[_STDERR]))


def exit_code(status: bytes) -> int:
    """The exit code that the last message of an exec tells; 1 for a failure without one. Pure."""
    try:
        found = msgspec.json.decode(status)
        if found["status"] == "Success":
            return 0
        causes = (found.get("details") or {}).get("causes") or []
        return next(int(cause["message"]) for cause in causes if cause.get("reason") == "ExitCode")
    except (msgspec.DecodeError, StopIteration, ValueError, KeyError, TypeError):
        return 1


async def _up(local: Local, socket: websocket.WebSocket) -> None:
    """From the local side to the pod; the end of one is the end of both, as TLS has no half-closed connections."""
    with contextlib.suppress(OSError):
        if local.unanswered:
            await socket.send(bytes((_DATA,)) + bytes(local.unanswered))
        while data := await local.reader.read(CHUNK):
            if not local.answered:
                local.unanswered += data
            await socket.send(bytes((_DATA,)) + data)
    await socket.close()
    # The other side may not answer a goodbye; who waits for its end gets one.
    await asyncio.sleep(_GOODBYE_SECONDS)
    socket.abort()


async def _down(socket: websocket.WebSocket, local: Local) -> str:
    """From the pod to the local side; returns the kubelet's word on the error channel, such as that nobody listens."""
    skip = {_DATA: _PORT_BYTES, _ERROR: _PORT_BYTES}
    with contextlib.suppress(OSError):
        async for message in socket.messages():
            channel, data = (message[0], message[1:]) if message else (-1, b"")
            begun = min(skip.get(channel, 0), len(data))
            skip[channel] = skip.get(channel, 0) - begun
            if not data[begun:]:
                continue
            if channel == _ERROR:
                return data[begun:].decode(errors="replace")
            local.answer()
            local.writer.write(data[begun:])
            await local.writer.drain()
    return ""


async def _body(answer: wire.Answer, reader: tls.Reader) -> bytes:
    """The body of a refusal, as far as it is one that tells its length."""
    length = min(int(answer.head.value("Content-Length") or 0), _LONGEST_REFUSAL)
    body = answer.head.rest
    while len(body) < length and (more := await reader.read(length - len(body))):
        body += more
    return body
