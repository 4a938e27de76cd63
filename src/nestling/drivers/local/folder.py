"""The folder of one virtual cluster, and the record in it that says how far its creation or deletion got.

The record is the journal: it is written before anything else is made and removed after everything else is gone.
Whoever finds a record whose
work was interrupted knows all that there can be, and can remove it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

from nestling.controlplane import settings, supervisor_status
from nestling.drivers import errors

RECORD: Final = "cluster.json"
#: Written by preparation, see ``controlplane.prepare``: named here, since that imports much.
SETTINGS: Final = "syncer.json"
#: ``creating`` and ``deleting`` are unfinished work; ``paused`` was stopped on purpose.
Phase = Literal["creating", "ready", "paused", "deleting"]


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """What is known of a virtual cluster without asking any process."""

    name: str
    namespace: str
    host: str
    port: int
    phase: Phase
    created: str
    version: str
    kubernetes_version: str = ""
    namespace_created: bool = False
    """Whether the host namespace was made for this virtual cluster."""
    owner: tuple[int, int, str] = (0, 0, "")
    """The process that works on it: pid, start time, boot."""

    @property
    def created_at(self) -> datetime.datetime:
        """The time of creation."""
        return datetime.datetime.fromisoformat(self.created)

    @property
    def owner_alive(self) -> bool:
        """Whether the process that is to finish the work still lives."""
        return supervisor_status.Process(*self.owner).alive


@dataclasses.dataclass(frozen=True, slots=True)
class Folder:
    """Paths in one virtual cluster's folder."""

    path: Path

    @property
    def record_file(self) -> Path:
        """The record."""
        return self.path / RECORD

    @property
    def values_file(self) -> Path:
        """The merged values that the control plane reads."""
        return self.path / "values.yaml"

    @property
    def user_values_file(self) -> Path:
        """The values as the user gave them."""
        return self.path / "user-values.yaml"

    @property
    def host_kubeconfig(self) -> Path:
        """The syncer's access to the host."""
        return self.path / "host.kubeconfig"

    @property
    def data(self) -> Path:
        """Certificates and the store."""
        return self.path / "data"

    @property
    def logs(self) -> Path:
        """Log files, one for each process."""
        return self.path / "logs"

    @property
    def admin_kubeconfig(self) -> Path:
        """The control plane's own administrator (spec §4.2)."""
        return self.data / "pki" / "admin.conf"

    def read(self) -> Record | None:
        """The record; a lost or damaged one is made again from what else there is. None when nothing tells enough."""
        try:
            values: dict[str, Any] = json.loads(self.record_file.read_text(encoding="utf-8"))
            values["owner"] = tuple(values["owner"])
            return Record(**settings.known_fields(Record, values))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return self._recovered()

    def _recovered(self) -> Record | None:
        """From the settings of the syncer, which a control plane that was ever started has; the path has the names.

        Without them and without data the creation had only begun: whatever there is may go. Data that nothing tells
        about is left to its owner.
        """
        settings_file = self.path / SETTINGS
        try:
            known = json.loads(settings_file.read_text(encoding="utf-8"))
            port, version = int(known["port"]), str(known["kubernetes_version"])
            at = settings_file.stat().st_mtime
        except (OSError, ValueError, KeyError, TypeError):
            if not self.record_file.exists() or self.data.exists():
                return None
            port, version, at = 0, "", self.record_file.stat().st_mtime
        import importlib.metadata  # takes a while, and is hardly ever needed

        return Record(
            name=self.path.name,
            namespace=self.path.parent.name,
            host=self.path.parent.parent.name,
            port=port,
            phase="ready" if port else "creating",
            created=datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec="seconds"),
            version=importlib.metadata.version("nestling"),
            kubernetes_version=version,
        )

    def write(self, record: Record) -> None:
        """Replace the record."""
        with os_refusals(self.path):
            settings.write_private(self.record_file, json.dumps(dataclasses.asdict(record), indent=2) + "\n")

    def private_file(self, path: Path, text: str) -> None:
        """Write a file that only this user can read."""
        with os_refusals(path):
            settings.write_private(path, text)

    def remove(self) -> None:
        """Remove the folder, the record last, and the folders above it that are empty now."""
        if not self.path.exists():
            return
        with os_refusals(self.path):
            for child in self.path.iterdir():
                if child.name == RECORD:
                    continue
                if child.is_dir() and not child.is_symlink():
                    shutil.rmtree(child)
                else:
                    child.unlink(missing_ok=True)
            self.record_file.unlink(missing_ok=True)
            self.path.rmdir()
        for parent in (self.path.parent, self.path.parent.parent):
            try:
                parent.rmdir()
            except OSError:
                # Another virtual cluster lives there.
                return


@dataclasses.dataclass(frozen=True, slots=True)
class Clusters:
    """All virtual clusters of one host: ``<root>/<namespace>/<name>``."""

    root: Path

    def folder(self, namespace: str, name: str) -> Folder:
        """The folder of one, whether it exists or not."""
        return Folder(self.root / namespace / name)

    def places(self) -> list[Folder]:
        """Every folder of a virtual cluster, sorted by namespace and name, whether its record can be read or not."""
        return [
            Folder(path)
            for path in sorted({file.parent for name in (RECORD, SETTINGS) for file in self.root.glob(f"*/*/{name}")})
        ]

    def all(self) -> list[tuple[Folder, Record]]:
        """Every folder with a record, or with what one can be made again from, sorted by namespace and name."""
        found = []
        for folder in self.places():
            record = folder.read()
            if record is not None:
                found.append((folder, record))
        return found

    @contextlib.contextmanager
    def locked(self, what: str) -> Iterator[None]:
        """Keep other commands from working on the same thing: a lock file that vanishes with its last user."""
        path = self.root.parent / f".{self.root.name}.{what}.lock"
        with os_refusals(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = _take(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(descriptor)


def _take(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise errors.UserError(
                "another command works on this virtual cluster or its namespace; "
                "wait until it ends, then repeat this one"
            ) from None
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        # The user before us removed the file between our opening and locking it: what we hold locks nothing.
        os.close(descriptor)


def check_writable(home: Path) -> None:
    """Refuse a folder of state that cannot be used before minutes go into fetching programs."""
    with os_refusals(home):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(home, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(home))


@contextlib.contextmanager
def os_refusals(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal into words: no permission, no space, read-only."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        raise errors.UserError(
            f"cannot write {where}: {error.strerror}. Nestling keeps its state there; "
            f"make it writable, make room, or choose another folder with NESTLING_HOME=FOLDER"
        ) from error
