from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from nestling.controlplane import plan
from nestling.controlplane import supervisor_probe as probe


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nok", None),
        (
            b"HTTP/1.1 500 Error\r\n\r\n[+]ping ok\n[-]etcd failed: reason withheld\n",
            "HTTP 500: etcd failed: reason withheld",
        ),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n{}", "HTTP 401"),
        (b"SSH-2.0", "the answer is not HTTP"),
        (b"", "the answer is not HTTP"),
    ],
)
def test_what_an_answer_says(answer: bytes, problem: str | None) -> None:
    assert probe.judge(answer) == problem


async def test_a_port_where_nobody_listens_is_a_problem() -> None:
    assert await probe.ask(plan.Probe(url="tcp://127.0.0.1:1")) == "connection refused"


async def test_a_server_that_says_nothing_is_a_problem_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        asked = plan.Probe(url=f"http://127.0.0.1:{port}/", timeout_seconds=0.05)
        assert await probe.ask(asked) == "no answer within 0.05 s"
        assert await probe.ask(plan.Probe(url=f"tcp://127.0.0.1:{port}")) is None


@contextlib.asynccontextmanager
async def serving(authority: trustme.CA) -> AsyncIterator[str]:
    """A server that says ok to everybody who trusts the authority; its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nok")
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_a_renewed_authority_is_read(tmp_path: Path) -> None:
    """What was read of the old one is not believed any longer than the file is there."""
    file = tmp_path / "ca.crt"
    old, new = trustme.CA(), trustme.CA()
    file.write_bytes(old.cert_pem.bytes())
    async with serving(old) as before, serving(new) as after:
        asked = [plan.Probe(url=url, ca_file=str(file)) for url in (before, after)]
        assert [await probe.ask(one) is None for one in asked * 2] == [True, False] * 2
        renewed = tmp_path / "renewed"
        renewed.write_bytes(new.cert_pem.bytes())
        renewed.replace(file)
        assert [await probe.ask(one) is None for one in asked * 2] == [False, True] * 2


async def test_a_file_that_is_gone_is_a_problem(tmp_path: Path) -> None:
    gone = plan.Probe(url="https://127.0.0.1:1/", ca_file=str(tmp_path / "ca.crt"))
    assert "No such file" in str(await probe.ask(gone))
