from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestling.drivers.helm import websocket


def test_the_answer_to_a_key_is_that_of_the_rfc() -> None:
    assert websocket.accepted("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_a_frame_is_that_of_the_rfc() -> None:
    expected = bytes.fromhex("818537fa213d7f9f4d5158")
    assert websocket.frame(1, b"Hello", bytes.fromhex("37fa213d")) == expected


@given(st.binary(max_size=70_000), st.binary(min_size=4, max_size=4))
def test_a_mask_put_on_twice_is_none(payload: bytes, mask: bytes) -> None:
    assert websocket.masked(websocket.masked(payload, mask), mask) == payload


class Pipe:
    """The other side: what it sends, and what it got."""

    def __init__(self, *frames: bytes) -> None:
        self.reader = asyncio.StreamReader()
        self.reader.feed_data(b"".join(frames))
        self.reader.feed_eof()
        self.written = bytearray()

    def write(self, data: bytes) -> None:
        self.written += data

    async def drain(self) -> None:
        pass


async def messages(pipe: Pipe, rest: bytes = b"") -> list[bytes]:
    socket = websocket.WebSocket((pipe.reader, pipe), rest)  # type: ignore[arg-type]  # as much of a writer as is used
    return [message async for message in socket.messages()]


async def test_messages_come_whole_whatever_they_are_cut_into() -> None:
    pipe = Pipe(b"lo", bytes((0x02, 1)) + b"A", bytes((0x80, 1)) + b"B", bytes((0x82, 0)))
    assert await messages(pipe, rest=bytes((0x82, 5)) + b"Hel") == [b"Hello", b"AB", b""]


async def test_a_ping_is_answered_and_is_no_message() -> None:
    pipe = Pipe(bytes((0x89, 1)) + b"p", bytes((0x82, 1)) + b"m")
    assert await messages(pipe) == [b"m"]
    assert pipe.written[:2] == bytes((0x8A, 0x81))


async def test_a_goodbye_ends_it_and_is_answered() -> None:
    pipe = Pipe(bytes((0x88, 2)) + b"\x03\xe8", bytes((0x82, 1)) + b"m")
    assert await messages(pipe) == []
    assert pipe.written[0] == 0x88


@pytest.mark.parametrize("frame", [bytes((0x82, 0x81)) + b"maskx", bytes((0x82, 127)) + (1 << 40).to_bytes(8, "big")])
async def test_what_no_server_sends_is_an_end(frame: bytes) -> None:
    with pytest.raises(websocket.BrokenError):
        await messages(Pipe(frame))


async def test_a_connection_that_breaks_in_a_frame_is_an_end() -> None:
    assert await messages(Pipe(bytes((0x82, 5)) + b"He")) == []
