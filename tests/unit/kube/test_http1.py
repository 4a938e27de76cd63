from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestling.kube import http1

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def _read(*pieces: bytes) -> http1.Reader:
    reader = http1.Reader()
    for piece in pieces:
        reader.feed(piece)
    return reader


def _chunked(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        piece = body[start : start + size]
        yield b"%x;name=value\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\nTrailer: x\r\n\r\n"


@given(
    st.binary(max_size=200),
    st.integers(1, 60),
    st.booleans(),
    st.lists(st.integers(0, 500), max_size=8),
)
def test_however_the_bytes_come(body: bytes, size: int, is_chunked: bool, cuts: list[int]) -> None:
    if is_chunked:
        answer = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(_chunked(body, size))
    else:
        answer = _HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    edges = sorted({0, len(answer), *(min(cut, len(answer)) for cut in cuts)})
    reader = _read(*(answer[start:end] for start, end in itertools.pairwise(edges)))
    assert reader.head is not None
    assert (reader.head.status, reader.head.headers["content-type"]) == (200, "application/json")
    assert (reader.take(), reader.is_complete, reader.is_last) == (body, True, False)


def test_pieces_are_given_as_they_come() -> None:
    reader = _read(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntw")
    assert (reader.take(), reader.size, reader.is_complete) == (b"onetw", 0, False)
    reader.feed(b"o\r\n")
    assert (reader.size, reader.take()) == (1, b"o")


def test_a_body_that_ends_with_the_connection() -> None:
    reader = _read(_HEAD + b"\r\nall ", b"of it")
    assert not reader.is_complete
    reader.end()
    assert (reader.take(), reader.is_complete, reader.is_last) == (b"all of it", True, True)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        _HEAD + b"Content-Length: 2\r\n\r\n{}more",
    ],
)
def test_connections_that_are_not_used_again(answer: bytes) -> None:
    reader = _read(answer)
    assert (reader.is_complete, reader.is_last) == (True, True)


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body(status: int) -> None:
    assert _read(b"HTTP/1.1 %d\r\n\r\n" % status).is_complete


def test_an_interim_answer_is_passed_over() -> None:
    reader = _read(b"HTTP/1.1 100 Continue\r\n\r\n" + _HEAD + b"Content-Length: 2\r\n\r\n{}")
    assert reader.head is not None
    assert (reader.head.status, reader.take()) == (200, b"{}")


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"x" * 300_000,
        _HEAD + b"Content-Length: -1\r\n\r\n",
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n1_0\r\n",
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 5000,
    ],
)
def test_what_is_no_answer(answer: bytes) -> None:
    with pytest.raises(http1.Malformed):
        _read(answer)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200", _HEAD + b"Content-Length: 2\r\n\r\n{"])
def test_an_answer_that_is_cut_off(answer: bytes) -> None:
    with pytest.raises(http1.Malformed, match="the connection ended"):
        _read(answer).end()
