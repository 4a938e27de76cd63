"""The asynchronous client of the Kubernetes API: sends requests, follows streams, tells errors apart.

Objects are plain dicts and pass through untouched. Nothing is cached here.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Final, Protocol, Self

import aiohttp
import yarl

from nestling.kube import credentials, errors, kubeconfig, requests
from nestling.kube.resource import Obj, Resource, decode

_PAGE: Final = 500
_CONNECT_SECONDS: Final = 10.0
_REQUEST_SECONDS: Final = 60.0
#: Tries of a request that the server puts off (429) or, for reads, that a broken connection lost.
_TRIES: Final = 4
_LONGEST_WAIT: Final = 10.0


class Observer(Protocol):
    """Counts requests for metrics."""

    def __call__(self, method: str, code: str) -> None:
        """One request was answered with this status code, or failed (``<error>``)."""


def _unobserved(method: str, code: str) -> None:
    """Nobody counts."""


class Client:
    """One API server, as one user. Use as an async context manager."""

    def __init__(
        self, config: kubeconfig.ClientConfig, *, user_agent: str = "vcluster", observer: Observer = _unobserved
    ) -> None:
        self.config = config
        self._credentials = credentials.Credentials(config)
        self._user_agent = user_agent
        self._observer = observer
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connection pool; connections are made when they are needed."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=90),
            headers={"User-Agent": self._user_agent, "Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def send(self, request: requests.Request) -> bytes:
        """The body of the answer.

        Raises:
            errors.ApiError: the server refused.
            errors.ConnectionFailed: it could not be reached.
        """
        for attempt in range(_TRIES):
            last = attempt == _TRIES - 1
            try:
                return await self._once(request)
            except errors.TooManyRequests as error:
                if last:
                    raise
                await asyncio.sleep(_wait(attempt, error.retry_after))
            except errors.ConnectionFailed:
                if last or request.method != "GET":
                    raise
                await asyncio.sleep(_wait(attempt, None))
        message = "unreachable: the last try returns or raises"
        raise AssertionError(message)

    async def stream(self, request: requests.Request, *, idle_seconds: float) -> AsyncIterator[bytes]:
        """The lines of an answer that has no end, of any length.

        Raises:
            errors.ConnectionFailed: nothing came for ``idle_seconds``, or the connection broke.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=idle_seconds)
        rest = bytearray()
        try:
            async with await self._request(request, timeout) as response:
                await self._check(response)
                async for chunk in response.content.iter_any():
                    rest += chunk
                    if b"\n" not in chunk:
                        continue
                    *lines, tail = bytes(rest).split(b"\n")
                    rest = bytearray(tail)
                    for line in lines:
                        if line:
                            yield line
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._failed(error) from error

    async def get(
        self, resource: Resource, name: str, namespace: str | None = None, *, subresource: str | None = None
    ) -> Obj:
        """Read one object."""
        return decode(await self.send(requests.get(resource, name, namespace, subresource=subresource)))

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> list[Obj]:
        """All objects of a collection, read in pages. Items get the apiVersion and kind that lists leave out."""
        found: list[Obj] = []
        token: str | None = None
        while True:
            request = requests.list_(
                resource,
                namespace,
                label_selector=label_selector,
                field_selector=field_selector,
                limit=_PAGE,
                continue_=token,
            )
            page = decode(await self.send(request))
            found += (
                {"apiVersion": resource.api_version, "kind": resource.kind, **item} for item in page.get("items") or ()
            )
            token = page["metadata"].get("continue")
            if not token:
                return found

    async def create(
        self,
        resource: Resource,
        obj: Obj,
        namespace: str | None = None,
        *,
        name: str | None = None,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Obj:
        """Create an object, in the namespace of its metadata unless another one is given."""
        where = namespace if namespace is not None else (obj.get("metadata") or {}).get("namespace")
        request = requests.create(resource, obj, where, name=name, subresource=subresource, dry_run=dry_run)
        return decode(await self.send(request))

    async def replace(self, resource: Resource, obj: Obj, *, subresource: str | None = None) -> Obj:
        """Write a whole object."""
        return decode(await self.send(requests.replace(resource, obj, subresource=subresource)))

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
        """Change an object."""
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
        return decode(await self.send(request))

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
    ) -> Obj:
        """Delete an object; the answer is the object or a Status."""
        request = requests.delete(
            resource,
            name,
            namespace,
            uid=uid,
            resource_version=resource_version,
            grace_period_seconds=grace_period_seconds,
            propagation_policy=propagation_policy,
        )
        return decode(await self.send(request))

    async def raw(self, path: str) -> bytes:
        """The body at any path."""
        return await self.send(requests.raw(path))

    async def version(self) -> Obj:
        """What ``/version`` says: major, minor, gitVersion."""
        return decode(await self.raw("/version"))

    async def _once(self, request: requests.Request) -> bytes:
        timeout = aiohttp.ClientTimeout(total=_REQUEST_SECONDS, sock_connect=_CONNECT_SECONDS)
        try:
            async with await self._request(request, timeout) as response:
                await self._check(response)
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._observer(request.method, "<error>")
            raise self._failed(error) from error
        return body

    async def _request(self, request: requests.Request, timeout: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:  # noqa: ASYNC109 - the library's own kind of timeout
        if self._session is None:
            message = "the client is not open; use it as an async context manager"
            raise RuntimeError(message)
        tls = await self._credentials.tls()
        response = await self._session.request(
            request.method,
            yarl.URL(self.config.server + request.path, encoded=True),
            params=request.params,
            headers={**request.headers, **await self._credentials.headers()},
            data=request.body,
            timeout=timeout,
            ssl=tls if tls is not None else True,
            server_hostname=self.config.tls_server_name,
            allow_redirects=False,
        )
        self._observer(request.method, str(response.status))
        return response

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        if response.status < 300:
            return
        after = response.headers.get("Retry-After", "")
        body = await response.read()
        raise errors.from_response(response.status, body, float(after) if after.isdigit() else None)

    def _failed(self, error: BaseException) -> errors.ConnectionFailed:
        cause = str(error) or type(error).__name__
        return errors.ConnectionFailed(self.config.server, cause)


def _wait(attempt: int, asked: float | None) -> float:
    """Seconds before the next try, with jitter so that clients do not come back together."""
    base = asked if asked is not None else 0.2 * 2**attempt
    return min(base, _LONGEST_WAIT) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not cryptography
