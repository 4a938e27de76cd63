"""A small disk of its own for a test, which can be filled: what a machine has besides is not touched."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

_PIECE = bytes(64 * 1024)
_FILLER = "filler"


@contextlib.contextmanager
def small(folder: Path, size: str, *, process: Callable[[], int]) -> Iterator[None]:
    """A file system of that size in memory on a new folder, as a process sees it that has its own mounts; needs root.

    ``seen`` leads there from outside.
    """
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "nestling-test", str(folder))
    subprocess.run(_inside(process(), *mount), check=True)
    try:
        yield
    finally:
        # lazily: a process that is just ending may have a file of it open
        subprocess.run(_inside(process(), "umount", "--lazy", str(folder)), check=True)


def seen(folder: Path, process: int) -> Path:
    """The folder as the process has it."""
    return Path(f"/proc/{process}/root") / folder.relative_to("/")


def _inside(process: int, *command: str) -> list[str]:
    return ["nsenter", "--mount", f"--target={process}", *command]


def fill(folder: Path) -> None:
    """Take all the room that is left, up to the last byte."""
    with (folder / _FILLER).open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(_PIECE)


def empty(folder: Path) -> None:
    """Give the room back."""
    (folder / _FILLER).unlink()
