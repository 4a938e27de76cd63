"""The listener: takes a request, says who may, and answers it or carries it to the host."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

from nestling.kube import dial, errors
from nestling.kube import tls as tls_module
from nestling.kube.resource import Obj
from nestling.kubelet import access, metrics_api, node, routes, streams, tunnel, wire

_LOG: Final = logging.getLogger(__name__)
#: More connections than that at a time are turned away.
MOST_CONNECTIONS: Final = 1000
#: How long a client may take to send a head, and to come back with the next one.
_HEAD_SECONDS: Final = 120.0
_HANDSHAKE_SECONDS: Final = 10.0
_OK: Final = 200
_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_JSON: Final = "application/json"
#: Routes whose answer depends on the node that is asked.
_OF_NODE: Final = frozenset({routes.Kind.PODS, routes.Kind.STATS, routes.Kind.METRICS})

#: Gives the metrics of one component in the text format.
Scrape = Callable[[], Awaitable[bytes]]


@dataclasses.dataclass(frozen=True, slots=True)
class Parts:
    """What the façade needs; the composition in ``controlplane`` supplies it."""

    streams: streams.Streams
    authorities: access.Authorities
    reviewer: access.Reviewer
    nodes: node.Nodes | None = None
    metrics_api: metrics_api.MetricsApi | None = None
    #: Metrics of the parts of the control plane.
    components: Mapping[str, Scrape] = dataclasses.field(default_factory=dict)


class Facade:
    """All virtual nodes of one virtual cluster behind one listener.

    A pod is found by its name, whatever node the API server believes to speak to.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._connections: set[asyncio.Task[Any]] = set()

    @contextlib.asynccontextmanager
    async def serving(self, address: str | None, port: int, tls: ssl.SSLContext) -> AsyncIterator[int]:
        """Listen for as long as the context lasts (None: on every address); gives the port."""
        async with asyncio.TaskGroup() as group:

            def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                if len(self._connections) >= MOST_CONNECTIONS:
                    writer.transport.abort()
                    return
                task = group.create_task(self._connected((reader, writer), tls), name="kubelet")
                self._connections.add(task)
                task.add_done_callback(self._connections.discard)

            server = await asyncio.start_server(arrived, address, port, limit=tunnel.CHUNK)
            try:
                yield int(server.sockets[0].getsockname()[1])
            finally:
                server.close()
                for one in self._connections:
                    one.cancel()

    async def _connected(self, raw: tuple[asyncio.StreamReader, asyncio.StreamWriter], context: ssl.SSLContext) -> None:
        """One connection from its begin to its end. What goes wrong with it, our mistakes too, is its own problem."""
        ends: dial.Ends = raw
        try:
            dial.keep_alive(raw[1])
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                ends = await tls_module.wrap(raw, context, server_side=True)
            await self._converse(ends)
            await tunnel.part(ends)
        except wire.Malformed as error:
            _LOG.info("a connection ended", extra={"error": str(error)})
            await tunnel.part(ends)
        except (OSError, TimeoutError) as error:
            _LOG.info("a connection ended", extra={"error": str(error) or type(error).__name__})
        except Exception:  # noqa: BLE001 - recorded; one connection must not end the syncer
            _LOG.exception("a connection failed")
        finally:
            ends[1].close()

    async def _converse(self, ends: dial.Ends) -> None:
        """One request after the other, until one takes the connection for itself."""
        rest = b""
        while True:
            try:
                async with asyncio.timeout(_HEAD_SECONDS):
                    request = await wire.read_request(ends[0], rest=rest)
            except wire.Malformed as error:
                ends[1].write(wire.answer(400, f"{error}\n".encode()))
                raise
            if request is None:
                return
            answer = await self._answer(request, ends)
            if answer is None:
                return
            ends[1].write(answer)
            await ends[1].drain()
            rest = request.head.rest

    async def _answer(self, request: wire.Request, ends: dial.Ends) -> bytes | None:
        """The answer; None when a stream has used the connection up."""
        kind = "unknown"
        body: bytes | None = None
        try:
            route = routes.route(request)
            kind = route.kind.value
            node_name = await self._check(request, route, ends[1])
            if route.pod is not None:
                await self._parts.streams.carry(request, route, ends)
                code = _OK
            elif route.kind is routes.Kind.METRICS_API:
                code, body = await self._measurements(request)
            else:
                code, body = _OK, await self._own(route, node_name)
        except routes.Refused as refused:
            code, body = refused.status, wire.answer(refused.status, f"{refused}\n".encode())
        except (errors.ApiError, errors.ConnectionFailed, wire.Malformed) as error:
            # the text of the other side names objects of the host: it is for the log
            _LOG.warning("a request is not answered", extra={"path": request.path, "error": str(error)})
            code, body = 502, wire.answer(502, b"the cluster behind this node does not answer; try again later\n")
        self._parts.streams.meter.requests.labels(kind, str(code)).inc()
        return body

    async def _check(self, request: wire.Request, route: routes.Route, writer: tls_module.Writer) -> str:
        """Is this the API server, or somebody who may? What one may can depend on the node, whose name is returned."""
        caller = self._parts.authorities.caller(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
        if route.kind is routes.Kind.METRICS_API:
            if caller.peer is not access.Peer.AGGREGATOR:
                raise routes.Refused(403, "this API is the API server's: ask that")
            return ""
        is_api_server = caller.peer is access.Peer.API_SERVER
        user: Obj = {}
        if not is_api_server:
            user = caller.user or await self._parts.reviewer.user(request.head.value("Authorization"))
        name = ""
        if route.kind in _OF_NODE and self._parts.nodes is not None:
            name = await self._parts.nodes.asked(request, forwarded=is_api_server)
        if not is_api_server:
            await self._parts.reviewer.check(user, route, name)
        return name

    async def _measurements(self, request: wire.Request) -> tuple[int, bytes]:
        """An answer of the metrics API; where it is not offered there is nothing."""
        if self._parts.metrics_api is None:
            raise routes.Refused(404, "nothing is served under this path")
        code, body = await self._parts.metrics_api.answer(request)
        return code, wire.answer(code, body, content_type=_JSON)

    async def _own(self, route: routes.Route, name: str) -> bytes:
        """The answers that are made here."""
        if route.kind is routes.Kind.HEALTH:
            return wire.answer(_OK, b"ok")
        if route.kind in _OF_NODE and self._parts.nodes is not None:
            body, content_type = await self._parts.nodes.answer(route, name)
            return wire.answer(_OK, body, content_type=content_type)
        scrape = self._parts.components.get(route.component)
        if scrape is None:
            raise routes.Refused(404, "this control plane has no such component")
        return wire.answer(_OK, await scrape(), content_type=_TEXT)
