from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest

from nestling.drivers import errors
from nestling.lifecycle import values


def read(*given: str, stdin: str = "") -> list[tuple[str, str]]:
    return [(source.name, source.text) for source in values.sources(given, stdin=io.StringIO(stdin))]


def test_files_stdin_and_base64_are_read_in_their_order(tmp_path: Path) -> None:
    file = tmp_path / "v.yaml"
    file.write_text("a: 1\n")
    encoded = base64.b64encode(b"c: 3\n").decode()
    assert read(str(file), "-", encoded, stdin="b: 2\n") == [
        (str(file), "a: 1\n"),
        ("stdin", "b: 2\n"),
        ("the base64 value of --values", "c: 3\n"),
    ]


@pytest.mark.parametrize("name", ["vcluster.yaml", "values", "abcd", "x" * 5000])
def test_a_mistyped_file_name_is_no_base64(name: str) -> None:
    with pytest.raises(errors.UserError, match="there is no values file"):
        read(name)


def test_stdin_can_be_read_once() -> None:
    with pytest.raises(errors.UserError, match="once only"):
        read("-", "-")


def test_a_folder_and_binary_data_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(errors.UserError, match="is a folder"):
        read(str(tmp_path))
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    with pytest.raises(errors.UserError, match=r"not UTF-8 text.*save it as UTF-8"):
        read(str(tmp_path / "x"))


def test_stdin_that_is_not_utf_8_is_refused() -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"a: \xff"), encoding="utf-8")
    with pytest.raises(errors.UserError, match="stdin is not UTF-8"):
        values.sources(["-"], stdin=stdin)
