"""Health, metrics and state of the syncer process over HTTP on loopback: ``/healthz``, ``/readyz``, ``/metrics``,
``/status``.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

import msgspec
import prometheus_client

from nestling.kube.resource import Obj
from nestling.kubelet import wire

_LOG = logging.getLogger(__name__)
#: Says whether one condition of readiness holds.
Check = Callable[[], bool]
#: Gives the state of one part as plain values.
Document = Callable[[], Obj]
#: A client that has connected says what it wants, or is sent away.
_PATIENCE: Final = 30.0


def report(checks: Mapping[str, Check]) -> tuple[bool, str]:
    """Are all conditions met, and one line for each, in the style of the API server's ``/readyz?verbose``."""
    results = {name: check() for name, check in checks.items()}
    lines = [f"[{'+' if good else '-'}]{name} {'ok' if good else 'not yet'}" for name, good in results.items()]
    return all(results.values()), "\n".join(lines) + "\n"


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoint:
    """What is told."""

    checks: Mapping[str, Check]
    registry: prometheus_client.CollectorRegistry
    documents: Mapping[str, Document]

    def answer(self, path: str) -> bytes:
        """The answer to a GET. ``/healthz`` answers while the event loop turns: a stuck process does not."""
        if path == "/healthz":
            return wire.answer(200, b"ok")
        if path == "/readyz":
            ready, text = report(self.checks)
            return wire.answer(200 if ready else 503, text.encode())
        if path == "/metrics":
            body = prometheus_client.generate_latest(self.registry)
            return wire.answer(200, body, content_type=prometheus_client.CONTENT_TYPE_LATEST)
        if path == "/status":
            results = {name: check() for name, check in self.checks.items()}
            state = {"ready": all(results.values()), "checks": results}
            state |= {name: document() for name, document in self.documents.items()}
            return wire.answer(200, msgspec.json.encode(state), content_type="application/json")
        return wire.answer(404, b"there is nothing here\n")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        rest = b""
        try:
            while True:
                async with asyncio.timeout(_PATIENCE):
                    request = await wire.read_request(reader, rest=rest)
                if request is None:
                    return
                rest = request.head.rest
                writer.write(self.answer(request.path) if request.method == "GET" else wire.answer(405))
                await writer.drain()
                if _is_last(request):
                    return
        except wire.Malformed as error:
            writer.write(wire.answer(400, f"{error}\n".encode()))
        except (OSError, TimeoutError):
            return
        except Exception:  # noqa: BLE001 - recorded; a question must not end the syncer
            _LOG.exception("no answer")
            writer.write(wire.answer(500))
        finally:
            writer.close()


def _is_last(request: wire.Request) -> bool:
    """Does the client wait for the end of the connection? The supervisor's probes do."""
    return any(value.lower() == "close" for value in request.head.values("connection"))


@contextlib.asynccontextmanager
async def serving(
    port: int,
    checks: Mapping[str, Check],
    registry: prometheus_client.CollectorRegistry,
    documents: Mapping[str, Document] | None = None,
) -> AsyncIterator[int]:
    """Listen on loopback for as long as the context lasts; gives the port, which port 0 leaves to the system."""
    shown = Endpoint(checks, registry, documents if documents is not None else {})
    connections = set[asyncio.Task[None]]()
    async with asyncio.TaskGroup() as group:

        def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = group.create_task(shown.serve(reader, writer), name="endpoint")
            connections.add(task)
            task.add_done_callback(connections.discard)

        server = await asyncio.start_server(arrived, "127.0.0.1", port)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for task in connections:
                task.cancel()
