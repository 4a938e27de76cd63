"""Splits a stream of bytes into lines of any length: an object in a watch can have one and a half megabytes."""

from __future__ import annotations

from collections.abc import Iterable


class Splitter:
    """Takes chunks, gives lines. Linear in the length of a line: only the new chunk is searched."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> Iterable[bytes]:
        """The lines that this chunk completes, without empty ones."""
        end = chunk.rfind(b"\n")
        if end < 0:
            self._rest += chunk
            return ()
        complete = bytes(self._rest) + chunk[:end] if self._rest else chunk[:end]
        self._rest = bytearray(chunk[end + 1 :])
        return [line for line in complete.split(b"\n") if line]
