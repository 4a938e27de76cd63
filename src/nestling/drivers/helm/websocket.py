"""The client's side of a WebSocket (RFC 6455) over an open connection: binary messages in both directions.

As much of it as API servers and kubelets speak: no extensions, and messages of any length.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import struct
from collections.abc import AsyncIterator
from typing import Final

from nestling.kube import dial

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION: Final = 0
_TEXT: Final = 1
_BINARY: Final = 2
_CLOSE: Final = 8
_PING: Final = 9
_PONG: Final = 10
_FINAL: Final = 0x80
_MASKED: Final = 0x80
_NORMAL: Final = struct.pack(">H", 1000)
#: The longest message that is put together; exec and port-forward send pieces of some kilobytes.
_LONGEST: Final = 16 << 20


class BrokenError(ConnectionError):
    """The other side does not keep to the protocol."""


def new_key() -> str:
    """The header ``Sec-WebSocket-Key`` of one connection."""
    return base64.b64encode(os.urandom(16)).decode()


def accepted(key: str) -> str:
    """What the server has to answer to a key. Pure."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def frame(opcode: int, payload: bytes, mask: bytes) -> bytes:
    """One frame as clients send it. Pure."""
    length = len(payload)
    if length < 126:
        head = struct.pack(">BB", _FINAL | opcode, _MASKED | length)
    elif length < 1 << 16:
        head = struct.pack(">BBH", _FINAL | opcode, _MASKED | 126, length)
    else:
        head = struct.pack(">BBQ", _FINAL | opcode, _MASKED | 127, length)
    return head + mask + masked(payload, mask)


def masked(payload: bytes, mask: bytes) -> bytes:
    """The payload with the mask on it, or without it again. Pure."""
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")


class WebSocket:
    """An open WebSocket; ``rest`` is what has been read behind the server's answer already."""

    def __init__(self, ends: dial.Ends, rest: bytes = b"") -> None:
        self._reader, self._writer = ends
        self._rest = bytearray(rest)
        self._closing = False

    async def send(self, payload: bytes) -> None:
        """Send a binary message; waits while the other side is slow."""
        await self._send(_BINARY, payload)

    async def close(self) -> None:
        """Say goodbye; the messages that are still on their way can be read to the end."""
        if not self._closing:
            self._closing = True
            with contextlib.suppress(OSError):
                await self._send(_CLOSE, _NORMAL)

    def abort(self) -> None:
        """Let go of the connection at once."""
        self._writer.transport.abort()

    async def messages(self) -> AsyncIterator[bytes]:
        """Each message until the other side closes, or its connection ends."""
        whole = bytearray()
        while (found := await self._frame()) is not None:
            final, opcode, payload = found
            if opcode == _CLOSE:
                await self.close()
                return
            if opcode == _PING:
                await self._send(_PONG, payload)
            elif opcode in (_CONTINUATION, _TEXT, _BINARY):
                whole += payload
                if len(whole) > _LONGEST:
                    raise BrokenError("a message that is too long")
                if final:
                    yield bytes(whole)
                    whole.clear()

    async def _send(self, opcode: int, payload: bytes) -> None:
        self._writer.write(frame(opcode, payload, os.urandom(4)))
        await self._writer.drain()

    async def _frame(self) -> tuple[bool, int, bytes] | None:
        head = await self._read(2)
        if head is None:
            return None
        length = head[1] & 0x7F
        if length >= 126:
            more = await self._read(2 if length == 126 else 8)
            length = int.from_bytes(more or b"", "big")
        if head[1] & _MASKED or length > _LONGEST:
            raise BrokenError("a frame that no server sends")
        payload = await self._read(length)
        return None if payload is None else (bool(head[0] & _FINAL), head[0] & 0x0F, payload)

    async def _read(self, length: int) -> bytes | None:
        """So many bytes, None when the connection ends before."""
        while len(self._rest) < length:
            more = await self._reader.read(max(length - len(self._rest), 1 << 14))
            if not more:
                return None
            self._rest += more
        found = bytes(self._rest[:length])
        del self._rest[:length]
        return found
