"""The locked dependencies and Nestling itself, installed into a folder for the Python of the image."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging import requirements, utils

_ENTRY: Final = re.compile(r"^([A-Za-z0-9._-]+)==")
#: What installers note about the machine.
_NOTES: Final = ("direct_url.json", "uv_cache.json", "REQUESTED")


class InstallError(Exception):
    """The packages cannot be installed; the text is the installer's."""


def locked(repository: Path) -> str:
    """The part of the lock file that Nestling needs when it runs: without the tools of its developers."""
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = _closure(project["dependencies"])
    lines: list[str] = []
    taking = False
    for line in (repository / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if found := _ENTRY.match(line):
            taking = utils.canonicalize_name(found[1]) in wanted
        if taking and not line.lstrip().startswith("#"):
            lines.append(line)
    return "\n".join(lines) + "\n"


def install_dependencies(uv: Path, locked_lines: Path, target: Path, *, python: str) -> None:
    """Install the locked lines; each file is checked against its hash."""
    _install(uv, target, python, "--require-hashes", "--no-deps", "-r", str(locked_lines))


def install_nestling(uv: Path, repository: Path, target: Path, *, python: str) -> None:
    """Install the package of this repository."""
    _install(uv, target, python, "--no-deps", "--no-build-isolation", "--reinstall", str(repository))


def _install(uv: Path, target: Path, python: str, *what: str) -> None:
    shutil.rmtree(target, ignore_errors=True)
    version = python.removeprefix("python")
    command = [str(uv), "pip", "install", "--quiet", "--target", str(target), "--python-version", version, *what]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InstallError(done.stderr.strip())
    shutil.rmtree(target / "bin", ignore_errors=True)
    for note in (one for name in _NOTES for one in target.glob(f"*.dist-info/{name}")):
        note.unlink()
    for one in target.glob(".lock"):
        one.unlink()


def _closure(asked: list[str]) -> set[str]:
    """All packages that these need, by what the installed ones say."""
    found: set[str] = set()
    waiting = [requirements.Requirement(line) for line in asked]
    while waiting:
        one = waiting.pop()
        name = utils.canonicalize_name(one.name)
        if name in found or not _applies(one):
            continue
        found.add(name)
        waiting.extend(_requires(name))
    return found


def _applies(one: requirements.Requirement) -> bool:
    return one.marker is None or one.marker.evaluate({"extra": ""})


def _requires(name: str) -> Iterator[requirements.Requirement]:
    for line in metadata.requires(name) or []:
        yield requirements.Requirement(line)
