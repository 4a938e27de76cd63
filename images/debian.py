"""Programs and libraries out of the packages of the Debian or Ubuntu that this machine's apt knows; needs no root.

apt is asked what a machine with nothing on it would need, so the result does not depend on what is installed here.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

#: As today's Debian has it everywhere: these are links into usr.
MERGED: Final = ("bin", "lib", "lib64", "sbin")


class AptError(Exception):
    """The packages cannot be had; the text says what to do."""


@dataclasses.dataclass(frozen=True, slots=True)
class Root:
    """The unpacked packages."""

    folder: Path
    python: str
    """As in ``python3.11``."""

    @property
    def libraries(self) -> list[Path]:
        """All shared libraries where the loader looks."""
        places = [self.folder / "usr/lib", *(self.folder / "usr/lib").glob("*-linux-gnu"), self.folder / "usr/lib64"]
        return [one for place in places if place.is_dir() for one in sorted(place.glob("*.so*"))]

    @property
    def loader(self) -> Path:
        """The program that starts dynamic programs, as a file that can be run."""
        return next(one.resolve() for one in self.libraries if one.name.startswith("ld-") and not one.is_symlink())

    def run(self, *arguments: str) -> None:
        """Run the Python of the packages on this machine, where it is installed or not."""
        libraries = ":".join(str(one) for one in (self.folder / "usr/lib").glob("*-linux-gnu"))
        environment = {"PYTHONHOME": str(self.folder / "usr"), "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
        program = self.folder / "usr/bin" / self.python
        _run([str(self.loader), "--library-path", libraries, str(program), *arguments], environment)


def unpack(folder: Path) -> Root:
    """Get and unpack Python, certificates and cp, with all that they need, below a folder; once."""
    done = folder / "done"
    if done.is_file():
        return Root(folder / "root", done.read_text(encoding="ascii"))
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise AptError("no apt-get here: the image is made of Debian packages; use images/Dockerfile instead")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "packages").mkdir(parents=True)
    apt = _Apt(folder)
    python = apt.python()
    wanted = (f"{python}-minimal", f"lib{python}-stdlib", "ca-certificates", "coreutils", "libstdc++6")
    apt.download(wanted)
    for package in sorted((folder / "packages").glob("*.deb")):
        _unpack_one(package, folder / "root")
    shutil.rmtree(folder / "packages")
    done.write_text(python, encoding="ascii")
    return Root(folder / "root", python)


class _Apt:
    """apt with the machine's sources; with lists of its own where the machine has none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._options: tuple[str, ...] = ()
        try:
            self._download(["libc6"])
        except AptError:
            self._own_lists()

    def python(self) -> str:
        """The name of the package of the Python 3 of this release."""
        found = re.search(r"Depends: (python3\.\d+)$", self._ask("apt-cache", "depends", "python3"), re.MULTILINE)
        if found is None:
            raise AptError("apt knows no python3; run: apt-get update")
        return found[1]

    def download(self, names: Sequence[str]) -> None:
        """Get the packages and all that they need; apt checks them."""
        answer = self._ask(
            *("apt-get", "-qq", "-o", "Dir::State::status=/dev/null", "--no-install-recommends"),
            *("--print-uris", "install", *names),
        )
        found = [line.split()[1].split("_")[0] for line in answer.splitlines() if line.startswith("'")]
        self._download(found)

    def _own_lists(self) -> None:
        print("image: apt has no lists here; getting them", file=sys.stderr, flush=True)
        lists, cache = self._folder / "lists", self._folder / "cache"
        for place in (lists / "partial", cache / "archives" / "partial"):
            place.mkdir(parents=True, exist_ok=True)
        self._options = ("-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={cache}", "-o", "APT::Sandbox::User=")
        self._ask("apt-get", "-qq", "update")

    def _download(self, names: Sequence[str]) -> None:
        self._ask("apt-get", "-qq", "-o", "APT::Sandbox::User=", "download", *names)

    def _ask(self, program: str, *arguments: str) -> str:
        environment = {**os.environ, "LC_ALL": "C"}
        return _run([program, *self._options, *arguments], environment, folder=self._folder / "packages")


def _unpack_one(package: Path, root: Path) -> None:
    """Files and links; owners and times do not matter here."""
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as process,
        tarfile.open(fileobj=process.stdout, mode="r|") as archive,
    ):
        for member in archive:
            member.name = _merged(member.name)
            if member.islnk():
                member.linkname = _merged(member.linkname)
            elif member.linkname.startswith("/"):
                # would lead out of the folder into this machine
                member.linkname = "../" * member.name.count("/") + _merged(member.linkname)
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            if member.isfile() or member.isdir() or member.issym() or member.islnk():
                archive.extract(member, root, filter="fully_trusted")
    if process.returncode != 0:
        raise AptError(f"{package.name} cannot be unpacked")


def _merged(path: str) -> str:
    path = path.removeprefix(".").lstrip("/")
    return f"usr/{path}" if path.partition("/")[0] in MERGED else path


def _run(command: Sequence[str], environment: dict[str, str], *, folder: Path | None = None) -> str:
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AptError(f"{' '.join(command)}\n{done.stdout.strip()}{done.stderr.strip()}")
    return done.stdout
