"""HTTP/1.1 answers, read from bytes as they come. No socket here: ``transport`` has it.

As much of the protocol as an API server and the proxies in front of one use, and strict about it: what is odd ends the
connection.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Mapping
from typing import Final

_LONGEST_HEAD: Final = 1 << 18
_LONGEST_LINE: Final = 1 << 12
_STATUS: Final = re.compile(r"HTTP/1\.([01]) ([1-9][0-9]{2})(?: .*)?")
_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,15}")
_CONTINUE: Final = range(100, 200)
_EMPTY: Final = frozenset({204, 304})


class Malformed(Exception):
    """This is no answer; the text says why."""


class _Expected(enum.Enum):
    """What the next bytes are."""

    HEAD = enum.auto()
    #: So many bytes of a body whose length is known.
    BODY = enum.auto()
    #: A body that ends with the connection.
    REST = enum.auto()
    SIZE = enum.auto()
    CHUNK = enum.auto()
    CHUNK_END = enum.auto()
    TRAILER = enum.auto()
    NOTHING = enum.auto()


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """The head of an answer; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]


class Reader:
    """Reads the answer to one request."""

    __slots__ = ("_expected", "_left", "_pieces", "_rest", "head", "is_last", "size")

    def __init__(self) -> None:
        #: None until it is there.
        self.head: Head | None = None
        #: Can the connection not be used for another request?
        self.is_last = False
        #: Bytes of the body that nobody has taken yet.
        self.size = 0
        self._expected = _Expected.HEAD
        self._left = 0
        self._pieces: list[bytes] = []
        self._rest = b""

    @property
    def is_complete(self) -> bool:
        """Has the answer been read to its end?"""
        return self._expected is _Expected.NOTHING

    def take(self) -> bytes:
        """What has come of the body since the last time."""
        taken = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces = []
        self.size = 0
        return taken

    def feed(self, data: bytes) -> None:
        """More bytes from the server.

        Raises:
            Malformed: they are no answer.
        """
        if self._rest:
            data, self._rest = self._rest + data, b""
        at = 0
        while at < len(data) and self._expected is _Expected.HEAD:
            at = self._read_head(data, at)
        if self._expected is _Expected.BODY or self._expected is _Expected.CHUNK:
            at = self._read_piece(data, at)
        while at < len(data) and self._expected is not _Expected.NOTHING:
            at = self._read_piece(data, at) if self._expected in _PIECES else self._read_line(data, at)
        if at < len(data):
            self.is_last = True  # nobody has asked for more

    def end(self) -> None:
        """The server has closed the connection.

        Raises:
            Malformed: in the middle of the answer.
        """
        if self._expected not in (_Expected.REST, _Expected.NOTHING):
            where = "in the middle of the answer" if self.head is not None else "before it answered"
            raise Malformed(f"the connection ended {where}")
        self.is_last = True
        self._expected = _Expected.NOTHING

    def _read_head(self, data: bytes, at: int) -> int:
        end = data.find(b"\r\n\r\n", at)
        if end < 0:
            if len(data) - at > _LONGEST_HEAD:
                raise Malformed("the head of the answer is too long")
            self._rest = data[at:]
            return len(data)
        first, *lines = data[at:end].decode("latin-1").split("\r\n")
        match = _STATUS.fullmatch(first)
        if match is None:
            raise Malformed(f"this is no HTTP: {first[:80]!r}")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(match[2])
        if status not in _CONTINUE:
            self.head = Head(status, headers)
            self.is_last = match[1] == "0" or "close" in headers.get("connection", "").lower()
            self._expect_body(status, headers)
        return end + 4

    def _expect_body(self, status: int, headers: Mapping[str, str]) -> None:
        length = headers.get("content-length")
        if status in _EMPTY:
            self._expected = _Expected.NOTHING
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            self._expected = _Expected.SIZE
        elif length is None:
            self._expected, self.is_last = _Expected.REST, True
        elif not length.isdecimal():
            raise Malformed(f"an answer of length {length[:20]!r}")
        else:
            self._left = int(length)
            self._expected = _Expected.BODY if self._left else _Expected.NOTHING

    def _read_piece(self, data: bytes, at: int) -> int:
        """Bytes of the body, up to its end or that of the chunk."""
        if self._expected is _Expected.REST:
            piece = data[at:]
        else:
            piece = data[at : at + self._left]
            self._left -= len(piece)
            if not self._left:
                is_whole = self._expected is _Expected.BODY
                self._expected = _Expected.NOTHING if is_whole else _Expected.CHUNK_END
        if piece:
            self._pieces.append(piece)
            self.size += len(piece)
        return at + len(piece)

    def _read_line(self, data: bytes, at: int) -> int:
        """A line between chunks."""
        end = data.find(b"\r\n", at)
        if end < 0:
            if len(data) - at > _LONGEST_LINE:
                raise Malformed("a chunk of the answer has no size")
            self._rest = data[at:]
            return len(data)
        line = data[at:end]
        if self._expected is _Expected.SIZE:
            size = line.partition(b";")[0].strip()
            if not _SIZE.fullmatch(size):
                raise Malformed(f"a chunk of size {size[:20]!r}")
            self._left = int(size, 16)
            self._expected = _Expected.CHUNK if self._left else _Expected.TRAILER
        elif self._expected is _Expected.CHUNK_END:
            if line:
                raise Malformed("a chunk is longer than its size")
            self._expected = _Expected.SIZE
        elif not line:
            self._expected = _Expected.NOTHING
        return end + 2


_PIECES: Final = frozenset({_Expected.BODY, _Expected.REST, _Expected.CHUNK})
