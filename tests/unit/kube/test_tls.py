"""TLS for streams, on both event loops: all arrives, however slow the reader is and however the other side ends."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import pytest
import trustme
import uvloop

from nestling.kube import tls

SIZE = 8 << 20
PATIENCE = 60.0
Raw = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Serve = Callable[[tls.Ends], Awaitable[None]]
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=LOOPS)
def runner(request: pytest.FixtureRequest) -> asyncio.Runner:
    return asyncio.Runner(loop_factory=LOOPS[request.param])


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


async def between(authority: trustme.CA, serve: Serve, ask: Serve, *, name: str = "127.0.0.1") -> None:
    """A connection whose two ends do these things."""
    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server_tls)
    client_tls = ssl.create_default_context()
    authority.configure_trust(client_tls)
    served: asyncio.Queue[Exception | None] = asyncio.Queue()

    async def arrive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(await tls.wrap((reader, writer), server_tls, server_side=True))
        except (OSError, AssertionError) as error:
            served.put_nowait(error)
        else:
            served.put_nowait(None)
        finally:
            writer.transport.abort()

    listener = await asyncio.start_server(arrive, "127.0.0.1", 0, limit=1 << 16)
    async with asyncio.timeout(PATIENCE):
        raw = await asyncio.open_connection("127.0.0.1", listener.sockets[0].getsockname()[1], limit=1 << 16)
        try:
            ends = await tls.wrap(raw, client_tls, server_name=name)
            await ask(ends)
            if (error := await served.get()) is not None:
                raise error
        finally:
            raw[1].transport.abort()
            listener.close()


def test_a_slow_reader_gets_all_that_was_sent_before_the_end(runner: asyncio.Runner, authority: trustme.CA) -> None:
    """uvloop's own TLS fails this: it drops what is there when the end comes while the reader has paused."""

    async def serve(ends: tls.Ends) -> None:
        for _ in range(SIZE >> 16):
            ends[1].write(bytes(1 << 16))
            await ends[1].drain()
        ends[1].write_eof()
        assert await ends[0].read(1) == b""

    async def ask(ends: tls.Ends) -> None:
        came = 0
        while data := await ends[0].read(1 << 14):
            came += len(data)
            await asyncio.sleep(0)
        assert came == SIZE
        ends[1].close()

    with runner:
        runner.run(between(authority, serve, ask))


def test_a_side_that_has_said_goodbye_still_hears(runner: asyncio.Runner, authority: trustme.CA) -> None:
    async def serve(ends: tls.Ends) -> None:
        heard = b""
        while data := await ends[0].read(1 << 16):
            heard += data
        ends[1].write(heard[::-1])
        ends[1].write_eof()
        assert await ends[0].read(1) == b""

    async def ask(ends: tls.Ends) -> None:
        ends[1].write(b"a" * 100_000 + b"b" * 100_000)
        ends[1].write_eof()
        ends[1].write(b"nobody hears this")
        heard = b""
        while data := await ends[0].read(1 << 16):
            heard += data
        assert heard == b"b" * 100_000 + b"a" * 100_000
        ends[1].close()
        ends[1].close()

    with runner:
        runner.run(between(authority, serve, ask))


def test_a_connection_that_breaks_is_an_end_or_an_error(runner: asyncio.Runner, authority: trustme.CA) -> None:
    async def serve(ends: tls.Ends) -> None:
        await ends[0].read(1)
        ends[1].transport.abort()

    async def ask(ends: tls.Ends) -> None:
        ends[1].write(b"x")
        try:
            assert await ends[0].read(1 << 16) == b""
        except ConnectionError:
            return

    with runner:
        runner.run(between(authority, serve, ask))


def test_a_certificate_for_another_name_is_refused(runner: asyncio.Runner, authority: trustme.CA) -> None:
    async def serve(ends: tls.Ends) -> None:
        await ends[0].read(1)

    with runner, pytest.raises(ssl.SSLCertVerificationError):
        runner.run(between(authority, serve, serve, name="elsewhere.example"))
