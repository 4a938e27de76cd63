"""Talking to the user: messages and progress go to stderr; stdout belongs to data.

Three forms (``--log-output``): ``plain`` lines with time and level, ``raw`` text, ``json`` one object per line. On a
terminal a plain
step is a line that is redrawn while it runs; in a pipe it is one line at its start and one at its end.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final, TextIO

from nestling.cli import settings as settings_module

FRAMES: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
COLOURS: Final = {"info": "36", "done": "32", "warn": "33", "error": "31", "fatal": "31", "debug": "90"}


class Reporter:
    """Writes messages in one form; safe to use from several threads."""

    def __init__(
        self,
        stream: TextIO,
        *,
        form: str = "plain",
        silent: bool = False,
        debug: bool = False,
        terminal: bool = False,
        colour: bool = False,
    ) -> None:
        self._stream = stream
        self._form = form
        self._silent = silent
        self._debug = debug
        self._spinner = Spinner(stream) if terminal and form == "plain" and not silent else None
        self._colour = colour
        self._lock = threading.Lock()

    def info(self, message: str) -> None:
        """Something that goes on."""
        self._say("info", message)

    def done(self, message: str) -> None:
        """Something that succeeded."""
        self._say("done", message)

    def warn(self, message: str) -> None:
        """Something that the user should know, and that does not stop us."""
        self._say("warn", message)

    def error(self, message: str) -> None:
        """Something that failed; shown even with ``--silent``."""
        self._say("error", message)

    def fatal(self, message: str) -> None:
        """The reason why the command ends; shown even with ``--silent``."""
        self._say("fatal", message)

    def debug(self, message: str) -> None:
        """A detail for ``--debug``."""
        if self._debug:
            self._say("debug", message)

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show that a step runs, and how long it took when it succeeded."""
        started = time.monotonic()
        if self._spinner is None:
            self.info(text)
        with self._spinner.showing(text) if self._spinner else contextlib.nullcontext():
            yield
        seconds = time.monotonic() - started
        self._say("done", f"{text} ({seconds:.1f}s)", seconds=round(seconds, 3))

    def _say(self, level: str, message: str, **more: Any) -> None:
        if self._silent and level not in {"error", "fatal"}:
            return
        line = self._line(level, message, more)
        aside = self._spinner.paused() if self._spinner else contextlib.nullcontext()
        # A stderr that nobody reads any more must not undo work that succeeds.
        with self._lock, aside, contextlib.suppress(BrokenPipeError):
            self._stream.write(line + "\n")
            self._stream.flush()

    def _line(self, level: str, message: str, more: dict[str, Any]) -> str:
        now = datetime.datetime.now().astimezone()
        if self._form == "json":
            record = {"time": now.isoformat(timespec="milliseconds"), "level": level, "message": message, **more}
            return json.dumps(record, ensure_ascii=False)
        if self._form == "raw":
            return message
        shown = f"\x1b[{COLOURS[level]}m{level:<5}\x1b[0m" if self._colour else f"{level:<5}"
        return f"{now:%H:%M:%S} {shown} {message}"


class Spinner:
    """One line at the bottom of a terminal that shows the steps under way; drawn by a thread, so that it moves while
    we compute."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._steps: dict[object, tuple[str, float]] = {}
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    @contextlib.contextmanager
    def showing(self, text: str) -> Iterator[None]:
        """Show a step while the block runs."""
        token = object()
        with self._lock:
            self._steps[token] = (text, time.monotonic())
            self._ensure_thread()
        try:
            yield
        finally:
            with self._lock:
                del self._steps[token]
                self._erase()
                last = not self._steps
            if last:
                self._end_thread()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Take the line away while something else is written."""
        with self._lock:
            if self._steps:
                self._erase()
            yield

    def _ensure_thread(self) -> None:
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._draw, name="spinner", daemon=True)
            self._thread.start()

    def _end_thread(self) -> None:
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    def _draw(self) -> None:
        frame = 0
        while not self._stop.wait(0.1):
            frame += 1
            with self._lock, contextlib.suppress(BrokenPipeError):
                if self._steps:
                    self._stream.write("\r\x1b[2K" + self._text(frame))
                    self._stream.flush()

    def _text(self, frame: int) -> str:
        now = time.monotonic()
        text = " · ".join(f"{step} ({now - started:.0f}s)" for step, started in self._steps.values())
        line = f"{FRAMES[frame % len(FRAMES)]} {text}"
        width = max(os.get_terminal_size(self._stream.fileno()).columns - 1, 20)
        return line if len(line) <= width else line[: width - 1] + "…"

    def _erase(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._stream.write("\r\x1b[2K")
            self._stream.flush()


def reporter(settings: settings_module.Settings, args: Sequence[str] | None = None) -> Reporter:
    """The reporter that the global flags and the terminal ask for.

    ``args`` helps when the flags themselves could not be parsed: the error still comes in the form that was asked for.
    """
    form = settings.log_output
    joined = " ".join(args or ())
    if form == "plain" and ("--log-output=json" in joined or "--log-output json" in joined):
        form = "json"
    terminal = is_terminal(sys.stderr)
    return Reporter(
        sys.stderr,
        form=form,
        silent=settings.silent,
        debug=settings.debug,
        terminal=terminal,
        colour=terminal and not os.environ.get("NO_COLOR") and form == "plain",
    )


def is_terminal(stream: TextIO) -> bool:
    """True when a person watches: a terminal that understands cursor movements."""
    return stream.isatty() and os.environ.get("TERM", "") not in {"", "dumb"}


def emit(data: str) -> None:
    """Write data to stdout, with one newline at its end."""
    sys.stdout.write(data if data.endswith("\n") else data + "\n")
    sys.stdout.flush()
