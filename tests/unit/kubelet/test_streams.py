"""Streams from end to end: what each side gets, who is slowed down, and that nothing stays behind."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from nestling.kubelet import tunnel
from tests.unit.kubelet.conftest import EXEC, LOGS, PATIENCE, SWITCHED, Ends, World, answered, request, until


async def test_bytes_go_both_ways_and_only_known_headers(world: World) -> None:
    async with world.client() as client:
        client[1].write(EXEC)
        host = await world.host()
        asked = await answered(host)
        assert asked.startswith(b"POST /api/v1/namespaces/team-x/pods/web-x-default-x-my-vc/exec?command=cat&")
        assert b"Authorization: Bearer host-secret\r\n" in asked
        host[1].write(SWITCHED + b"first")
        head = await answered(client)
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"Audit-Id" not in head
        client[1].write(b"up" * 100_000)
        host[1].write(b"down" * 100_000)
        async with asyncio.timeout(PATIENCE):
            assert await client[0].readexactly(400_005) == b"first" + b"down" * 100_000
            assert await host[0].readexactly(200_000) == b"up" * 100_000
        assert world.streams("exec") == 1
    await until(lambda: world.streams("exec") == 0, "no stream left")
    assert await host[0].read() == b""


async def test_what_the_host_sent_before_it_closed_arrives(world: World) -> None:
    async with world.client() as client:
        client[1].write(EXEC)
        host = await world.host()
        await answered(host)
        host[1].write(SWITCHED + b"x" * 3_000_000)
        host[1].close()
        await answered(client)
        async with asyncio.timeout(PATIENCE):
            assert len(await client[0].read()) == 3_000_000


async def test_nothing_of_the_client_reaches_the_host_before_it_agrees(world: World) -> None:
    """It would be read as a second request, in the name of the control plane."""
    smuggled = request("GET /api/v1/namespaces/team-x/secrets")
    async with world.client() as client:
        client[1].write(EXEC + smuggled)
        host = await world.host()
        await answered(host)
        host[1].write(
            b'HTTP/1.1 404 Not Found\r\nContent-Length: 43\r\n\r\n{"message": "web-x-default-x-my-vc is gone"}'[:-1]
        )
        head = await answered(client)
        assert head.startswith(b"HTTP/1.1 404 ")
        async with asyncio.timeout(PATIENCE):
            assert await host[0].read() == b""


async def test_nothing_behind_a_request_for_a_log_reaches_the_host(world: World) -> None:
    async with world.client() as client:
        client[1].write(LOGS + request("GET /api/v1/namespaces/team-x/secrets"))
        host = await world.host()
        await answered(host)
        host[1].write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\na line\n")
        assert b"Connection: close" in await answered(client)
        client[1].write(request("GET /api/v1/namespaces/team-x/secrets"))
        host[1].close()
        async with asyncio.timeout(PATIENCE):
            assert await client[0].read() == b"a line\n"
            assert await host[0].read() == b""


async def test_a_refusal_speaks_of_the_virtual_pod(world: World) -> None:
    body = b'{"kind": "Status", "message": "container app in pod web-x-default-x-my-vc is waiting to start"}'
    async with world.client() as client:
        client[1].write(LOGS)
        host = await world.host()
        await answered(host)
        host[1].write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert (await answered(client)).startswith(b"HTTP/1.1 400 ")
        assert await client[0].readline() == b"container app in pod web is waiting to start\n"


async def test_a_lack_of_rights_on_the_host_is_said_without_its_words(world: World) -> None:
    body = b'{"message": "User system:serviceaccount:team-x:vc-my-vc cannot create pods/exec"}'
    async with world.client() as client:
        client[1].write(EXEC)
        host = await world.host()
        await answered(host)
        host[1].write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert (await answered(client)).startswith(b"HTTP/1.1 403 ")
        assert b"team-x" not in await client[0].readline()


async def test_a_client_that_leaves_while_the_host_is_silent_leaves_nothing(world: World) -> None:
    async with world.client() as client:
        client[1].write(LOGS)
        host = await world.host()
        await answered(host)
        await until(lambda: world.streams("log") == 1, "a stream")
    async with asyncio.timeout(PATIENCE):
        with contextlib.suppress(ConnectionError):
            assert await host[0].read() == b""
    await until(lambda: world.streams("log") == 0, "no stream left")


@pytest.mark.parametrize("slow", ["client", "host"])
async def test_a_slow_reader_slows_the_other_side_down(world: World, slow: str) -> None:
    async with world.client() as client:
        client[1].write(EXEC)
        host = await world.host()
        await answered(host)
        host[1].write(SWITCHED)
        await answered(client)
        reader, writer = (client[0], host[1]) if slow == "client" else (host[0], client[1])
        sent = await _fill(writer)
        assert sent < 32 << 20, "somebody keeps everything"
        received = 0
        writer.close()
        async with asyncio.timeout(PATIENCE):
            while data := await reader.read(1 << 20):
                received += len(data)
        assert received == sent


async def test_two_hundred_streams_at_once(world: World) -> None:
    async with contextlib.AsyncExitStack() as stack:
        clients = []
        for number in range(200):
            client = await stack.enter_async_context(world.client())
            client[1].write(EXEC)
            host = await world.host()
            await answered(host)
            host[1].write(SWITCHED + b"%3d" % number)
            clients.append(client)
        assert world.streams("exec") == 200
        for number, client in enumerate(clients):
            await answered(client)
            assert await client[0].readexactly(3) == b"%3d" % number
    await until(lambda: world.streams("exec") == 0, "no stream left")


@pytest.mark.parametrize("name", [None, "system:admin", "kube-apiserver"])
@pytest.mark.parametrize("asked", [EXEC, LOGS, request("GET /healthz"), request("GET /metrics/syncer")])
async def test_nobody_but_the_api_server_goes_without_a_token(world: World, name: str | None, asked: bytes) -> None:
    async with world.client(name) as client:
        client[1].write(asked)
        assert (await answered(client)).startswith(b"HTTP/1.1 401 ")
    assert world.arrived.empty()


@pytest.mark.parametrize("target", ["/exec/default/web/injected?command=id", "/exec/default/other/app?command=id"])
async def test_other_pods_and_containers_do_not_exist(world: World, target: str) -> None:
    async with world.client() as client:
        client[1].write(request(f"POST {target}", "Connection: Upgrade", "Upgrade: SPDY/3.1"))
        assert (await answered(client)).startswith(b"HTTP/1.1 404 ")
    assert world.arrived.empty()


async def _fill(writer: asyncio.StreamWriter) -> int:
    """Write until nobody takes anything for a while; the number of bytes."""
    block, sent = b"z" * (1 << 18), 0
    with contextlib.suppress(TimeoutError):
        while sent < 64 << 20:
            writer.write(block)
            sent += len(block)
            async with asyncio.timeout(2.0):
                await writer.drain()
    return sent


async def test_a_slow_reader_is_waited_for_until_it_has_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing a connection that has got something unread meanwhile would take from it what is on the way."""
    monkeypatch.setattr(tunnel, "PARTING_SECONDS", 0.02)
    arrived: asyncio.Queue[Ends] = asyncio.Queue()
    server = await asyncio.start_server(lambda *ends: arrived.put_nowait(ends), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
    slow = await arrived.get()
    writer.write(bytes(32 << 20))
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        staying = group.create_task(tunnel._until_end(reader))
        parting = group.create_task(tunnel._parting((staying,), (writer,)))
        # far more often than half a minute goes by
        await asyncio.wait((parting,), timeout=0.5)
        assert not parting.done()
        await slow[0].readexactly(32 << 20)
        await parting
        assert not staying.done(), "it was not the slow one who ended this"
        staying.cancel()
    for one in (writer, slow[1], server):
        one.close()
