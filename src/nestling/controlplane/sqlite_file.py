"""The file of kine's SQLite database, worked on beside kine: its size, and room that it gives back (user lesson 4).

SQLite keeps the pages of deleted rows for later rows and never shortens the file by itself. A file in the mode
``incremental`` can be shortened a few pages at a time, while others read and write.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import shutil
import sqlite3
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

#: What ``PRAGMA auto_vacuum`` says of a file that can be shortened in steps.
_INCREMENTAL: Final = 2
#: kine writes first: whoever does not get the lock in this time (seconds) tries again at the next turn.
_BUSY: Final = 0.1
#: Before kine runs nobody should be there; an old kine that is just ending may be.
_BUSY_AT_START: Final = 10.0
_LOG: Final = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Pages:
    """How a file is filled."""

    size: int
    """Bytes of one page."""
    total: int
    free: int

    @property
    def used_bytes(self) -> int:
        """What holds data."""
        return (self.total - self.free) * self.size


def pages(file: Path) -> Pages:
    """How the file is filled now; raises ``sqlite3.Error`` when it cannot be read."""
    with _opened(file, _BUSY) as database:
        return _pages(database)


def give_back(file: Path, most: int) -> int:
    """Shorten the file by so many of its free pages at most; returns by how many, 0 while kine has the lock.

    Other writers wait meanwhile, so few pages at a time are better. Raises ``sqlite3.Error``.
    """
    with _opened(file, _BUSY) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not _is_busy(error):
                raise
            return 0
        before = _value(database, "freelist_count")
        for _ in range(min(most, before)):
            # it is a statement that has a row for each page and no columns: with more than one page, Python stops early
            database.execute("PRAGMA incremental_vacuum(1)").fetchall()
        given = before - _value(database, "freelist_count")
        database.execute("COMMIT")
    return given


def checkpoint(file: Path) -> None:
    """Carry the log over into the file, which only then is shorter on disk, and empty the log; less while others read.

    Raises ``sqlite3.Error``.
    """
    with _opened(file, _BUSY) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def make_shrinkable(file: Path) -> None:
    """Write the file anew, once, when it cannot be shortened in steps: kine of another product or release made it.

    Only before kine opens it, and only with room for a second file and its log. What happens is logged; that the file
    stays as it is, is no reason not to start.
    """
    if not file.exists():
        return
    try:
        with _opened(file, _BUSY_AT_START) as database:
            found = _pages(database)
            if found.total == 0 or _value(database, "auto_vacuum") == _INCREMENTAL:
                return
            room, needed = shutil.disk_usage(file.parent).free, room_needed(found)
            if room < needed:
                _LOG.warning(
                    "SQLite cannot give room back while it is used, and there is no room to write its file anew, once:"
                    " make %d MB free beside %s (%d MB are), then start the virtual cluster again",
                    *(needed // 2**20 + 1, file, room // 2**20),
                )
                return
            _LOG.warning("Writing %s anew, once, so that it can give room back while it is used", file)
            _write_anew(database, file.parent)
    except sqlite3.Error as error:
        _LOG.warning("SQLite's file stays as it is, and cannot give room back while it is used: %s: %s", file, error)


def room_needed(found: Pages) -> int:
    """The bytes that writing it anew takes: a copy, and the log with all of its pages."""
    return 2 * found.used_bytes


def _write_anew(database: sqlite3.Connection, folder: Path) -> None:
    # the copy beside the file, where there is room, and not in /tmp, which may be memory
    database.execute("PRAGMA temp_store_directory = '{}'".format(str(folder).replace("'", "''")))
    database.execute(f"PRAGMA auto_vacuum = {_INCREMENTAL}")
    database.execute("VACUUM")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _pages(database: sqlite3.Connection) -> Pages:
    names = ("page_size", "page_count", "freelist_count")
    return Pages(*(_value(database, name) for name in names))


def _value(database: sqlite3.Connection, name: str) -> int:
    (found,) = database.execute(f"PRAGMA {name}").fetchone()
    return int(found)


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


@contextlib.contextmanager
def _opened(file: Path, seconds: float) -> Iterator[sqlite3.Connection]:
    """The database, which is not made when there is none; waits so long for locks."""
    address = f"file:{urllib.parse.quote(str(file))}?mode=rw"
    with contextlib.closing(sqlite3.connect(address, uri=True, timeout=seconds, isolation_level=None)) as database:
        yield database
