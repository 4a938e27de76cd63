"""Where the lines of components go: a size-bounded file each, and standard output where the plan says so.

Nothing here may block or fail the supervisor: a full disk or a reader that stopped reading costs lines, and the
lost ones are counted.
"""

from __future__ import annotations

import datetime
import json
import os
import select
from pathlib import Path
from typing import Any

from nestling.controlplane import plan

MAX_LINE = 32 * 1024
_PIPE_CHUNK = 4096  # what select promises to take without blocking (PIPE_BUF)
_KLOG_LEVELS = {"I": "info", "W": "warning", "E": "error", "F": "fatal"}


class LogFile:
    """A file of lines that becomes `FILE.1` when it is full, so that two times the limit is the most it takes."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._descriptor: int | None = None
        self._size = 0
        self.lost = 0

    def write(self, data: bytes) -> None:
        """Append; what cannot be written (disk full, folder gone) is counted in `lost`."""
        try:
            if self._descriptor is not None and self._size + len(data) > self._max_bytes:
                self._rotate()
            if self._descriptor is None:
                self._open()
            assert self._descriptor is not None  # noqa: S101 - opened just above
            self._size += os.write(self._descriptor, data)
        except OSError:
            self.lost += 1

    def close(self) -> None:
        """Close the file; a later write opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _rotate(self) -> None:
        self.close()
        self._path.replace(self._path.with_name(self._path.name + ".1"))


class Output:
    """Standard output of the supervisor, shared by all components."""

    def __init__(self, echo: plan.Echo, descriptor: int = 1) -> None:
        self._echo = echo
        self._descriptor = descriptor
        self.lost = 0

    def line(self, component: str, text: bytes) -> None:
        """Repeat one line with the component's name; drops it when nobody reads."""
        if self._echo == "none":
            return
        shown = json_line(component, text) if self._echo == "json" else console_line(component, text)
        for start in range(0, len(shown), _PIPE_CHUNK):
            if not select.select([], [self._descriptor], [], 0)[1]:
                self.lost += 1
                return
            try:
                os.write(self._descriptor, shown[start : start + _PIPE_CHUNK])
            except OSError:
                self.lost += 1
                return


class ComponentLog:
    """Splits what a component writes into lines and passes them on; lines that never end are cut."""

    def __init__(self, component: str, file: LogFile | None, output: Output) -> None:
        self._component = component
        self._file = file
        self._output = output
        self._rest = b""
        self.last_line = ""
        """The last line with something in it: often the reason of a failure."""

    def feed(self, data: bytes) -> None:
        """Take output as it comes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        while len(self._rest) > MAX_LINE:
            lines.append(self._rest[:MAX_LINE])
            self._rest = self._rest[MAX_LINE:]
        self._pass_on(lines)

    def flush(self) -> None:
        """Pass on a last line without line end."""
        lines, self._rest = [self._rest] if self._rest else [], b""
        self._pass_on(lines)

    def _pass_on(self, lines: list[bytes]) -> None:
        if lines and self._file is not None:
            self._file.write(b"\n".join(lines) + b"\n")
        for line in lines:
            if line.strip():
                self.last_line = line[:1000].decode("utf-8", "replace").strip()
            self._output.line(self._component, line)


def timestamp() -> str:
    """Now, in UTC, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def console_line(component: str, text: bytes) -> bytes:
    """A line for people: the name in front."""
    return f"{component:<24} | ".encode() + text + b"\n"


def json_line(component: str, text: bytes) -> bytes:
    """A line for machines: one object; a component's own JSON keeps its fields, klog's letter becomes the level."""
    decoded = text.decode("utf-8", "replace")
    fields: dict[str, Any] = {"component": component}
    if decoded.startswith("{"):
        try:
            return _encode(fields | json.loads(decoded) | fields)
        except ValueError:
            pass
    if decoded[1:5].isdigit() and decoded[0] in _KLOG_LEVELS:
        fields["level"] = _KLOG_LEVELS[decoded[0]]
    return _encode(fields | {"time": timestamp(), "message": decoded})


def _encode(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
