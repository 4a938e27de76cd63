"""The files of an image before they are packed: paths, modes and contents, nothing of the machine that packs them."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

#: Modes are made uniform: an image does not depend on the umask of whoever made it.
_PROGRAM, _FILE, _FOLDER, _LINK = 0o755, 0o644, 0o755, 0o777


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One path: a file of the machine, a text, a link, or (with none of them) a folder."""

    file: Path | None = None
    text: str | None = None
    link: str | None = None
    mode: int = _FOLDER


class Tree:
    """Paths, without a leading slash, and what is there."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._entries

    def __iter__(self) -> Iterator[tuple[str, Entry]]:
        return iter(sorted(self._entries.items()))

    def file(self, path: str, source: Path) -> None:
        """A file, or the link that it is."""
        if source.is_symlink():
            self.link(path, str(source.readlink()))
        else:
            self._entries[path] = Entry(file=source, mode=_PROGRAM if source.stat().st_mode & 0o100 else _FILE)

    def text(self, path: str, text: str, *, program: bool = False) -> None:
        """A file with these words."""
        self._entries[path] = Entry(text=text, mode=_PROGRAM if program else _FILE)

    def link(self, path: str, target: str) -> None:
        """A symbolic link."""
        self._entries[path] = Entry(link=target, mode=_LINK)

    def folder(self, path: str, *, mode: int = _FOLDER) -> None:
        """An empty folder; those that lead to a file need not be named."""
        self._entries[path] = Entry(mode=mode)

    def below(self, path: str, source: Path) -> None:
        """All files below a folder of the machine."""
        for found in sorted(source.rglob("*")):
            if found.is_symlink() or found.is_file():
                self.file(f"{path}/{found.relative_to(source)}", found)

    def pack(self, target: Path) -> str:
        """Write it as a layer: sorted, owned by root, dated 1970; returns the digest."""
        with target.open("wb") as stream, tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path, entry in self._with_folders():
                _add(archive, path, entry)
        with target.open("rb") as packed:
            return hashlib.file_digest(packed, "sha256").hexdigest()

    def _with_folders(self) -> Iterator[tuple[str, Entry]]:
        entries = dict(self._entries)
        for path in self._entries:
            for parent in list(Path(path).parents)[:-1]:
                entries.setdefault(str(parent), Entry())
        return iter(sorted(entries.items()))


def _add(archive: tarfile.TarFile, path: str, entry: Entry) -> None:
    info = tarfile.TarInfo(path)
    info.mode = entry.mode
    if entry.file is not None:
        info.size = entry.file.stat().st_size
        with entry.file.open("rb") as content:
            archive.addfile(info, content)
    elif entry.text is not None:
        content_bytes = entry.text.encode()
        info.size = len(content_bytes)
        archive.addfile(info, io.BytesIO(content_bytes))
    else:
        info.type = tarfile.DIRTYPE if entry.link is None else tarfile.SYMTYPE
        info.linkname = entry.link or ""
        archive.addfile(info)
