"""The asynchronous client of the Kubernetes API: sends requests, follows streams, tells errors apart.

Objects are plain dicts and pass through untouched. Nothing is cached here. HTTP/1.1 over one pool (``transport``): each
watch holds a connection, so watches are not counted against the limit of concurrent requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import urllib.parse
import urllib.request
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Any, Final, Protocol, Self

import msgspec

from nestling.kube import credentials, dial, errors, kubeconfig, lines, paging, requests, transport
from nestling.kube.resource import Obj, Resource, decode

_REQUEST_SECONDS: Final = 60.0
#: Requests at a time, without watches.
_CONCURRENT: Final = 64
#: Tries of a request that the server puts off (429) or that a broken connection lost.
_TRIES: Final = 4
_FIRST_WAIT: Final = 0.1
#: A server that asks for a longer wait gets it from the caller: the error says how long.
_LONGEST_WAIT: Final = 10.0
_FIRST_ERROR: Final = 300


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
        self._headers = {
            "Host": urllib.parse.urlsplit(config.server).netloc.rpartition("@")[2],
            "User-Agent": user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }
        self._observer = observer
        self._host = urllib.parse.urlsplit(config.server).netloc
        self._pool: transport.Pool | None = None
        self._slots = asyncio.Semaphore(_CONCURRENT)

    async def __aenter__(self) -> Self:
        """Open the connection pool; connections are made when they are needed."""
        config = self.config
        self._pool = transport.Pool(config.server, server_name=config.tls_server_name, proxy=proxy_for(config))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None
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
        splitter = lines.Splitter()
        async with self._answer(request, idle=idle_seconds) as answer:
            async for piece in answer.pieces():
                for line in splitter.feed(piece):
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
        async with self._slots, self._answer(request, total=_REQUEST_SECONDS) as answer:
            return await answer.body()

    @contextlib.asynccontextmanager
    async def _answer(
        self, request: requests.Request, *, total: float | None = None, idle: float | None = None
    ) -> AsyncGenerator[transport.Connection, None]:
        """A successful answer. All that can go wrong until its end becomes one of our errors."""
        pool = self._pool
        if pool is None:
            raise RuntimeError("the client is not open; use it as an async context manager")
        ready = await self._credentials.ready()
        started = time.monotonic()
        code, connection = "<error>", None
        try:
            async with asyncio.timeout(total):
                connection = await pool.take(ready.tls, patience=idle)
                head = await connection.ask(self._message(pool, request, ready.headers))
                code = str(head.status)
                self._observe(request, code, started)
                if head.status >= _FIRST_ERROR:
                    body = await connection.body()
                    raise errors.from_response(head.status, body, _retry_after(head.headers.get("retry-after")))
                yield connection
        except (transport.Broken, transport.NotConnected, TimeoutError) as error:
            if code == "<error>":
                self._observe(request, code, started)
            raise _lost(self.config.server, error) from error
        finally:
            if connection is not None:
                pool.give(connection)

    def _message(self, pool: transport.Pool, request: requests.Request, credential: dial.Headers) -> bytes:
        """A request as it is sent."""
        query = urllib.parse.urlencode(request.params)
        mark = "" if not query else "&" if "?" in request.path else "?"
        body = request.body or b""
        headers = {**self._headers, **request.headers}
        if body or request.method != "GET":
            headers["Content-Length"] = str(len(body))
        first = f"{request.method} {pool.prefix}{request.path}{mark}{query} HTTP/1.1"
        return dial.head(first, (*headers.items(), *pool.plain_headers, *credential)) + body

    def _observe(self, request: requests.Request, code: str, started: float) -> None:
        self._observer(method=request.method, host=self._host, code=code, seconds=time.monotonic() - started)


class _NotSent(errors.ConnectionFailed):
    """There was no connection: whatever the request was, it did not happen."""


class _TimedOut(errors.ConnectionFailed):
    """The waiting was long enough for one request."""


def _lost(url: str, error: Exception) -> errors.ConnectionFailed:
    if isinstance(error, TimeoutError):
        return _TimedOut(url, str(error) or f"no answer within {_REQUEST_SECONDS:.0f} s")
    return (_NotSent if isinstance(error, transport.NotConnected) else errors.ConnectionFailed)(url, str(error))


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


def proxy_for(config: kubeconfig.ClientConfig) -> str | None:
    """The HTTP proxy: the kubeconfig's, else HTTPS_PROXY and NO_PROXY as kubectl reads them."""
    if config.proxy_url:
        return config.proxy_url
    parts = urllib.parse.urlsplit(config.server)
    host = parts.hostname or ""
    if host in {"localhost", "127.0.0.1", "::1"} or urllib.request.proxy_bypass(parts.netloc):
        return None
    return urllib.request.getproxies_environment().get(parts.scheme)
