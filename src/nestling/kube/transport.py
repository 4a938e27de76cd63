"""Connections to one server and the pool that keeps them for the next request.

Ours instead of a library's, because a syncer does little but short requests and watches: a request costs a third less
processor time than in aiohttp (docs/performance.md).
"""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import ssl
import time
import urllib.parse
from collections.abc import AsyncGenerator, Iterator
from typing import Final, cast

from nestling.kube import dial, http1

_CONNECT_SECONDS: Final = 10.0
#: Where a name has several addresses, each of them gets so long.
_ADDRESS_SECONDS: Final = 5.0
#: Shorter than servers keep connections: what one has closed is of no use.
_IDLE_SECONDS: Final = 60.0
#: Of a stream that is not read as fast as it comes, so much waits here; the rest waits at the server.
_MOST_WAITING: Final = 1 << 20
_OK: Final = 200


class Broken(Exception):
    """The connection ended, or what came is no HTTP."""


class NotConnected(Exception):
    """There is no connection: nothing was sent."""


class Silent(TimeoutError):
    """Nothing has come for too long."""


class Connection(asyncio.Protocol):
    """One connection: a request and its answer, then the next."""

    def __init__(self) -> None:
        #: The TLS context of the client certificate that it was made with.
        self.tls: ssl.SSLContext | None = None
        self.idle_since = 0.0
        #: The longest silence within an answer, in seconds; None when somebody else looks at the clock.
        self.patience: float | None = None
        self._transport: asyncio.Transport | None = None
        self._reader = http1.Reader()
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The loop says: it is open."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has another base

    def data_received(self, data: bytes) -> None:
        """The loop says: something has come."""
        try:
            self._reader.feed(data)
        except http1.Malformed as error:
            self._end(Broken(str(error)))
            return
        if self._reader.size > _MOST_WAITING and self.patience is not None and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """The loop says: the server has no more to say."""
        self._over()

    def connection_lost(self, exc: Exception | None) -> None:
        """The loop says: it is closed."""
        if exc is not None:
            self._end(Broken(_cause(exc)))
        else:
            self._over()

    @property
    def is_usable(self) -> bool:
        """Can another request be sent?"""
        return self._error is None and self._reader.is_complete and not self._reader.is_last

    async def ask(self, message: bytes) -> http1.Head:
        """Send a request and wait for the head of its answer; raises ``Broken``, ``Silent``."""
        if self._transport is None:
            raise Broken("it was never open")
        self._reader = http1.Reader()
        self._transport.write(message)
        while self._reader.head is None:
            await self._more()
        return self._reader.head

    async def body(self) -> bytes:
        """All of the answer's body; raises ``Broken``, ``Silent``."""
        while not self._reader.is_complete:
            await self._more()
        return self._reader.take()

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The answer's body as it comes; raises ``Broken``, ``Silent``."""
        while True:
            if self._reader.size:
                taken = self._reader.take()
                if self._is_paused and self._transport is not None:
                    self._is_paused = False
                    self._transport.resume_reading()
                yield taken
            elif self._reader.is_complete:
                return
            else:
                await self._more()

    async def through(self, server: tuple[str, str], headers: dial.Headers, tls: ssl.SSLContext) -> None:
        """Have the proxy at the other end connect to a server (address, name), and speak TLS with that."""
        address, name = server
        head = await self.ask(dial.head(f"CONNECT {address} HTTP/1.1", [("Host", address), *headers]))
        if head.status != _OK or self._transport is None:
            raise NotConnected(f"the proxy answered {head.status}")
        loop = asyncio.get_running_loop()
        made = await loop.start_tls(self._transport, self, tls, server_hostname=name)
        if made is None:
            raise NotConnected("the proxy has closed the connection")
        self._transport = made

    def abort(self) -> None:
        """Close it at once: a goodbye in TLS would wait for a server that may have gone silent."""
        if self._transport is not None:
            self._transport.abort()

    async def _more(self) -> None:
        """Wait until something has come."""
        if self._error is not None:
            raise self._error
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            if self.patience is None:
                await self._waiter
            else:
                async with asyncio.timeout(self.patience):
                    await self._waiter
        except TimeoutError as error:
            raise Silent("it has gone silent") from error
        finally:
            self._waiter = None

    def _over(self) -> None:
        try:
            self._reader.end()
        except http1.Malformed as error:
            self._end(Broken(str(error)))
        else:
            self._wake()

    def _end(self, error: Exception) -> None:
        if self._error is None:
            self._error = error
        self.abort()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Pool:
    """Connections to one server, perhaps through a proxy."""

    def __init__(self, server: str, *, server_name: str | None = None, proxy: str | None = None) -> None:
        self._server = urllib.parse.urlsplit(server)
        self._name = server_name or self._server.hostname or ""
        self._proxy = urllib.parse.urlsplit(proxy) if proxy else None
        #: What stands before the path of a request.
        self.prefix = self._server.path.rstrip("/")
        #: Headers for the proxy: those of each request, when it reads them.
        self._proxy_headers = tuple(_authorization(self._proxy))
        self.plain_headers: dial.Headers = ()
        if self._proxy is not None and self._server.scheme == "http":
            self.plain_headers = self._proxy_headers
            self.prefix = f"http://{self._server.netloc.rpartition('@')[2]}{self.prefix}"
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()

    async def take(self, tls: ssl.SSLContext | None, *, patience: float | None) -> Connection:
        """A connection made with this TLS context, the last one that was given back or a new one.

        Raises:
            NotConnected: there is none to be had.
            TimeoutError: not in time.
        """
        found = self._kept(tls) or await self._open(tls)
        found.patience = patience
        self._busy.add(found)
        return found

    def give(self, connection: Connection) -> None:
        """It is no longer needed. One whose answer was not read to its end is closed."""
        self._busy.discard(connection)
        if not connection.is_usable:
            connection.abort()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)
        if self._idle[0].idle_since <= connection.idle_since - _IDLE_SECONDS:
            self._idle.pop(0).abort()

    def close(self) -> None:
        """Close all."""
        for connection in (*self._idle, *self._busy):
            connection.abort()
        self._idle.clear()
        self._busy.clear()

    def _kept(self, tls: ssl.SSLContext | None) -> Connection | None:
        oldest = time.monotonic() - _IDLE_SECONDS
        while self._idle:
            found = self._idle.pop()
            if found.is_usable and found.tls is tls and found.idle_since > oldest:
                return found
            found.abort()
        return None

    async def _open(self, tls: ssl.SSLContext | None) -> Connection:
        made = Connection()
        try:
            await self._connect(made, tls)
        except BaseException:
            made.abort()
            raise
        made.tls = tls
        return made

    async def _connect(self, made: Connection, tls: ssl.SSLContext | None) -> None:
        first = self._proxy or self._server
        name = self._name if self._proxy is None else first.hostname or ""
        encrypted = (tls or ssl.create_default_context()) if first.scheme == "https" else None
        loop = asyncio.get_running_loop()
        try:
            wire = await _connected(first.hostname or "", _port(first))
            await loop.create_connection(
                lambda: made, sock=wire, ssl=encrypted, server_hostname=name if encrypted else None
            )
            if self._proxy is not None and tls is not None:
                host = self._server.netloc.rpartition("@")[2].removesuffix(f":{self._server.port}")
                await made.through((f"{host}:{_port(self._server)}", self._name), self._proxy_headers, tls)
        except (OSError, Broken) as error:
            if isinstance(error, TimeoutError) and error.errno is None:
                raise
            raise NotConnected(_cause(error)) from error


