"""kubectl through a whole virtual cluster: its API server, the façade, the host's API server, a node.

kwok plays the node. It neither ends the input of a process nor gives its exit code, whoever asks; so nothing of that
is asserted here.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from tests.integration.kubelet import tools
from tests.integration.kubelet.tools import Shell

LINES = [f"line {number}".encode() for number in range(1, 101)]


async def test_logs_and_their_options(shell: Shell) -> None:
    assert shell.run("logs", "web").splitlines() == LINES
    assert shell.run("logs", "web", "--tail=2").splitlines() == LINES[-2:]
    assert shell.run("logs", "web", "--limit-bytes=6") == b"line 1"
    assert shell.run("logs", "web", "--tail=1", "--timestamps") == b"2026-01-01T00:00:00.000000100Z line 100\n"


@pytest.mark.parametrize("websocket", ["true", "false"])
async def test_exec_carries_arguments_input_and_output(shell: Shell, websocket: str) -> None:
    given = bytes(range(256)) * 4000
    assert shell.run("exec", "web", "--", "printf", "%s|", "a b", "c&d=é", websocket=websocket) == "a b|c&d=é|".encode()
    size = str(len(given))
    assert shell.run("exec", "-i", "web", "--", "head", "-c", size, given=given, websocket=websocket) == given
    assert b"exit status 3" in shell.run("exec", "web", "--", "sh", "-c", "exit 3", code=1, websocket=websocket)


async def test_a_file_is_copied(shell: Shell, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"\0\n" * 1000)
    shell.run("cp", f"web:{source}", str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("websocket", ["true", "false"])
async def test_a_port_is_forwarded(shell: Shell, websocket: str) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readexactly(100_000))[::-1])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", tools.TARGET_PORT)
    forward = await asyncio.create_subprocess_exec(
        *shell.command("port-forward", "web", ":8080"), stdout=asyncio.subprocess.PIPE, env=shell.env(websocket)
    )
    try:
        async with asyncio.timeout(tools.PATIENCE):
            assert forward.stdout is not None
            told = re.search(rb"127\.0\.0\.1:(\d+)", await forward.stdout.readline())
            assert told is not None
            reader, writer = await asyncio.open_connection("127.0.0.1", int(told[1]))
            writer.write(b"a" * 50_000 + b"b" * 50_000)
            assert await reader.readexactly(100_000) == b"b" * 50_000 + b"a" * 50_000
            writer.close()
    finally:
        forward.terminate()
        await forward.wait()
        server.close()
        await server.wait_closed()


async def test_a_stream_lasts_until_the_client_leaves(shell: Shell) -> None:
    last = await asyncio.create_subprocess_exec(
        *shell.command("exec", "web", "--", "sh", "-c", "echo begun; exec sleep 60"),
        stdout=asyncio.subprocess.PIPE,
        env=shell.env(),
    )
    try:
        async with asyncio.timeout(tools.PATIENCE):
            assert last.stdout is not None
            assert await last.stdout.readline() == b"begun\n"
            await shell.until_streams("exec", 1)
    finally:
        last.terminate()
        await last.wait()
    await shell.until_streams("exec", 0)
