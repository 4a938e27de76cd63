"""The asynchronous client of the Kubernetes API: sends requests, follows streams, tells errors apart.

Objects are plain dicts and pass through untouched. Nothing is cached here. HTTP/1.1 over one pool: each watch holds a
connection, so watches are not counted against the limit of concurrent requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import random
import socket
import time
import urllib.parse
import urllib.request
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Any, Final, Protocol, Self

import msgspec
import yarl

from nestling.kube import credentials, errors, kubeconfig, lines, paging, requests
from nestling.kube.http import aiohttp
from nestling.kube.resource import Obj, Resource, decode

_CONNECT_SECONDS: Final = 10.0
_REQUEST_SECONDS: Final = 60.0
#: Requests at a time, without watches.
_CONCURRENT: Final = 64
#: Tries of a request that the server puts off (429) or that a broken connection lost.
_TRIES: Final = 4
_FIRST_WAIT: Final = 0.1
#: A server that asks for a longer wait gets it from the caller: the error says how long.
_LONGEST_WAIT: Final = 10.0
_ERROR_BODY: Final = 1 << 20
_LARGE_BODY: Final = 1 << 19
_FIRST_ERROR: Final = 300
_PATIENCE: Final = aiohttp.ClientTimeout(total=_REQUEST_SECONDS, sock_connect=_CONNECT_SECONDS)


class Observer(Protocol):
    """Hears of every request, for metrics such as ``rest_client_requests_total``."""

    def __call__(self, *, method: str, host: str, code: str, seconds: float) -> None:
        """One request was answered with this status code (``<error>``: not at all) after ``seconds``."""


def _nobody(*, method: str, host: str, code: str, seconds: float) -> None:
    """Nobody counts."""


class Client:
    """One API server, as one user. Use as an async context manager."""

    def __init__(
        self, config: kubeconfig.ClientConfig, *, user_agent: str = "vcluster", observer: Observer = _nobody
    ) -> None:
        self.config = config
        self._credentials = credentials.Credentials(config)
        self._user_agent = user_agent
        self._observer = observer
        self._host = urllib.parse.urlsplit(config.server).netloc
        self._proxy = proxy_for(config)
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(_CONCURRENT)

    async def __aenter__(self) -> Self:
        """Open the connection pool; connections are made when they are needed."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60, socket_factory=_socket),
            headers={"User-Agent": self._user_agent, "Accept": "application/json", "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
            await asyncio.sleep(0)  # connections that were ended just now are closed in the loop's next turn

    async def send(self, request: requests.Request) -> bytes:
        """The body of the answer.

        A request that did not reach the server, a read whose answer was lost and one that the server puts off for a
        short time are tried again; a write whose answer was lost is not, since it may have happened.

        Raises:
            errors.ApiError: the server refused.
            errors.ConnectionFailed: it could not be reached.
        """
        refreshed = False
        for attempt in range(_TRIES):
            try:
                return await self._once(request)
            except errors.Unauthorized:
                # a plugin's or file's token that the server no longer takes: once more with a new one
                if refreshed or not self._credentials.forget():
                    raise
                refreshed = True
            except (errors.TooManyRequests, errors.ServerError, errors.ConnectionFailed) as error:
                wait = _wait(request, error, attempt)
                if wait is None:
                    raise
                await asyncio.sleep(wait)
        return await self._once(request)

    async def stream(self, request: requests.Request, *, idle_seconds: float) -> AsyncGenerator[bytes, None]:
        """The lines of an answer that has no end, of any length. Close it when you stop early (``aclosing``).

        Raises:
            errors.ApiError: the server refused.
            errors.ConnectionFailed: nothing came for ``idle_seconds``, or the connection broke.
        """
        patience = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=idle_seconds)
        splitter = lines.Splitter()
        async with self._answer(request, patience) as response:
            async for chunk in response.content.iter_any():
                for line in splitter.feed(chunk):
                    yield line

    async def get(
        self, resource: Resource, name: str, namespace: str | None = None, *, subresource: str | None = None
    ) -> Obj:
        """Read one object."""
        return await self._object(requests.get(resource, name, namespace, subresource=subresource))

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> list[Obj]:
        """All objects of a collection at one moment, read in pages.

        They get the apiVersion and kind that the items of a list lack.
        """
        found: list[Obj] = []
        query = paging.Query(resource, namespace, label_selector, field_selector)
        marks = {"apiVersion": resource.api_version, "kind": resource.kind}
        async with contextlib.aclosing(paging.pages(self, query)) as pages:
            async for page in pages:
                if page.first:
                    found.clear()
                found += ({**marks, **decode(item)} for item in page.items)
        return found

    async def create(
        self,
        resource: Resource,
        obj: Obj,
        namespace: str | None = None,
        *,
        name: str | None = None,
        subresource: str | None = None,
        field_manager: str | None = None,
        dry_run: bool = False,
    ) -> Obj:
        """Create an object, in the namespace of its metadata unless another one is given.

        With ``name`` and ``subresource``: post to a subresource such as ``token``.
        """
        where = namespace if namespace is not None else (obj.get("metadata") or {}).get("namespace")
        request = requests.create(
            resource, obj, where, name=name, subresource=subresource, field_manager=field_manager, dry_run=dry_run
        )
        return await self._object(request)

    async def replace(self, resource: Resource, obj: Obj, *, subresource: str | None = None) -> Obj:
        """Write a whole object back."""
        return await self._object(requests.replace(resource, obj, subresource=subresource))

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Any,
        namespace: str | None = None,
        *,
        patch_type: requests.PatchType = requests.PatchType.MERGE,
        subresource: str | None = None,
        field_manager: str | None = None,
        force: bool = False,
    ) -> Obj:
        """Change parts of an object, by default with a merge patch."""
        request = requests.patch(
            resource,
            name,
            patch,
            namespace,
            patch_type=patch_type,
            subresource=subresource,
            field_manager=field_manager,
            force=force,
        )
        return await self._object(request)

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        grace_period_seconds: int | None = None,
        propagation_policy: str | None = None,
    ) -> Obj | None:
        """Delete an object. The answer is the object if it stays for a while, None if it is gone."""
        request = requests.delete(
            resource,
            name,
            namespace,
            uid=uid,
            resource_version=resource_version,
            grace_period_seconds=grace_period_seconds,
            propagation_policy=propagation_policy,
        )
        answer = await self._object(request)
        return None if answer.get("kind") == "Status" else answer

    async def raw(self, path: str) -> bytes:
        """The body at any path, such as ``/readyz``."""
        return await self.send(requests.raw(path))

    async def version(self) -> Obj:
        """What ``/version`` says: major, minor, gitVersion."""
        return await self._object(requests.raw("/version"))

    async def _object(self, request: requests.Request) -> Obj:
        body = await self.send(request)
        try:
            return decode(body)
        except msgspec.DecodeError as error:
            raise errors.ConnectionFailed(self.config.server + request.path, f"this is no JSON: {error}") from error

    async def _once(self, request: requests.Request) -> bytes:
        async with self._slots, self._answer(request, _PATIENCE) as response:
            return await response.read()

    @contextlib.asynccontextmanager
    async def _answer(
        self, request: requests.Request, patience: aiohttp.ClientTimeout
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """A successful answer. All that can go wrong until its end becomes one of our errors."""
        if self._session is None:
            raise RuntimeError("the client is not open; use it as an async context manager")
        ready = await self._credentials.ready()
        started = time.monotonic()
        code = "<error>"
        try:
            async with self._session.request(
                request.method,
                yarl.URL(self.config.server + request.path, encoded=True),
                params=request.params,
                headers=[*request.headers.items(), *ready.headers],
                data=_payload(request.body),
                timeout=patience,
                ssl=ready.tls if ready.tls is not None else True,
                server_hostname=self.config.tls_server_name,
                proxy=self._proxy,
                allow_redirects=False,
            ) as response:
                code = str(response.status)
                self._observe(request, code, started)
                try:
                    await self._check(response)
                    yield response
                finally:
                    _hang_up(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if code == "<error>":
                self._observe(request, code, started)
            raise _lost(self.config.server, error) from error

    def _observe(self, request: requests.Request, code: str, started: float) -> None:
        self._observer(method=request.method, host=self._host, code=code, seconds=time.monotonic() - started)

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        if response.status < _FIRST_ERROR:
            return
        body = await response.content.read(_ERROR_BODY)
        while len(body) < _ERROR_BODY and (more := await response.content.read(_ERROR_BODY - len(body))):
            body += more
        raise errors.from_response(response.status, body, _retry_after(response.headers.get("Retry-After")))


def _hang_up(response: aiohttp.ClientResponse) -> None:
    """End a connection whose answer was not read to its end, at once.

    Left alone, it would say goodbye in TLS and wait half a minute for the other side, which may have gone silent.
    """
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()


def _payload(body: bytes | None) -> bytes | io.BytesIO | None:
    """aiohttp wants to be given large bodies in a form that it can send piece by piece."""
    return io.BytesIO(body) if body is not None and len(body) > _LARGE_BODY else body


class _NotSent(errors.ConnectionFailed):
    """There was no connection: whatever the request was, it did not happen."""


class _TimedOut(errors.ConnectionFailed):
    """The waiting was long enough for one request."""


def _lost(url: str, error: BaseException) -> errors.ConnectionFailed:
    cause = str(error) or type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        cause = f"its certificate is not trusted: {error.certificate_error}"
    elif isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        cause = os.strerror(number).lower() if number is not None and number > 0 else str(error.os_error)
    elif isinstance(error, aiohttp.ClientPayloadError):
        cause = "the connection broke in the middle of the answer"
    elif isinstance(error, aiohttp.SocketTimeoutError):
        cause = "it has gone silent"
    if isinstance(error, TimeoutError):
        return _TimedOut(url, cause)
    return (_NotSent if isinstance(error, aiohttp.ClientConnectorError) else errors.ConnectionFailed)(url, cause)


def _wait(request: requests.Request, error: errors.ApiError | errors.ConnectionFailed, attempt: int) -> float | None:
    """Seconds until the next try, with jitter so that clients do not come back together; None for no further try."""
    if attempt == _TRIES - 1 or isinstance(error, errors.CredentialsFailed | _TimedOut):
        return None
    base = _FIRST_WAIT * 2.0**attempt
    if isinstance(error, errors.ApiError):
        # without a time to wait the caller decides, and so it does about an eviction that a disruption budget holds up
        if error.retry_after is None or error.retry_after > _LONGEST_WAIT or request.path.endswith("/eviction"):
            return None
        if isinstance(error, errors.ServerError) and request.method != "GET":
            return None
        base = error.retry_after
    elif request.method != "GET" and not isinstance(error, _NotSent):
        return None
    return base * random.uniform(1.0, 1.25)  # noqa: S311 - jitter, not cryptography


def _retry_after(header: str | None) -> float | None:
    """Seconds only; Kubernetes sends no dates."""
    try:
        return max(float(header), 0.0) if header else None
    except ValueError:
        return None


def _socket(info: Any) -> socket.socket:
    """A TCP socket whose kernel notices a peer that has gone away within a minute."""
    family, kind, protocol, _, _ = info
    made = socket.socket(family, kind, protocol)
    options = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 60_000))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in options:
        number = getattr(socket, name, None)  # not every system has all of them
        if number is not None:
            made.setsockopt(socket.IPPROTO_TCP, number, value)
    return made


def proxy_for(config: kubeconfig.ClientConfig) -> str | None:
    """The HTTP proxy: the kubeconfig's, else HTTPS_PROXY and NO_PROXY as kubectl reads them."""
    if config.proxy_url:
        return config.proxy_url
    parts = urllib.parse.urlsplit(config.server)
    host = parts.hostname or ""
    if host in {"localhost", "127.0.0.1", "::1"} or urllib.request.proxy_bypass(parts.netloc):
        return None
    return urllib.request.getproxies_environment().get(parts.scheme)
