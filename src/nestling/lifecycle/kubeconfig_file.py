"""The user's kubeconfig files: which one is written, locking, and replacing a file in one step.

The rules are kubectl's: ``KUBECONFIG`` may list several files; a new entry goes into the first that exists, an entry
that exists is changed
where it is; a lock file ``<file>.lock`` keeps other writers away. A file that cannot be understood is never written.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from nestling.drivers import errors
from nestling.lifecycle import kubeconfig_nodes

LOCK_SECONDS: Final = 10.0


@dataclasses.dataclass(frozen=True, slots=True)
class Files:
    """The kubeconfig files in the order in which they are read."""

    paths: tuple[Path, ...]

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Files:
        """``KUBECONFIG``, else ``~/.kube/config``."""
        listed = [Path(part).expanduser() for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
        home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
        return cls(tuple(dict.fromkeys(listed)) or (home / ".kube" / "config",))

    @property
    def default(self) -> Path:
        """Where new entries go: the first file that exists, else the last of the list."""
        return next((path for path in self.paths if path.exists()), self.paths[-1])

    def check_writable(self) -> None:
        """Refuse before any work is done if the file that will be written cannot be."""
        self.current_context()
        target = Path(os.path.realpath(self.default))
        folder = next(parent for parent in target.parents if parent.exists())
        if not folder.is_dir():
            raise errors.UserError(
                f"cannot write the kubeconfig {self.default}: {folder} is a file, not a folder. "
                f"Name another one with KUBECONFIG=FILE"
            )
        if (target.exists() and not os.access(target, os.W_OK)) or not os.access(folder, os.W_OK | os.X_OK):
            raise errors.UserError(
                f"cannot write the kubeconfig {self.default}: permission denied in {folder}. Make it writable, "
                f"name another one with KUBECONFIG=FILE, or add --connect=false"
            )

    def existing(self) -> list[Path]:
        """The files that exist, in reading order."""
        return [path for path in self.paths if path.exists()]

    def current_context(self) -> str:
        """The current context: that of the first file that sets one."""
        return next((found for path in self.existing() if (found := read(path).current_context)), "")

    def contexts(self) -> list[str]:
        """Names of all contexts."""
        return list(dict.fromkeys(name for path in self.existing() for name in read(path).names("contexts")))

    def previous_of(self, context: str) -> str | None:
        """The context to go back to from a context of ours, empty for none; None for a foreign context."""
        found = (read(path).previous_of(context) for path in self.existing())
        return next((previous for previous in found if previous is not None), None)

    def owner_of(self, context: str) -> str:
        """The virtual cluster of a context, by the name that its context has by default."""
        found = (read(path).owner_of(context) for path in self.existing())
        return next((owner for owner in found if owner is not None), context)

    def owned_by(self, owner: str) -> list[str]:
        """The contexts of one virtual cluster."""
        return list(dict.fromkeys(name for path in self.existing() for name in read(path).owned_by(owner)))

    def add(self, entry: kubeconfig_nodes.Entry, *, switch: bool = True) -> Path:
        """Add or replace an entry, and switch to it; returns the file that holds the context."""
        home = next((path for path in self.existing() if read(path).has("contexts", entry.name)), self.default)
        for path in self.existing():
            if path != home and _holds(path, entry.name):
                # Of two entries with one name the first file's wins, so a left-over elsewhere could hide the new one.
                edit(path, lambda document: _remove(document, entry.name))
        edit(home, lambda document: _add(document, entry, switch=switch and home == self.default))
        if switch and self.current_context() != entry.name:
            self.switch(entry.name)
        return home

    def switch(self, context: str) -> None:
        """Make a context current; an empty name leaves none current."""
        if context:
            edit(self.default, lambda document: document.set_current_context(context))
            return
        for path in self.existing():
            if read(path).current_context:
                edit(path, lambda document: document.set_current_context(""))

    def remove(self, context: str, *, back_to: str | None = None) -> bool:
        """Remove context, cluster and user of that name from all files; if it was current, go to ``back_to``."""
        was_current = self.current_context() == context
        removed = False
        for path in self.existing():
            if _holds(path, context):
                edit(path, lambda document: _remove(document, context))
                removed = True
        if was_current:
            self.switch("")
            if back_to and back_to in self.contexts():
                self.switch(back_to)
        return removed


def _holds(path: Path, name: str) -> bool:
    document = read(path)
    return any(document.has(section, name) for section in kubeconfig_nodes.SECTIONS)


def _add(document: kubeconfig_nodes.Document, entry: kubeconfig_nodes.Entry, *, switch: bool) -> None:
    document.add(entry)
    if switch:
        document.set_current_context(entry.name)


def _remove(document: kubeconfig_nodes.Document, name: str) -> None:
    for section in kubeconfig_nodes.SECTIONS:
        document.remove(section, name)


def read(path: Path) -> kubeconfig_nodes.Document:
    """Read one file; an absent file is an empty one. Refuses a broken file with its line."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    except UnicodeDecodeError as error:
        raise errors.UserError(f"the kubeconfig {path} is not text: {error}. Nothing was changed") from error
    except NotADirectoryError:
        text = ""
    except OSError as error:
        raise errors.UserError(
            f"cannot read the kubeconfig {path}: {error.strerror}. Name another one with KUBECONFIG=FILE"
        ) from error
    try:
        return kubeconfig_nodes.Document.parse(text)
    except kubeconfig_nodes.BrokenError as error:
        line = f", line {error.line}" if error.line else ""
        raise errors.UserError(
            f"the kubeconfig {path}{line} cannot be understood: {error.problem}. "
            f"Nothing was changed. Repair the file, or name another one with KUBECONFIG=FILE"
        ) from error


