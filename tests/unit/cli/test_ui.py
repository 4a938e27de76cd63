from __future__ import annotations

import io
import json
import os
import pty
import re
import time

import pytest

from nestling.cli import settings, ui


def plain(**more: bool | str) -> tuple[ui.Reporter, io.StringIO]:
    stream = io.StringIO()
    return ui.Reporter(stream, **more), stream  # type: ignore[arg-type]  # flags by name


def test_plain_lines_have_time_level_and_text() -> None:
    reporter, stream = plain()
    reporter.info("hello")
    reporter.warn("careful")
    assert re.fullmatch(r"\d\d:\d\d:\d\d info  hello\n\d\d:\d\d:\d\d warn  careful\n", stream.getvalue())


def test_raw_is_the_text_alone() -> None:
    reporter, stream = plain(form="raw")
    reporter.done("hello")
    assert stream.getvalue() == "hello\n"


def test_json_is_one_object_per_line() -> None:
    reporter, stream = plain(form="json")
    with reporter.step("work"):
        pass
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["level"], first["message"]) == ("info", "work")
    assert second["level"] == "done"
    assert second["seconds"] >= 0


def test_silent_leaves_only_errors() -> None:
    reporter, stream = plain(silent=True, form="raw")
    reporter.info("a")
    reporter.warn("b")
    with reporter.step("c"):
        pass
    reporter.error("d")
    assert stream.getvalue() == "d\n"


def test_debug_lines_come_only_with_debug() -> None:
    for debug, expected in ((False, ""), (True, "x\n")):
        reporter, stream = plain(debug=debug, form="raw")
        reporter.debug("x")
        assert stream.getvalue() == expected


def test_a_step_that_fails_is_not_called_done() -> None:
    reporter, stream = plain(form="raw")
    with pytest.raises(ZeroDivisionError), reporter.step("work"):
        _ = 1 / 0
    assert stream.getvalue() == "work\n"


def test_on_a_terminal_a_step_is_redrawn_and_leaves_one_line() -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as stream:
        reporter = ui.Reporter(stream, terminal=True)
        with reporter.step("work"):
            seen = b""
            deadline = time.monotonic() + 60
            while b"work (0s)" not in seen and time.monotonic() < deadline:
                seen += os.read(master, 1024)
        while not re.search(rb"done  work \(\d+\.\ds\)\r\n$", seen) and time.monotonic() < deadline:
            seen += os.read(master, 4096)
    os.close(master)
    assert b"\r\x1b[2K" in seen
    assert re.search(rb"\x1b\[2K[\d:]{8} done  work \(\d+\.\ds\)\r\n$", seen), seen


@pytest.mark.parametrize(("term", "terminal"), [("dumb", False), ("", False), ("xterm-256color", True)])
def test_only_a_terminal_that_understands_it_gets_moving_lines(
    monkeypatch: pytest.MonkeyPatch, term: str, *, terminal: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as stream:
        assert ui.is_terminal(stream) is terminal
    os.close(master)


def test_no_color_switches_colours_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" in ui.Reporter(io.StringIO(), colour=True)._line("info", "x", {})
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in ui.reporter(settings.Settings())._line("info", "x", {})
