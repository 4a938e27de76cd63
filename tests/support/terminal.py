"""A program on a terminal of its own, and somebody who types."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence

SECONDS = 120.0


class Terminal:
    """What a person sees of a program, and can do to it."""

    def __init__(self, descriptor: int, pid: int) -> None:
        self._descriptor = descriptor
        self._pid = pid
        self._seen = 0
        self.shown = b""

    def wait_for(self, text: bytes) -> None:
        """Wait until something new shows."""
        deadline = time.monotonic() + SECONDS
        while (found := self.shown.find(text, self._seen)) < 0:
            assert time.monotonic() < deadline, f"never shown: {text!r} in {self.shown!r}"
            assert self._more(deadline), f"ended without {text!r}: {self.shown!r}"
        self._seen = found + len(text)

    def wait_for_prompt(self, text: bytes) -> None:
        """The same for a shell, which may have said it before anybody listened: press enter, as kubectl advises."""
        deadline = time.monotonic() + SECONDS
        while text not in self.shown[self._seen :]:
            assert time.monotonic() < deadline, f"never shown: {text!r} in {self.shown!r}"
            before = len(self.shown)
            assert self._more(time.monotonic() + 2.0), f"ended without {text!r}: {self.shown!r}"
            if len(self.shown) == before:
                self.type(b"\n")
        self.wait_for(text)

    def type(self, text: bytes) -> None:
        """Type it."""
        os.write(self._descriptor, text)

    def resize(self, rows: int, columns: int) -> None:
        """Give the window another size; the program is told, as by every terminal."""
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def code(self) -> int:
        """Wait for the end; the exit code."""
        deadline = time.monotonic() + SECONDS
        while self._more(deadline):
            assert time.monotonic() < deadline, f"does not end: {self.shown!r}"
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        return os.waitstatus_to_exitcode(status)

    def end(self) -> None:
        """Kill it if it still runs."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._descriptor)

    def _more(self, deadline: float) -> bool:
        """Read what is there; False at the end."""
        if not select.select([self._descriptor], [], [], max(deadline - time.monotonic(), 0))[0]:
            return True
        try:
            data = os.read(self._descriptor, 1 << 16)
        except OSError:
            # so Linux says that nobody has the other end any more
            return False
        self.shown += data
        return bool(data)


@contextlib.contextmanager
def opened(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Terminal]:
    """The program on a terminal of 24 rows and 80 columns; it is gone afterwards."""
    ours, theirs = pty.openpty()
    try:
        # opened by the child, which leads a session of its own: so it becomes the terminal that signals come from
        first = (os.POSIX_SPAWN_OPEN, 0, os.ttyname(theirs), os.O_RDWR, 0)
        others = [(os.POSIX_SPAWN_DUP2, 0, number) for number in (1, 2)]
        pid = os.posix_spawn(command[0], list(command), dict(environment), file_actions=[first, *others], setsid=True)
    finally:
        os.close(theirs)
    terminal = Terminal(ours, pid)
    terminal.resize(24, 80)
    try:
        yield terminal
    finally:
        terminal.end()
