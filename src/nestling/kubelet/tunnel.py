"""Carries bytes between two connections until either ends: no buffer grows, whoever is slow slows the other down."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import prometheus_client

from nestling.kube import dial
from nestling.kubelet import wire

#: What is read and written at a time; twice as much may wait on either side of a tunnel.
CHUNK: Final = 1 << 16


class Meter:
    """What is going through."""

    def __init__(self, registry: prometheus_client.CollectorRegistry) -> None:
        self.open = prometheus_client.Gauge(
            "nestling_kubelet_streams", "Streams between the tenant and containers.", ["kind"], registry=registry
        )
        self.bytes = prometheus_client.Counter(
            "nestling_kubelet_stream_bytes", "Bytes in streams.", ["direction"], registry=registry
        )


async def answer(client: dial.Ends, host: dial.Ends) -> tuple[wire.Answer, bytes]:
    """The head of the host's answer, and what the client sent while it was awaited.

    None of that goes to the host before it has agreed to another protocol: it would be read as a second request, in
    our name. A client that leaves ends the waiting.

    Raises:
        ConnectionError: the client has gone.
        wire.Malformed: this is no answer.
    """
    async with asyncio.TaskGroup() as group:
        early = group.create_task(_early(client[0]), name="client")
        head = group.create_task(_head(host[0]), name="host")
        await asyncio.wait((early, head), return_when=asyncio.FIRST_COMPLETED)
        if early.done() and early.result() == b"" and not head.done():
            head.cancel()
        await asyncio.wait((head,))
        early.cancel()
    if head.cancelled():
        raise ConnectionError("the client has gone")
    found = head.result()
    if isinstance(found, wire.Malformed):
        raise found
    return found, b"" if early.cancelled() else early.result()


async def join(client: dial.Ends, host: dial.Ends, meter: Meter) -> None:
    """Carry bytes both ways.

    TLS has no half-closed connections: when one side ends, what it sent is delivered, and the other side is closed too.
    """
    async with asyncio.TaskGroup() as group:
        upward = group.create_task(_carry(client[0], host[1], meter.bytes.labels("up")), name="up")
        await _carry(host[0], client[1], meter.bytes.labels("down"))
        upward.cancel()


async def down(client: dial.Ends, host: dial.Ends, meter: Meter) -> None:
    """Carry bytes from the host to the client. What the client sends goes nowhere; when it leaves, this ends."""
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(_until_end(client[0], host[1]), name="watch")
        await _carry(host[0], client[1], meter.bytes.labels("down"))
        watching.cancel()


async def _early(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(CHUNK)
    except OSError:
        return b""


async def _head(reader: asyncio.StreamReader) -> wire.Answer | wire.Malformed:
    """The answer, or why there is none: an exception would come out of the task group as a group."""
    try:
        return await wire.read_answer(reader)
    except wire.Malformed as error:
        return error
    except OSError as error:
        return wire.Malformed(str(error) or "the connection broke")


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counted: prometheus_client.Counter
) -> None:
    """Until the reader ends or the writer is gone; then the writer is closed, which ends the other direction too."""
    try:
        # a connection that breaks ends, for the other side, like any other
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                writer.write(data)
                await writer.drain()
                counted.inc(len(data))
    finally:
        writer.close()


async def _until_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while await reader.read(CHUNK):
            pass
    # nobody reads what is still on the way
    writer.transport.abort()