def _authorization(proxy: urllib.parse.SplitResult | None) -> Iterator[tuple[str, str]]:
    if proxy is not None and proxy.username is not None:
        pair = f"{urllib.parse.unquote(proxy.username)}:{urllib.parse.unquote(proxy.password or '')}"
        yield "Proxy-Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"


def _port(url: urllib.parse.SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


async def _connected(host: str, port: int) -> socket.socket:
    """A socket that is connected to the first address that answers."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_CONNECT_SECONDS):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for number, (family, kind, protocol, _, address) in enumerate(found, 1):
            made = _socket(family, kind, protocol)
            try:
                async with asyncio.timeout(_ADDRESS_SECONDS if number < len(found) else None):
                    await loop.sock_connect(made, address)
            except BaseException as error:
                made.close()
                if not isinstance(error, OSError) or number == len(found):
                    raise
            else:
                return made
    raise OSError(f"{host} has no address")


def _socket(family: int, kind: int, protocol: int) -> socket.socket:
    """A TCP socket whose kernel notices a peer that has gone away within a minute."""
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)  # noqa: FBT003 - its only form
    options = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 60_000))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in options:
        number = getattr(socket, name, None)  # not every system has all of them
        if number is not None:
            made.setsockopt(socket.IPPROTO_TCP, number, value)
    return made


def _cause(error: BaseException) -> str:
    """What went wrong, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error}"
    number = error.errno if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else None
    if number is not None and number > 0:
        return os.strerror(number).lower()
    return str(error) or type(error).__name__