def edit(path: Path, change: Callable[[kubeconfig_nodes.Document], None]) -> None:
    """Lock, read, change and replace one file; a change that changes nothing writes nothing."""
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(target):
            document = read(target)
            before = document.text() if target.exists() else None
            change(document)
            after = document.text()
            if after != before:
                replace(target, after)
    except OSError as error:
        raise errors.UserError(
            f"cannot write the kubeconfig {path}: {error.strerror} ({error.filename or path}). "
            f"Make it writable, or name another one with KUBECONFIG=FILE"
        ) from error


def replace(target: Path, text: str) -> None:
    """Replace a file in one step, keeping mode and owner; a new file is readable by its owner only."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            with contextlib.suppress(FileNotFoundError):
                existing = target.stat()
                _copy_ownership(file.fileno(), existing)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _copy_ownership(descriptor: int, existing: os.stat_result) -> None:
    created = os.fstat(descriptor)
    if (created.st_uid, created.st_gid) != (existing.st_uid, existing.st_gid):
        os.fchown(descriptor, existing.st_uid, existing.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(existing.st_mode))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(target: Path, *, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold kubectl's lock of a file. Ours names its owner, so that the lock of a process that was killed is
    recognised."""
    lock = target.with_name(target.name + ".lock")
    deadline = time.monotonic() + seconds
    while not _take(lock):
        _drop_stale(lock)
        if time.monotonic() > deadline:
            raise errors.UserError(
                f"{lock} exists for {seconds:.0f} s: another program writes this kubeconfig, "
                f"or one was killed while it did. If none is running, remove the lock: rm {lock}"
            )
        time.sleep(0.05)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _take(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w") as file:
        file.write(f"nestling {os.getpid()}\n")
    return True


def _drop_stale(lock: Path) -> None:
    with contextlib.suppress(OSError, ValueError):
        owner, pid = lock.read_text().split()
        if owner == "nestling" and not Path(f"/proc/{int(pid)}").exists() and Path("/proc/self").exists():
            lock.unlink()


def render(entry: kubeconfig_nodes.Entry) -> str:
    """A kubeconfig that holds one entry only, for ``--print`` and for the private file of ``connect -- COMMAND``."""
    document = kubeconfig_nodes.Document.parse("")
    document.add(dataclasses.replace(entry, previous=None))
    document.set_current_context(entry.name)
    return document.text()
