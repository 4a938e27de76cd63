"""Which shared libraries programs need, read from their files: an image holds those and no others."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_MAGIC: Final = b"\x7fELF"
_LOAD, _DYNAMIC, _INTERPRETER = 1, 2, 3
_NEEDED, _STRINGS = 1, 5


class MissingLibraryError(Exception):
    """A program needs a library that is not there."""


def needed(file: Path) -> tuple[str, ...]:
    """The libraries and the loader that a file names; nothing for what is no 64-bit ELF file."""
    content = file.read_bytes()
    if content[:4] != _MAGIC or content[4] != 2:
        return ()
    segments = _segments(content)
    found = [
        content[start : start + size].rstrip(b"\0").decode().rpartition("/")[2]
        for kind, start, _, size in segments
        if kind == _INTERPRETER
    ]
    for kind, start, _, size in segments:
        if kind == _DYNAMIC:
            found += _names(content, segments, range(start, start + size, 16))
    return tuple(found)


def closure(programs: Iterable[Path], libraries: Iterable[Path], *, inside: Iterable[Path] = ()) -> set[Path]:
    """Those of the libraries that the programs need, directly or through others.

    ``inside`` are libraries that packages bring for themselves. Raises `MissingLibraryError`.
    """
    known = {one.name: one for one in libraries}
    own = {one.name for one in inside}
    found: set[Path] = set()
    waiting = list(programs)
    while waiting:
        program = waiting.pop()
        for name in needed(program):
            if name in own:
                continue
            if name not in known:
                raise MissingLibraryError(f"{program} needs {name}, which is in none of the packages")
            if known[name] not in found:
                found.add(known[name])
                waiting.append(known[name])
    return found


def _segments(content: bytes) -> list[tuple[int, int, int, int]]:
    """Kind, offset in the file, address and size of each segment."""
    (table,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    segments = []
    for number in range(count):
        kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", content, table + number * size)
        segments.append((kind, offset, address, length))
    return segments


def _names(content: bytes, segments: list[tuple[int, int, int, int]], entries: range) -> list[str]:
    values = [struct.unpack_from("<QQ", content, position) for position in entries]
    strings = next((value for tag, value in values if tag == _STRINGS), 0)
    for kind, offset, address, size in segments:
        if kind == _LOAD and address <= strings < address + size:
            start = strings - address + offset
            return [
                content[start + value : content.index(b"\0", start + value)].decode()
                for tag, value in values
                if tag == _NEEDED
            ]
    return []
