"""HTTP/1.1 as a kubelet needs it: heads in and out, no bodies in requests.

Strict on purpose: what is unusual is refused, never repaired, so that nothing can mean one thing here and another at
the host.
"""

from __future__ import annotations

import dataclasses
import http
import re
import urllib.parse
from typing import Final

from nestling.kube import dial, tls

#: The longest head: the arguments of a command are in it. The API server takes no more either.
LONGEST_HEAD: Final = 1 << 20
#: How many arguments a command may have, and other parameters.
_MOST_PARAMETERS: Final = 10_000
_END: Final = b"\r\n\r\n"
_CHUNK: Final = 1 << 16
_LINE: Final = re.compile(r"(GET|POST) (/[!-~]*) HTTP/1\.1")
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t -~\x80-\xff]*")
_STATUS: Final = re.compile(r"HTTP/1\.[01] ([1-9][0-9][0-9])(?: .*)?")


class Malformed(Exception):
    """Not a request or an answer that we understand; the text says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """The headers of a request or an answer, and what came behind them already."""

    headers: tuple[tuple[str, str], ...]
    rest: bytes = dataclasses.field(repr=False)

    def values(self, name: str) -> list[str]:
        """All values of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def value(self, name: str) -> str:
        """The first value of a header, empty when there is none."""
        return next(iter(self.values(name)), "")


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """A request; ``path`` is as it was sent, parameters are decoded."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    head: Head

    @property
    def upgrade(self) -> str:
        """The protocol that the client wants to go on with, in lower case; empty for none."""
        wanted = {word.strip().lower() for value in self.head.values("Connection") for word in value.split(",")}
        return self.head.value("Upgrade").lower() if "upgrade" in wanted else ""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer."""

    status: int
    head: Head


async def read_request(reader: tls.Reader, *, rest: bytes = b"") -> Request | None:
    """The next request of a connection, None at its end; raises ``Malformed``."""
    lines, behind = await _lines(reader, rest)
    if lines is None:
        return None
    match = _LINE.fullmatch(lines[0])
    if match is None:
        raise Malformed("this is no GET or POST of HTTP/1.1")
    head = Head(_headers(lines[1:]), behind)
    if head.values("Transfer-Encoding") or any(value.strip() != "0" for value in head.values("Content-Length")):
        raise Malformed("a request with a body")
    if len(head.values("Host")) != 1:
        raise Malformed("one Host header is needed")
    path, _, query = match[2].partition("?")
    return Request(match[1], path, _parameters(query), head)


async def read_answer(reader: tls.Reader) -> Answer:
    """The head of the host's answer; raises ``Malformed`` also when the connection ends before it."""
    lines, behind = await _lines(reader, b"")
    match = _STATUS.fullmatch(lines[0]) if lines else None
    if lines is None or match is None:
        raise Malformed("no HTTP answer")
    return Answer(int(match[1]), Head(_headers(lines[1:]), behind))


def answer(status: int, body: bytes = b"", *, content_type: str = "text/plain; charset=utf-8") -> bytes:
    """A whole answer."""
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("X-Content-Type-Options", "nosniff"),
    ]
    return dial.head(status_line(status), headers) + body


def status_line(status: int) -> str:
    """The first line of an answer."""
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = "Status"
    return f"HTTP/1.1 {status} {phrase}"


async def _lines(reader: tls.Reader, begun: bytes) -> tuple[list[str] | None, bytes]:
    """The lines of a head and the bytes behind it; None when the connection ended before a head began."""
    data = bytearray(begun)
    searched = 0
    while (found := data.find(_END, searched)) < 0:
        if len(data) > LONGEST_HEAD:
            raise Malformed("the head is too long")
        searched = max(len(data) - len(_END) + 1, 0)
        more = await reader.read(_CHUNK)
        if not more:
            if data:
                raise Malformed("the connection ended inside a head")
            return None, b""
        data += more
    return data[:found].decode("latin-1").split("\r\n"), bytes(data[found + len(_END) :])


def _headers(lines: list[str]) -> tuple[tuple[str, str], ...]:
    found = []
    for line in lines:
        name, colon, value = line.partition(":")
        value = value.strip(" \t")
        if not colon or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise Malformed("a header that is none")
        found.append((name, value))
    return tuple(found)


def _parameters(query: str) -> tuple[tuple[str, str], ...]:
    """Decoded so that encoding them again gives the same bytes: arguments of commands need not be UTF-8."""
    try:
        found = urllib.parse.parse_qsl(
            query, keep_blank_values=True, errors="surrogateescape", max_num_fields=_MOST_PARAMETERS
        )
    except ValueError as error:
        raise Malformed("too many parameters") from error
    return tuple(found)
