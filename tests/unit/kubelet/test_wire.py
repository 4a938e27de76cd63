"""Heads of HTTP messages: what is unusual is refused."""

from __future__ import annotations

import asyncio

import pytest

from nestling.kube import dial
from nestling.kubelet import wire


def fed(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def test_a_request_is_read_and_what_is_behind_it_kept() -> None:
    request = await wire.read_request(fed(b"GET /a?b=c&d= HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\nmore"))
    assert request is not None
    assert (request.method, request.path, request.query) == ("GET", "/a", (("b", "c"), ("d", "")))
    assert request.head.rest == b"more"


async def test_the_end_between_requests_is_no_error() -> None:
    assert await wire.read_request(fed(b"")) is None


@pytest.mark.parametrize(
    "data",
    [
        b"GET /a HTTP/1.1\r\nHost: h\r\n",
        b"PUT /a HTTP/1.1\r\nHost: h\r\n\r\n",
        b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /a HTTP/1.0\r\nHost: h\r\n\r\n",
        b"GET /a HTTP/1.1\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nHost: g\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\n folded: x\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nUpgrade : x\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nX: a\nY: b\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nX: \0\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
        b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n",
    ],
)
async def test_what_could_mean_two_things_is_refused(data: bytes) -> None:
    with pytest.raises(wire.Malformed):
        await wire.read_request(fed(data))


async def test_a_head_without_end_is_not_collected_for_ever() -> None:
    reader = asyncio.StreamReader(limit=1 << 16)
    reader.feed_data(b"GET /" + b"a" * (wire.LONGEST_HEAD + (1 << 17)))
    with pytest.raises(wire.Malformed, match="too long"):
        await wire.read_request(reader)


def test_nobody_writes_a_line_of_his_own() -> None:
    with pytest.raises(ValueError, match="line break"):
        dial.head("GET /a HTTP/1.1", [("X", "a\r\nY: b")])
