"""A connection to an API server for one request whose bytes are only passed on: exec, port-forward, logs.

``client`` reads answers; here the caller gets the two ends of the connection, with the head of the request sent. Use it
for what may be upgraded to another protocol, or has no end.
"""

from __future__ import annotations

import asyncio
import socket
import urllib.parse
from collections.abc import Iterable
from typing import Final

from nestling.kube import credentials, errors, kubeconfig, tls

_CONNECT_SECONDS: Final = 10.0

Headers = Iterable[tuple[str, str]]
Ends = tls.Ends


class Dialer:
    """Opens connections to one API server, as one user."""

    def __init__(self, config: kubeconfig.ClientConfig, *, buffer: int) -> None:
        self._config = config
        self._credentials = credentials.Credentials(config)
        self._server = urllib.parse.urlsplit(config.server)
        self._buffer = buffer

    async def open(self, method: str, path: str, headers: Headers) -> Ends:
        """Connect and send the head of a request, whose path is quoted and has its query.

        ``buffer`` bytes at most, twice, wait to be read: the sender is slowed down beyond that.

        Raises:
            errors.ConnectionFailed: there is no connection, or no credentials for it.
        """
        ready = await self._credentials.ready()
        host, port = self._server.hostname or "", self._server.port or (443 if ready.tls else 80)
        ends: Ends
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                raw = await asyncio.open_connection(host, port, limit=self._buffer)
                keep_alive(raw[1])
                name = self._config.tls_server_name or host
                ends = await tls.wrap(raw, ready.tls, server_name=name) if ready.tls else raw
        except (OSError, TimeoutError) as error:
            raise errors.ConnectionFailed(self._config.server, str(error) or "it does not answer") from error
        ends[1].write(
            head(
                f"{method} {self._server.path.rstrip('/')}{path} HTTP/1.1",
                [("Host", self._server.netloc.rpartition("@")[2]), *headers, *ready.headers],
            )
        )
        return ends


def head(first: str, headers: Headers) -> bytes:
    """The head of a request or an answer.

    Raises:
        ValueError: a line break inside a line, which would let its author write lines of his own.
    """
    lines = [first, *(f"{name}: {value}" for name, value in headers)]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line break in the head of a message")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def keep_alive(writer: tls.Writer) -> None:
    """Let the kernel notice within two minutes that the other side of a silent connection has gone."""
    made: socket.socket | None = writer.get_extra_info("socket")
    if made is None:
        return
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        number = getattr(socket, name, None)  # not every system has all of them
        if number is not None:
            made.setsockopt(socket.IPPROTO_TCP, number, value)
