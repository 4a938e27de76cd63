"""Telling what is being fetched or built, and for how long.

Providers report often; a ``Progress`` decides what to show. ``lines`` is the plain one: complete lines in a pipe, at
most one every few seconds; one line that is rewritten on a terminal.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Literal, Protocol, TextIO

State = Literal["started", "running", "done", "failed"]

_MEGABYTE = 1_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One moment of one step.

    ``what`` is the action and its object ("downloading kube-apiserver v1.36.3 from dl.k8s.io"), the same text in
    every report of the step; ``total`` is 0 when the size is not known; ``note`` is what else there is to say.
    """

    what: str
    state: State
    seconds: float = 0.0
    received: int = 0
    total: int = 0
    note: str = ""

    def __str__(self) -> str:
        parts = [_bytes(self.received, self.total)] if self.received else []
        parts += [self.note] if self.note else []
        match self.state:
            case "started":
                return f"{self.what} …"
            case "running":
                return f"{self.what} … {', '.join([f'{self.seconds:.0f} s', *parts])}"
            case "done":
                return f"{self.what}: done in {self.seconds:.0f} s" + "".join(f", {part}" for part in parts)
            case "failed":
                return f"{self.what}: {self.note}"


class Progress(Protocol):
    """Receives every moment of every step; called from the thread that called ``ensure``."""

    def __call__(self, step: Step, /) -> None:
        """Show the moment, or not."""


def silent(_step: Step, /) -> None:
    """Show nothing."""


class Throttled:
    """Hands every start and end on, and of what is between one moment every few seconds."""

    def __init__(self, show: Progress, *, every: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._show = show
        self._every = every
        self._clock = clock
        self._shown = float("-inf")

    def __call__(self, step: Step, /) -> None:
        """Show the moment, unless one was shown just now."""
        now = self._clock()
        if step.state == "running" and now - self._shown < self._every:
            return
        self._shown = now
        self._show(step)


def lines(stream: TextIO) -> Progress:
    """Return a progress that writes plain lines: one that is rewritten on a terminal, else one every few seconds."""
    if not stream.isatty():
        return Throttled(lambda step: _write(stream, f"{step}\n"))

    def redraw(step: Step) -> None:
        _write(stream, f"\r\033[K{step}" + ("" if step.state in ("started", "running") else "\n"))

    return Throttled(redraw, every=0.5)


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()


class Reporter:
    """Reports one step: keeps its text and its clock, so that providers only say what changed."""

    def __init__(self, progress: Progress, what: str) -> None:
        self._progress = progress
        self._what = what
        self._start = time.monotonic()
        progress(Step(what, "started"))

    @property
    def seconds(self) -> float:
        """Return how long the step has been going on."""
        return time.monotonic() - self._start

    def running(self, *, received: int = 0, total: int = 0, note: str = "") -> None:
        """Report that the step goes on."""
        self._progress(Step(self._what, "running", self.seconds, received, total, note))

    def done(self, *, received: int = 0, note: str = "") -> None:
        """Report that the step succeeded."""
        self._progress(Step(self._what, "done", self.seconds, received, 0, note))

    def failed(self, reason: str) -> None:
        """Report that the step failed; the chain goes on with the next provider."""
        self._progress(Step(self._what, "failed", self.seconds, note=reason))


def _bytes(received: int, total: int) -> str:
    if total:
        return f"{received / _MEGABYTE:.0f} of {total / _MEGABYTE:.0f} MB"
    return f"{received / _MEGABYTE:.0f} MB"
