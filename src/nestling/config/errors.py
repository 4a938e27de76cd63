"""What is wrong with a configuration, where, and what to write instead."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

#: Longer texts are cut: a refused value may be a whole file.
_MESSAGE: Final = 400
_HINT: Final = 1500

#: Where a value sits: keys of mappings and indexes of lists, ``("sync", "toHost", "pods", "patches", 0, "path")``.
Path = tuple[str | int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing to change. ``path`` is empty for a file that cannot be read at all; ``line`` counts from 1."""

    path: str
    source: str
    line: int | None
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.source}:{self.line}" if self.line is not None else self.source
        message = _shortened(self.message, _MESSAGE)
        what = f"{_shortened(self.path, _MESSAGE)}: {message}" if self.path else message
        text = f"{where}: {what}" if where else what
        return f"{text}\n    {_shortened(self.hint, _HINT)}" if self.hint else text


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """A problem before it is known which source wrote the key. ``about`` are further keys that it depends on."""

    path: Path
    message: str
    hint: str = ""
    about: tuple[Path, ...] = ()


class ConfigError(Exception):
    """A configuration that cannot be used; names everything that is wrong with it at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def dotted(path: Path) -> str:
    """The path as people write it: ``a.b[0].c``; keys with dots in quotes, ``customResources["certificates.x.io"]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part and all(letter.isalnum() or letter in "-_" for letter in part):
            text += f".{part}" if text else part
        else:
            text += f'["{_printable(part)}"]'
    return text


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}..."


def _printable(text: str) -> str:
    """Control characters and those that turn the writing direction would garble the message."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
