"""TLS over a plain connection of asyncio, for streams that are only passed on.

The loop's own TLS (uvloop 0.23) throws away what it has received when the other side ends a connection that is paused
just then, because its reader is slow: the last hundred kilobytes of a file were missing. Here nothing is read ahead,
so that there is nothing to pause, and a connection costs no buffers of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Any, Final, Protocol

#: What is read from the network at a time.
_CHUNK: Final = 1 << 16


class Reader(Protocol):
    """The part of ``asyncio.StreamReader`` that streams need."""

    async def read(self, n: int, /) -> bytes:
        """At most so many bytes, none at the end."""


class Writer(Protocol):
    """The part of ``asyncio.StreamWriter`` that streams need."""

    @property
    def transport(self) -> asyncio.WriteTransport:
        """The connection itself, to abort it."""

    def write(self, data: bytes, /) -> None:
        """Send; what is not sent yet waits."""

    def write_eof(self) -> None:
        """Say that nothing more comes; the other side may still send."""

    async def drain(self) -> None:
        """Wait until not much waits to be sent any more."""

    def close(self) -> None:
        """Send what waits, and close."""

    def get_extra_info(self, name: str, /) -> Any:
        """As a transport has it: ``socket``, ``ssl_object``."""


Ends = tuple[Reader, Writer]


class Session:
    """Both ends of a connection with TLS."""

    def __init__(
        self,
        raw: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        context: ssl.SSLContext,
        *,
        server_side: bool,
        server_name: str | None,
    ) -> None:
        self._reader, self._writer = raw
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_name
        )
        self._said_goodbye = False
        self._is_shut = False

    @property
    def transport(self) -> asyncio.WriteTransport:
        """The connection itself."""
        return self._writer.transport

    def get_extra_info(self, name: str, /) -> Any:
        """``ssl_object``, and what the connection knows."""
        return self._tls if name == "ssl_object" else self._writer.get_extra_info(name)

    async def handshake(self) -> None:
        """Agree; raises ``OSError``, which TLS errors are."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._send()
                await self._receive()
            except ssl.SSLError:
                self._send()  # the alert that says why
                raise
            else:
                self._send()
                return

    async def read(self, n: int, /) -> bytes:
        """At most so many bytes; none at the end, with or without a goodbye."""
        found = bytearray()
        while len(found) < n:
            try:
                data = self._tls.read(n - len(found))
            except ssl.SSLWantReadError:
                self._send()  # an answer to a change of keys
                if found:
                    break
                await self._receive()
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                break
            else:
                if not data:
                    break
                found += data
        return bytes(found)

    def write(self, data: bytes, /) -> None:
        """Send; what comes after a goodbye goes nowhere."""
        rest = memoryview(data)
        while rest and not self._said_goodbye:
            rest = rest[self._tls.write(rest) :]
        self._send()

    def write_eof(self) -> None:
        """Say goodbye, once; what the other side still sends can be read."""
        if not self._said_goodbye:
            self._said_goodbye = True
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            self._send()
            self._is_shut = True
            if not self._writer.is_closing():
                with contextlib.suppress(OSError):
                    self._writer.write_eof()

    async def drain(self) -> None:
        """Wait until not much waits to be sent any more; raises ``OSError`` when the other side has gone."""
        await self._writer.drain()

    def close(self) -> None:
        """Say goodbye, send what waits, and close."""
        if not self._writer.is_closing():
            self.write_eof()
            self._writer.close()

    def _send(self) -> None:
        """What TLS has to say; after the end of our side nobody can be told anything."""
        data = self._outgoing.read()
        if data and not self._is_shut and not self._writer.is_closing():
            self._writer.write(data)

    async def _receive(self) -> None:
        data = await self._reader.read(_CHUNK)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()


async def wrap(
    raw: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    context: ssl.SSLContext,
    *,
    server_side: bool = False,
    server_name: str | None = None,
) -> Ends:
    """Speak TLS on a connection; raises ``OSError`` when both do not agree, and closes it then."""
    session = Session(raw, context, server_side=server_side, server_name=server_name)
    try:
        await session.handshake()
    except BaseException:
        raw[1].close()
        raise
    return session, session
