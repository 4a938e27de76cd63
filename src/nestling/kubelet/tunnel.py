"""Carries bytes between two connections until either ends: no buffer grows, whoever is slow slows the other down."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import sys
import termios
from collections.abc import Iterable, Sequence
from typing import Final

import prometheus_client

from nestling.kube import dial, tls
from nestling.kubelet import wire

#: What is read and written at a time; twice as much may wait on either side of a tunnel.
CHUNK: Final = 1 << 16
#: How long one side may take to hang up after the other one, once it has all that was for it.
PARTING_SECONDS: Final = 30.0


class Meter:
    """What is asked, and what is going through."""

    def __init__(self, registry: prometheus_client.CollectorRegistry) -> None:
        self.requests = prometheus_client.Counter(
            "nestling_kubelet_requests", "Requests to the kubelet façade.", ["kind", "code"], registry=registry
        )
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
    """Carry bytes both ways, until one side ends and the other one has had time to take the rest and hang up."""
    async with asyncio.TaskGroup() as group:
        both = (
            group.create_task(_carry(client[0], host[1], meter.bytes.labels("up")), name="up"),
            group.create_task(_carry(host[0], client[1], meter.bytes.labels("down")), name="down"),
        )
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        await _parting(both, (client[1], host[1]))
        for one in both:
            one.cancel()


async def down(client: dial.Ends, host: dial.Ends, meter: Meter) -> None:
    """Carry bytes from the host to the client. What the client sends goes nowhere; when it leaves, this ends."""
    async with asyncio.TaskGroup() as group:
        carrying = group.create_task(_carry(host[0], client[1], meter.bytes.labels("down")), name="down")
        watching = group.create_task(_until_end(client[0]), name="watch")
        await asyncio.wait((carrying, watching), return_when=asyncio.FIRST_COMPLETED)
        if carrying.done():
            await _parting((watching,), (client[1],))
        else:
            # nobody reads what is still on the way
            host[1].transport.abort()
        carrying.cancel()
        watching.cancel()


async def part(ends: dial.Ends) -> None:
    """Say goodbye and wait until the other side has gone: closing a connection that still receives resets it, and what
    the other side has not read yet is lost to it.
    """
    _say_goodbye(ends[1])
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(_until_end(ends[0]), name="part")
        await _parting((watching,), (ends[1],))
        watching.cancel()


async def _parting(ends: Iterable[asyncio.Task[None]], writers: Sequence[tls.Writer]) -> None:
    """Wait for the ends: so long as there are bytes on the way to somebody who is slow, and half a minute more."""
    while True:
        _, left = await asyncio.wait(ends, timeout=PARTING_SECONDS)
        if not left or not any(_undelivered(writer) for writer in writers):
            return


def _undelivered(writer: tls.Writer) -> bool:
    """Whether something is on the way that the other side's system has not taken: here, or in our own system."""
    transport = writer.transport
    if transport.is_closing():
        return False
    if transport.get_write_buffer_size():
        return True
    waiting = bytearray(4)
    try:
        fcntl.ioctl(writer.get_extra_info("socket").fileno(), termios.TIOCOUTQ, waiting)
    except OSError:
        return False
    return int.from_bytes(waiting, sys.byteorder) > 0


async def _early(reader: tls.Reader) -> bytes:
    try:
        return await reader.read(CHUNK)
    except OSError:
        return b""


async def _head(reader: tls.Reader) -> wire.Answer | wire.Malformed:
    """The answer, or why there is none: an exception would come out of the task group as a group."""
    try:
        return await wire.read_answer(reader)
    except wire.Malformed as error:
        return error
    except OSError as error:
        return wire.Malformed(str(error) or "the connection broke")


async def _carry(reader: tls.Reader, writer: tls.Writer, counted: prometheus_client.Counter) -> None:
    """Until the reader ends; then the writer says goodbye. What comes for a writer that is gone goes nowhere."""
    # a connection that breaks ends, for the other side, like any other
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            try:
                writer.write(data)
                await writer.drain()
            except OSError:
                await _until_end(reader)
                return
            counted.inc(len(data))
    _say_goodbye(writer)


def _say_goodbye(writer: tls.Writer) -> None:
    if not writer.transport.is_closing():
        with contextlib.suppress(OSError):
            writer.write_eof()


async def _until_end(reader: tls.Reader) -> None:
    with contextlib.suppress(OSError):
        while await reader.read(CHUNK):
            pass
