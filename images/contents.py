"""What is in the two images: Nestling with its Python, and the stock binaries with the program that copies them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from images import debian, elf, tree

#: Modules of Python that nobody here uses, for which libraries would have to come along.
_UNUSED: Final = ("_curses", "_curses_panel", "_dbm", "nis", "ossaudiodev", "readline")
_UNUSED_FOLDERS: Final = ("curses", "dbm", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "tkinter")
_USERS: Final = "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin\n"
_GROUPS: Final = "root:x:0:\nnonroot:x:65532:\n"
#: The kernel runs it: there is no shell.
_PROGRAM: Final = """#!/usr/bin/python3
import sys
from nestling.cli import main
sys.exit(main.run())
"""
PROGRAM: Final = "/vcluster"


def packages_folder(python: str) -> str:
    """Where the Python of Debian looks for packages that are not Debian's."""
    return f"usr/local/lib/{python}/dist-packages"


def runtime(root: debian.Root, packages: Path) -> tree.Tree:
    """Python, the libraries that it and the packages need, certificates, the program. ``packages`` are not in it."""
    made = tree.Tree()
    standard = root.folder / "usr/lib" / root.python
    for path in sorted(standard.rglob("*")):
        if (path.is_file() or path.is_symlink()) and not _unused(path.relative_to(standard)):
            made.file(f"usr/lib/{root.python}/{path.relative_to(standard)}", path)
    python = root.folder / "usr/bin" / root.python
    made.file(f"usr/bin/{root.python}", python)
    made.link("usr/bin/python3", root.python)
    modules = [entry.file for path, entry in made if entry.file is not None and path.endswith(".so")]
    shared = sorted(packages.rglob("*.so*"))
    used = elf.closure([python, *modules, *shared], root.libraries, inside=shared)
    _add_libraries(made, root, used)
    _base(made)
    made.text("etc/ssl/certs/ca-certificates.crt", _certificates(root))
    made.text(PROGRAM.lstrip("/"), _PROGRAM, program=True)
    for name in ("nestling", "vcluster"):
        made.link(f"usr/local/bin/{name}", PROGRAM)
    for mount in ("binaries", "data", "var/lib/vcluster"):
        made.folder(mount)
    return made


def kubernetes(root: debian.Root, binaries: Mapping[str, Path]) -> tree.Tree:
    """The layout that the chart's init container copies: /kubernetes/NAME, and cp."""
    made = tree.Tree()
    program = root.folder / "usr/bin/cp"
    made.file("usr/bin/cp", program)
    _add_libraries(made, root, elf.closure([program], root.libraries))
    _base(made)
    for name, file in binaries.items():
        made.file(f"kubernetes/{name}", file)
    return made


def digest(*parts: str | Path) -> str:
    """One word for texts, files and folders: what was made of the same need not be made again."""
    total = hashlib.sha256()
    for part in parts:
        for content in _contents(part):
            total.update(hashlib.sha256(content).digest())
    return total.hexdigest()[:20]


def _contents(part: str | Path) -> Iterable[bytes]:
    if isinstance(part, str):
        yield part.encode()
    elif part.is_dir():
        for file in sorted(part.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                yield str(file.relative_to(part)).encode()
                yield file.read_bytes()
    else:
        yield part.read_bytes()


def _unused(path: Path) -> bool:
    return path.parts[0] in _UNUSED_FOLDERS or path.name.partition(".")[0] in _UNUSED or "__pycache__" in path.parts


def _add_libraries(made: tree.Tree, root: debian.Root, used: Iterable[Path]) -> None:
    """The libraries, what their names lead to, and the licences of the packages."""
    for one in used:
        made.file(str(one.relative_to(root.folder)), one)
        real = one.resolve()
        made.file(str(real.relative_to(root.folder.resolve())), real)
    for licence in sorted((root.folder / "usr/share/doc").glob("*/copyright")):
        made.file(f"usr/share/doc/{licence.parent.name}/copyright", licence.resolve())


def _base(made: tree.Tree) -> None:
    for name in debian.MERGED:
        made.link(name, f"usr/{name}")
        if not any(path.startswith(f"usr/{name}/") for path, _ in made):
            made.folder(f"usr/{name}")
    made.text("etc/passwd", _USERS)
    made.text("etc/group", _GROUPS)
    made.text("etc/nsswitch.conf", "hosts: files dns\n")
    made.folder("root", mode=0o700)
    made.folder("tmp", mode=0o1777)


def _certificates(root: debian.Root) -> str:
    """As update-ca-certificates writes them."""
    found = sorted((root.folder / "usr/share/ca-certificates").rglob("*.crt"))
    return "".join(one.read_text(encoding="ascii").rstrip() + "\n" for one in found)
