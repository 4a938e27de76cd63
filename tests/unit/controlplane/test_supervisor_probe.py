from __future__ import annotations

import socket

import pytest

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
