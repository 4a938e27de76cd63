"""HTTP/1.1 answers, read from bytes as they come. No socket here: ``transport`` has it.

The protocol itself is read by llhttp, in httptools; what is odd ends the connection.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final

import httptools

_LONGEST_HEAD: Final = 1 << 18
_INTERIM: Final = range(100, 200)
#: Headers that say where the body ends; without them it ends with the connection.
_SIZED: Final = frozenset({"content-length", "transfer-encoding"})


class Malformed(Exception):
    """This is no answer; the text says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """The head of an answer; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]


class Reader:
    """Reads the answer to one request. The parser calls the methods that are called ``on_…``."""

    __slots__ = ("_headers", "_parser", "_pieces", "_read", "head", "is_complete", "is_last", "size")

    def __init__(self) -> None:
        #: None until it is there.
        self.head: Head | None = None
        #: Has the answer been read to its end?
        self.is_complete = False
        #: Can the connection not be used for another request?
        self.is_last = False
        #: Bytes of the body that nobody has taken yet.
        self.size = 0
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        #: Bytes that came without a whole head.
        self._read = 0

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
        if self._parser is None:
            self.is_last = True  # nobody has asked for more
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.is_complete:
                raise Malformed(f"this is no HTTP: {error}") from error
            self.is_last = True
        if self.is_complete:
            self._parser = None  # which knows us: without it we go with the last reference
        elif self.head is None:
            self._read += len(data)
            if self._read > _LONGEST_HEAD:
                raise Malformed("the head of the answer is too long")

    def end(self) -> None:
        """The server has closed the connection.

        Raises:
            Malformed: in the middle of the answer.
        """
        if not self.is_complete and (self.head is None or _SIZED & self.head.headers.keys()):
            where = "in the middle of the answer" if self.head is not None else "before it answered"
            raise Malformed(f"the connection ended {where}")
        self.is_complete = self.is_last = True

    def on_message_begin(self) -> None:
        """Bytes behind the answer look like another one."""
        if self.is_complete:
            self.is_last = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of the head."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head has ended; that of an interim answer is passed over."""
        status = self._parser.get_status_code() if self._parser is not None else 0
        if self.head is None and status not in _INTERIM:
            self.head = Head(status, self._headers)
        self._headers = {}

    def on_body(self, piece: bytes) -> None:
        """Bytes of the body, without what the transfer needs between them."""
        if not self.is_complete:
            self._pieces.append(piece)
            self.size += len(piece)

    def on_message_complete(self) -> None:
        """The body has ended."""
        if self.head is not None and self._parser is not None and not self.is_complete:
            self.is_complete = True
            self.is_last = not self._parser.should_keep_alive()
