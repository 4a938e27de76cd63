"""A TCP proxy that can go silent or refuse: the network faults of the tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Proxy:
    """Forwards bytes to ``target`` on loopback, until told otherwise."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        #: Connections since the start.
        self.accepted = 0
        self._refuses = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._frozen: set[asyncio.StreamWriter] = set()

    def freeze(self) -> None:
        """Existing connections stay open and silent for ever; new ones work."""
        self._frozen |= self._writers

    def cut(self) -> None:
        """Break all connections and refuse new ones, until ``mend``."""
        self._refuses = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        """Let new connections through again."""
        self._refuses = False

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.accepted += 1
        if self._refuses:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._writers |= ends
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, far_writer))
                group.create_task(self._pump(far_reader, writer))
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65536):
                if writer in self._frozen:
                    continue
                writer.write(chunk)
                await writer.drain()
            writer.transport.abort()


@contextlib.asynccontextmanager
async def running(target: int) -> AsyncIterator[Proxy]:
    """A proxy in front of a loopback port; ``proxy.port`` is its own."""
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
        await asyncio.sleep(0)
