"""A proxy between a client and an API server that misbehaves on command.

It ends TLS with a certificate of its own and speaks to the server as the client's own user, so that RBAC stays what it
is. Faults are switched on with a chance and off again; what was broken while they were on stays broken (a silenced
watch stays silent until the client gives it up).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import enum
import json
import random
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Self

import aiohttp
import trustme
import yaml
import yarl
from aiohttp import web

from nestling.kube import credentials, kubeconfig


class Kind(enum.Enum):
    """What can go wrong between two processes."""

    #: The connection is cut before the server hears of the request.
    DROP = "drop"
    #: The server does it, the client never hears.
    LOST_ANSWER = "lost answer"
    #: The answer breaks off in the middle.
    TRUNCATE = "truncate"
    SLOW = "slow"
    #: 409 to a write, whatever it said.
    CONFLICT = "409"
    #: 410 to a list, or to a watch: as an answer or as an event.
    EXPIRED = "410"
    BUSY = "429"
    ERROR = "500"
    #: A page of some proxy instead of a Status.
    GARBAGE = "502"
    UNAVAILABLE = "503"
    #: Watches stay open and say nothing more.
    SILENT = "silent"


#: What an answer of the server is replaced with: status, reason, further headers.
_ANSWERS: Final[dict[Kind, tuple[int, str, dict[str, str]]]] = {
    Kind.CONFLICT: (409, "Conflict", {}),
    Kind.EXPIRED: (410, "Expired", {}),
    Kind.BUSY: (429, "TooManyRequests", {"Retry-After": "1"}),
    Kind.ERROR: (500, "InternalError", {}),
    Kind.UNAVAILABLE: (503, "ServiceUnavailable", {}),
}
_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host", "date", "server"})
_SLOW_SECONDS: Final = (0.2, 2.0)


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """One request that reached the server and changed something, or tried to."""

    method: str
    path: str
    status: int
    body: bytes

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status} {self.body[:400].decode(errors='replace')}"


class Proxy:
    """One proxy before one API server. Use as an async context manager."""

    def __init__(self, upstream: kubeconfig.ClientConfig, *, seed: int = 0) -> None:
        self.upstream = upstream
        self.port = 0
        #: Writes that reached the server, without events and tokens.
        self.writes: list[Seen] = []
        #: How often each fault has struck.
        self.struck: dict[Kind, int] = dict.fromkeys(Kind, 0)
        self._chances: dict[Kind, float] = {}
        self._random = random.Random(seed)
        self._authority = trustme.CA()
        self._watches: set[asyncio.Transport] = set()
        self._silenced: set[asyncio.Transport] = set()
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.ServerRunner | None = None

    @property
    def config(self) -> kubeconfig.ClientConfig:
        """The way in: the same credentials, another server."""
        return dataclasses.replace(
            self.upstream, server=self.url, ca_data=self._authority.cert_pem.bytes(), ca_file=None, tls_server_name=None
        )

    @property
    def url(self) -> str:
        """Where the proxy listens."""
        return f"https://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        """Listen on a free loopback port."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=credentials.tls_context(self.upstream)),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert("127.0.0.1").configure_cert(context)
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=context)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Cut all connections."""
        self.cut_watches()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    def stands_before(self, file: Path) -> None:
        """Rewrite a kubeconfig so that whoever reads it comes through this proxy."""
        content = yaml.safe_load(file.read_text())
        for cluster in content["clusters"]:
            cluster["cluster"].pop("certificate-authority", None)
            cluster["cluster"].pop("tls-server-name", None)
            cluster["cluster"]["server"] = self.url
            cluster["cluster"]["certificate-authority-data"] = base64.b64encode(
                self._authority.cert_pem.bytes()
            ).decode()
        file.write_text(yaml.safe_dump(content))

    def switch_on(self, kind: Kind, chance: float) -> None:
        """From now on this fault strikes each request that it fits with this chance."""
        self._chances[kind] = chance

    def heal(self) -> None:
        """No new faults. What is broken stays broken."""
        self._chances.clear()

    def cut_watches(self) -> int:
        """Break all open watches; how many there were."""
        found = list(self._watches)
        for transport in found:
            transport.abort()
        return len(found)

    def silence(self) -> int:
        """No open watch says anything more; how many there are."""
        self._silenced |= self._watches
        return len(self._watches)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        is_watch = request.query.get("watch") in ("1", "true")
        fault = self._fault(request.method, is_watch=is_watch)
        if fault is Kind.DROP:
            return _cut(request)
        if fault is Kind.SLOW:
            await asyncio.sleep(self._random.uniform(*_SLOW_SECONDS))
        if fault in _ANSWERS and not (is_watch and fault is Kind.EXPIRED and self._random.random() < 0.5):
            return _status(*_ANSWERS[fault])
        if fault is Kind.GARBAGE:
            return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")
        try:
            return await self._forward(request, fault, is_watch=is_watch)
        except (aiohttp.ClientError, OSError):
            return _cut(request)

    def _fault(self, method: str, *, is_watch: bool) -> Kind | None:
        """The fault that strikes this request, if one does."""
        fitting = [kind for kind in self._chances if _fits(kind, method, is_watch=is_watch)]
        self._random.shuffle(fitting)
        for kind in fitting:
            if self._random.random() < self._chances[kind]:
                self.struck[kind] += 1
                return kind
        return None

    async def _forward(self, request: web.BaseRequest, fault: Kind | None, *, is_watch: bool) -> web.StreamResponse:
        assert self._session is not None
        body = await request.read()
        headers = [(key, value) for key, value in request.headers.items() if key.lower() not in _HOP]
        async with self._session.request(
            request.method,
            yarl.URL(self.upstream.server + request.raw_path, encoded=True),
            headers=headers,
            data=body or None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
        ) as answer:
            if is_watch and answer.status == 200:
                return await self._stream(request, answer, fault)
            content = await answer.read()
            if request.method != "GET" and not request.path.endswith("/token") and "/events" not in request.path:
                self.writes.append(Seen(request.method, request.path, answer.status, body))
            if fault is Kind.LOST_ANSWER:
                return _cut(request)
            out = web.Response(status=answer.status, body=content, headers=_headers(answer))
            if fault is Kind.TRUNCATE and len(content) > 1:
                return await _halve(request, out, content)
            return out

    async def _stream(
        self, request: web.BaseRequest, answer: aiohttp.ClientResponse, fault: Kind | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=200, headers=_headers(answer))
        await response.prepare(request)
        transport = request.transport
        if transport is None:
            return response
        self._watches.add(transport)
        try:
            if fault is Kind.EXPIRED:
                gone = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410}
                await response.write(json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n")
                return response
            async for chunk in answer.content.iter_any():
                if Kind.SILENT in self._chances and self._random.random() < self._chances[Kind.SILENT]:
                    self.struck[Kind.SILENT] += 1
                    self._silenced.add(transport)
                if transport in self._silenced:
                    await asyncio.Event().wait()  # until the client gives up: the handler is cancelled then
                if fault is Kind.TRUNCATE and len(chunk) > 1:
                    await response.write(chunk[: len(chunk) // 2])
                    return _cut(request)
                await response.write(chunk)
            await response.write_eof()
        except (aiohttp.ClientError, OSError):
            return _cut(request)
        finally:
            self._watches.discard(transport)
            self._silenced.discard(transport)
        return response


def _fits(kind: Kind, method: str, *, is_watch: bool) -> bool:
    match kind:
        case Kind.CONFLICT:
            return method in ("PATCH", "PUT", "DELETE")
        case Kind.EXPIRED:
            return method == "GET"
        case Kind.LOST_ANSWER:
            return not is_watch
        case Kind.SILENT:
            return False  # strikes streams, not requests
        case _:
            return True


def _status(status: int, reason: str, headers: dict[str, str]) -> web.Response:
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "code": status,
        "reason": reason,
        "message": f"the test answers {status}",
    }
    return web.json_response(body, status=status, headers=headers)


def _headers(answer: aiohttp.ClientResponse) -> list[tuple[str, str]]:
    return [(key, value) for key, value in answer.headers.items() if key.lower() not in _HOP]


def _cut(request: web.BaseRequest) -> web.Response:
    """Break the connection. The answer that is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _halve(request: web.BaseRequest, response: web.Response, content: bytes) -> web.StreamResponse:
    headers = {**response.headers, "Content-Length": str(len(content))}
    broken = web.StreamResponse(status=response.status, headers=headers)
    with contextlib.suppress(OSError, aiohttp.ClientError):
        await broken.prepare(request)
        await broken.write(content[: len(content) // 2])
    return _cut(request)


@contextlib.asynccontextmanager
async def between(upstream: kubeconfig.ClientConfig, *, seed: int) -> AsyncIterator[Proxy]:
    """A proxy for a test."""
    async with Proxy(upstream, seed=seed) as proxy:
        yield proxy
