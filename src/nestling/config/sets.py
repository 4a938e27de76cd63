"""Helm's ``--set``: ``a.b=c``, ``a[0].b=c``, ``a={x,y}``; several at once with commas; a backslash protects a sign."""

from __future__ import annotations

from typing import Any, Final

from nestling.config import errors

#: Helm's own limit for an index.
_MAX_INDEX: Final = 65536
#: Deeper than any key; and longer than any number that means something (Python refuses some thousand digits).
_MAX_DEPTH: Final = 100
_MAX_DIGITS: Final = 300
_WORDS: Final[dict[str, Any]] = {"true": True, "false": False, "null": None, "0": 0}


class SetError(ValueError):
    """A ``--set`` that cannot be read."""


def apply(values: dict[str, Any], text: str) -> list[errors.Path]:
    """Write the assignments of one ``--set`` into the values; returns the paths that were written."""
    written = []
    for path, value in parse(text):
        _write(values, path, value, text)
        written.append(path)
    return written


def parse(text: str) -> list[tuple[errors.Path, Any]]:
    """The assignments of one ``--set``, in their order."""
    result: list[tuple[errors.Path, Any]] = []
    if not _is_text(text):
        raise SetError(f"{text!r} is not UTF-8 text; write it in UTF-8")
    position = 0
    while position < len(text):
        raw, position, stop = _until(text, position, "=,")
        if stop != "=" and not raw:
            raise SetError("has a comma too many; write KEY=VALUE,KEY=VALUE")
        if stop != "=":
            raise SetError(f"{raw!r} has no value; write {raw}=VALUE")
        path = _path(raw)
        if text.startswith("{", position):
            value, position = _list(text, position + 1)
        else:
            word, position, _ = _until(text, position, ",")
            value = typed(word)
        result.append((path, value))
    if not result:
        raise SetError("is empty; write KEY=VALUE")
    return result


def _is_text(text: str) -> bool:
    """Arguments that are no UTF-8 come with halves of characters, which cannot be written into a file."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def typed(raw: str) -> Any:
    """Helm's typing: true, false, null and whole numbers without leading zeros; everything else is text."""
    text = unescape(raw)
    if text in _WORDS:
        return _WORDS[text]
    digits = text.removeprefix("-").removeprefix("+")
    if len(digits) <= _MAX_DIGITS and digits.isascii() and digits.isdigit() and not text.startswith("0"):
        return int(text)
    return text


def unescape(text: str) -> str:
    """The text without the backslashes that protect a sign."""
    result, letters = "", iter(text)
    for letter in letters:
        result += next(letters, "") if letter == "\\" else letter
    return result


def _until(text: str, start: int, stops: str) -> tuple[str, int, str]:
    """The raw text up to the next unprotected stop sign, the position after it, and the sign (empty at the end)."""
    position = start
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] in stops:
            return text[start:position], position + 1, text[position]
        position += 1
    return text[start:], len(text), ""


def _list(text: str, position: int) -> tuple[list[Any], int]:
    items: list[Any] = []
    while True:
        raw, position, stop = _until(text, position, ",}")
        if raw or stop == "," or items:
            items.append(typed(raw))
        if stop == "}":
            if position < len(text) and text[position] != ",":
                raise SetError(f"has text after the list: {text[position:]!r}; put a comma between assignments")
            return items, position + 1
        if not stop:
            raise SetError("has a list without an end; close it with }")


def _path(raw: str) -> errors.Path:
    path: list[str | int] = []
    position, expect_key = 0, True
    while position < len(raw) or expect_key:
        word, after, stop = _until(raw, position, ".[")
        if word or expect_key:
            if not word or not expect_key:
                raise SetError(f"has an empty or misplaced part in the key {raw!r}; write it as a.b[0].c")
            path.append(unescape(word))
        if stop == "[":
            index, after, end = _until(raw, after, "]")
            path.append(_index(index, end, raw))
        expect_key = stop == "."
        if stop == "[" and raw.startswith(".", after):
            after, expect_key = after + 1, True
        position = after
    if len(path) > _MAX_DEPTH:
        raise SetError(f"has a key with {len(path)} parts, and no key has so many; write it as a.b[0].c")
    return tuple(path)


def _index(text: str, end: str, raw: str) -> int:
    if end != "]" or not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) > _MAX_INDEX:
        raise SetError(
            f"has no valid index in the key {raw!r}; write a number from 0 to {_MAX_INDEX} in brackets: a[0]"
        )
    return int(text)


def _write(values: dict[str, Any], path: errors.Path, value: Any, text: str) -> None:
    holder: Any = values
    for position, step in enumerate(path):
        last = position == len(path) - 1
        if isinstance(step, int):
            if not isinstance(holder, list):
                raise SetError(f"{text!r}: {errors.dotted(path[:position])} is no list")
            holder.extend([None] * (step + 1 - len(holder)))
        elif not isinstance(holder, dict):
            raise SetError(f"{text!r}: {errors.dotted(path[:position])} is no mapping")
        if last:
            holder[step] = value
            return
        wanted = list if isinstance(path[position + 1], int) else dict
        present = holder[step] if isinstance(step, int) else holder.get(step)
        if not isinstance(present, wanted):
            holder[step] = present = wanted()
        holder = present
