from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trustme

from nestling.kube import transport

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
_ASK = b"GET / HTTP/1.1\r\n\r\n"


@dataclasses.dataclass
class Server:
    """What has come to it, and how often somebody has connected."""

    port: int = 0
    connections: int = 0
    heads: list[bytes] = dataclasses.field(default_factory=list)
    ended: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)


Answer = Callable[[bytes], bytes | None]


@contextlib.asynccontextmanager
async def _listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    found: Server,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[None]:
    """A server whose connections end with it."""
    tasks = set[asyncio.Task[None]]()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
                await serve(reader, writer)
        finally:
            writer.transport.abort()
            found.ended.set()

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=tls)
    async with server:
        found.port = server.sockets[0].getsockname()[1]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def _serving(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Answers each head; None closes the connection."""
    found = Server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections += 1
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            found.heads.append(head)
            said = answer(head)
            if said is None:
                return
            writer.write(said)

    async with _listening(serve, found, tls):
        yield found


@contextlib.asynccontextmanager
async def _proxying() -> AsyncIterator[Server]:
    """A proxy that connects wherever it is told to."""
    found = Server()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        found.heads.append(head)
        host, _, port = head.split()[1].decode().rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
        finally:
            far_writer.transport.abort()

    async with _listening(serve, found):
        yield found


@contextlib.asynccontextmanager
async def _pool(url: str, *, proxy: str | None = None) -> AsyncIterator[transport.Pool]:
    found = transport.Pool(url, proxy=proxy)
    try:
        yield found
    finally:
        found.close()
        await asyncio.sleep(0)


async def _get(pool: transport.Pool, tls: ssl.SSLContext | None = None) -> bytes:
    connection = await pool.take(tls, patience=None)
    try:
        await connection.ask(_ASK)
        return await connection.body()
    finally:
        pool.give(connection)


async def test_a_connection_serves_one_request_after_the_other() -> None:
    async with _serving(lambda _head: _OK) as server, _pool(f"http://127.0.0.1:{server.port}") as pool:
        assert [await _get(pool) for _ in range(3)] == [b"{}"] * 3
        assert server.connections == 1


async def test_one_that_the_server_ends_does_not() -> None:
    closing = _OK.replace(b"Content", b"Connection: close\r\nContent")
    async with _serving(lambda _head: closing) as server, _pool(f"http://127.0.0.1:{server.port}") as pool:
        assert [await _get(pool) for _ in range(2)] == [b"{}"] * 2
        assert server.connections == 2


async def test_one_that_was_idle_for_long_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_IDLE_SECONDS", 0.0)
    async with _serving(lambda _head: _OK) as server, _pool(f"http://127.0.0.1:{server.port}") as pool:
        assert [await _get(pool) for _ in range(2)] == [b"{}"] * 2
        assert server.connections == 2


async def test_one_whose_answer_nobody_read_is_closed() -> None:
    async with _serving(lambda _head: _OK[:-1]) as server, _pool(f"http://127.0.0.1:{server.port}") as pool:
        connection = await pool.take(None, patience=None)
        await connection.ask(_ASK)
        pool.give(connection)
        async with asyncio.timeout(30):
            await server.ended.wait()


async def test_a_server_that_says_something_else() -> None:
    async with _serving(lambda _head: b"SSH-2.0\r\n\r\n") as server, _pool(f"http://127.0.0.1:{server.port}") as pool:
        with pytest.raises(transport.Broken, match="no HTTP"):
            await _get(pool)


async def test_a_server_that_hangs_up() -> None:
    async with _serving(lambda _head: None) as server, _pool(f"http://127.0.0.1:{server.port}") as pool:
        with pytest.raises(transport.Broken):
            await _get(pool)


async def test_a_reader_that_is_slow_holds_the_server_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_MOST_WAITING", 1000)
    size = 50_000_000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (size, b"x" * size)
    answers = iter([answer, _OK])
    async with _serving(lambda _head: next(answers)) as server, _pool(f"http://127.0.0.1:{server.port}") as pool:
        connection = await pool.take(None, patience=30.0)
        await connection.ask(_ASK)
        async with asyncio.timeout(30):
            while not connection._is_paused:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0)
        assert connection._reader.size < size / 10
        assert sum([len(piece) async for piece in connection.pieces()]) == size
        pool.give(connection)
        async with asyncio.timeout(30):
            assert await _get(pool) == b"{}"
        assert server.connections == 1


def _tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = trustme.CA()
    there = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(there)
    here = ssl.create_default_context()
    authority.configure_trust(here)
    return there, here


async def test_another_certificate_gets_another_connection() -> None:
    there, here = _tls()
    async with _serving(lambda _head: _OK, there) as server, _pool(f"https://127.0.0.1:{server.port}") as pool:
        await _get(pool, here)
        await _get(pool, here)
        assert server.connections == 1
        other = ssl.create_default_context()
        other.check_hostname, other.verify_mode = False, ssl.CERT_NONE
        await _get(pool, other)
        assert server.connections == 2


async def test_through_a_proxy() -> None:
    there, here = _tls()
    async with _serving(lambda _head: _OK, there) as server, _proxying() as proxy:
        url = f"https://127.0.0.1:{server.port}"
        async with _pool(url, proxy=f"http://jane:p%40ss@127.0.0.1:{proxy.port}") as pool:
            assert [await _get(pool, here) for _ in range(2)] == [b"{}"] * 2
    (head,) = proxy.heads
    assert head.startswith(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n" % server.port)
    assert b"Proxy-Authorization: Basic " + base64.b64encode(b"jane:p@ss") in head
    assert b"Proxy-Authorization" not in b"".join(server.heads)


async def test_a_proxy_reads_requests_without_tls() -> None:
    pool = transport.Pool("http://api.test/prefix", proxy="http://jane:x@127.0.0.1:1")
    assert pool.prefix == "http://api.test/prefix"
    assert [name for name, _ in pool.plain_headers] == ["Proxy-Authorization"]


async def test_a_proxy_that_refuses() -> None:
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    async with (
        _serving(lambda _head: refusal) as proxy,
        _pool("https://api.test", proxy=f"http://127.0.0.1:{proxy.port}") as pool,
    ):
        with pytest.raises(transport.NotConnected, match="the proxy answered 403"):
            await pool.take(ssl.create_default_context(), patience=None)
    assert proxy.heads[0].startswith(b"CONNECT api.test:443 ")
