from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from nestling.controlplane import logs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_json_lines_for_both_kinds_of_logger(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    structlog.stdlib.get_logger("a").info("hello", count=3)
    logging.getLogger("b").warning("from %s", "stdlib")
    first, second = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (first["msg"], first["count"], first["logger"], first["level"]) == ("hello", 3, "a", "info")
    assert (second["msg"], second["logger"], second["level"]) == ("from stdlib", "b", "warning")


def test_console_lines(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("console")
    structlog.stdlib.get_logger("a").info("hello", count=3)
    line = capsys.readouterr().err
    assert "hello" in line
    assert "count=3" in line


def test_secrets_are_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    structlog.stdlib.get_logger("a").info("x", token="abc", data={"k": "v"})
    text = capsys.readouterr().err
    assert "abc" not in text
    assert json.loads(text)["data"] == "(redacted)"
