"""The cache of binaries: one file per binary, with a record of what was verified when it came in.

Layout: ``bin/COMPONENT/VERSION/linux-ARCH/NAME``. A file gets its name only by a rename, after everything about it
was checked, so a name that exists holds a whole binary. The record beside it (``.NAME.json``: size, modification
time, SHA-256, where it came from) catches what happens later: a disk that lost a write, a copied cache, an edit.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import pathlib
import shutil
import time
from collections.abc import Iterator, Sequence

from nestling.binaries import catalogue, checksums, errors, progress

_POLL_SECONDS = 0.1


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """What was true of a binary when it was verified."""

    size: int
    modified: int
    sha256: str
    source: str

    @classmethod
    def read(cls, path: pathlib.Path) -> Record | None:
        """Return the record, None when there is none or it is not readable as one."""
        try:
            return cls(**json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None


class Store:
    """The cache folder of one architecture."""

    def __init__(self, folder: pathlib.Path, architecture: str) -> None:
        self._folder = folder
        self._platform = f"linux-{architecture}"

    def path(self, binary: catalogue.Binary) -> pathlib.Path:
        """Return where the binary is kept, there or not."""
        return self._folder / binary.component / binary.version / self._platform / binary.name

    def find(self, binary: catalogue.Binary) -> pathlib.Path | None:
        """Return the path of the binary when it is there and is still what was verified."""
        path = self.path(binary)
        record = self.record(binary)
        try:
            status = path.stat()
        except OSError:
            return None
        if record is None or status.st_size != record.size or not os.access(path, os.X_OK):
            return None
        if status.st_mtime_ns == record.modified:
            return path
        if checksums.of_file(path) != record.sha256:
            return None
        with contextlib.suppress(OSError):  # a cache that belongs to somebody else: it is checked again next time
            _write_record(path, dataclasses.replace(record, modified=status.st_mtime_ns))
        return path

    def record(self, binary: catalogue.Binary) -> Record | None:
        """Return what was recorded of the binary."""
        return Record.read(_record_path(self.path(binary)))

    def install(self, binary: catalogue.Binary, file: pathlib.Path, *, source: str) -> pathlib.Path:
        """Take a verified file, which must be on the same disk, into the cache; the caller holds the lock."""
        path = self.path(binary)
        file.chmod(0o755)
        _to_disk(file)
        status = file.stat()
        _write_record(path, Record(status.st_size, status.st_mtime_ns, checksums.of_file(file), source))
        file.replace(path)
        return path

    @contextlib.contextmanager
    def workspace(self, binaries: Sequence[catalogue.Binary]) -> Iterator[pathlib.Path]:
        """Lend an empty folder on the cache's disk; the caller holds the locks.

        Its name comes from the locked binaries, so that what a killed process left there is found and removed.
        """
        first = self.path(binaries[0])
        folder = first.parent / f".{first.name}.part"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def locked(self, binaries: Sequence[catalogue.Binary], report: progress.Progress) -> Iterator[None]:
        """Hold the locks of the binaries, in one order for everybody, so that two processes cannot wait for each other.

        Raises BinaryError when the cache cannot be written.
        """
        with contextlib.ExitStack() as stack:
            for binary in sorted(binaries, key=lambda one: (one.component, one.name)):
                stack.enter_context(self._lock(binary, report))
            yield

    @contextlib.contextmanager
    def _lock(self, binary: catalogue.Binary, report: progress.Progress) -> Iterator[None]:
        path = self.path(binary)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise errors.BinaryError(
                f"cannot write to the cache folder {path.parent}: {error.strerror}; "
                "make it writable, or set NESTLING_CACHE_DIR to a folder that is"
            ) from error
        try:
            _wait(descriptor, binary, report)
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(descriptor)  # lets go of the lock; the file stays, as removing it would let two hold it at once


def _wait(descriptor: int, binary: catalogue.Binary, report: progress.Progress) -> None:
    """Take the lock; while another process has it, say so."""
    reporter: progress.Reporter | None = None
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if reporter is None:
                owner = os.pread(descriptor, 20, 0).decode(errors="replace") or "?"
                reporter = progress.Reporter(
                    report, f"waiting for another process (pid {owner}) that is getting {binary}"
                )
            reporter.running()
            time.sleep(_POLL_SECONDS)
        else:
            if reporter is not None:
                reporter.done()
            return


def _record_path(path: pathlib.Path) -> pathlib.Path:
    return path.with_name(f".{path.name}.json")


def _write_record(path: pathlib.Path, record: Record) -> None:
    target = _record_path(path)
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    draft.write_text(json.dumps(dataclasses.asdict(record)))
    draft.replace(target)


def _to_disk(file: pathlib.Path) -> None:
    """Make sure that the bytes are on the disk before the name is: after a power cut a name must not hold zeros."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
