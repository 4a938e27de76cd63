"""What ``-f/--values`` may be: a file, ``-`` for stdin, or the YAML itself in base64 (spec §7)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from nestling.config import load
from nestling.drivers import errors


def sources(values: Sequence[str], *, stdin: TextIO) -> list[load.Source]:
    """Read all sources in their order; raises ``UserError`` that names the one which cannot be read."""
    if values.count("-") > 1:
        raise errors.UserError("-f - may be given once only: stdin can be read once. Put one of the two into a file")
    return [_source(value, stdin) for value in values]


def _source(value: str, stdin: TextIO) -> load.Source:
    if value == "-":
        return load.Source(name="stdin", text=_read_stdin(stdin))
    path = Path(value)
    if len(value) < 4096 and "\n" not in value and path.exists():
        return load.Source(name=value, text=_read(path))
    text = _from_base64(value)
    if text is not None:
        return load.Source(name="the base64 value of --values", text=text)
    raise errors.UserError(
        f"there is no values file {value[:200]}: write -f FILE with a file that exists, -f - for stdin, "
        f"or the YAML encoded in base64"
    )


def _read_stdin(stdin: TextIO) -> str:
    try:
        return stdin.read()
    except UnicodeDecodeError as error:
        raise errors.UserError(
            f"stdin is not UTF-8 text: {error.reason} at byte {error.start}; write the values in UTF-8"
        ) from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except IsADirectoryError as error:
        raise errors.UserError(f"the values file {path} is a folder; name the file in it") from error
    except UnicodeDecodeError as error:
        raise errors.UserError(
            f"the values file {path} is not UTF-8 text: {error.reason} at byte {error.start}; save it as UTF-8"
        ) from error
    except OSError as error:
        raise errors.UserError(f"cannot read the values file {path}: {error.strerror}") from error


def _from_base64(value: str) -> str | None:
    """The text, or None when this is not base64 of a YAML mapping: a mistyped file name must not pass as base64."""
    try:
        text = base64.b64decode("".join(value.split()), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    return text if ":" in text or "\n" in text else None
