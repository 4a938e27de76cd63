"""Room that the store no longer needs goes back to the disk while it runs (user lesson 4).

Old revisions are deleted by the API server, which compacts the store every five minutes, etcd and kine alike. Neither
gives the room back: it is kept for what is written later. Here is decided when that is too much, and how it goes.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, ParamSpec, Protocol, TypeVar

import msgspec

from nestling.controlplane import etcd
from nestling.kube import client as client_module
from nestling.kube import errors, requests

if TYPE_CHECKING:
    from nestling.controlplane import sqlite_file

_P = ParamSpec("_P")
_T = TypeVar("_T")
_MB: Final = 2**20
#: etcd answers nobody while it writes its file anew, which takes a second for each 100 MB or so in use: less than this
#: is not worth it, and not more often than that (seconds).
_WORTH: Final = 64 * _MB
_QUIET: Final = 3600.0
#: From this size on somebody is told that the store is almost full (docs/observability.md).
_TIGHT: Final = 0.8 * etcd.QUOTA_BYTES
#: What SQLite keeps for the next writes at least; else a quarter of what is in use.
_RESERVE: Final = 8 * _MB
#: Pages of 4 KB each time, for which kine's writers wait some hundredths of a second.
_STEP: Final = 512
#: Steps of one turn, as many as 400 MB; the rest is for the next one.
_STEPS: Final = 200
#: Between two steps kine has this many times as long as a step takes, and at least so many seconds.
_SHARE: Final = 3.0
_SHORTEST: Final = 0.02
#: A log (WAL) of this size is emptied even when the file gives nothing back: it never shrinks by itself either.
_LARGE_LOG: Final = 16 * _MB
_HEADERS: Final = {"Content-Type": "application/json", "Accept": "application/json"}
_STATUS: Final = requests.Request("POST", "/v3/maintenance/status", {}, _HEADERS, b"{}")
_DEFRAGMENT: Final = requests.Request("POST", "/v3/maintenance/defragment", {}, _HEADERS, b"{}")
_LOG: Final = logging.getLogger(__name__)


class UnavailableError(Exception):
    """The store cannot be measured or worked on now; the text says why."""


class Size(NamedTuple):
    """Bytes on disk, and those of them that hold data."""

    size: int
    used: int


class Store(Protocol):
    """A store beside the API server."""

    async def measure(self) -> Size:
        """How large it is; raises :class:`UnavailableError`."""

    async def give_back(self, found: Size) -> bool:
        """Shorten the file if that is worth it; returns whether it was done. Raises as ``measure``."""


def defragment_is_due(found: Size, *, room: int, quiet_seconds: float | None) -> bool:
    """Whether etcd should write its file anew: much of it is free, the disk has room (bytes) for both files, and it has
    not been done for a while (None: never).

    Much is half of the file; near the quota, where writes are refused soon, what is worth it at all.
    """
    free = found.size - found.used
    enough = _WORTH if found.size > _TIGHT else max(_WORTH, found.used)
    is_rested = quiet_seconds is None or quiet_seconds >= _QUIET
    return is_rested and free > enough and room > found.used


def spare_pages(pages: sqlite_file.Pages) -> int:
    """How many free pages SQLite need not keep; none when it is too few for a step."""
    reserve = max(_RESERVE, pages.used_bytes // 4) // pages.size
    spare = pages.free - reserve
    return spare if spare >= _STEP else 0


class Etcd:
    """The member of etcd beside the API server."""

    def __init__(self, member: client_module.Client, data_dir: Path) -> None:
        self._member = member
        self._data_dir = data_dir
        self._last: float | None = None

    async def measure(self) -> Size:
        """As the member says it."""
        try:
            found = msgspec.json.decode(await self._member.send(_STATUS), type=dict[str, object])
            size = int(str(found["dbSize"]))
            return Size(size, int(str(found.get("dbSizeInUse", size))))
        except (errors.ApiError, errors.ConnectionFailed) as error:
            raise UnavailableError(str(error)) from error
        except (msgspec.DecodeError, KeyError, ValueError) as error:
            raise UnavailableError(f"this is no status of etcd: {error}") from error

    async def give_back(self, found: Size) -> bool:
        """Defragment. A try counts, too: what fails once need not stop the API each minute."""
        room = (await asyncio.to_thread(shutil.disk_usage, self._data_dir)).free
        quiet = None if self._last is None else time.monotonic() - self._last
        if not defragment_is_due(found, room=room, quiet_seconds=quiet):
            return False
        _LOG.info("defragmenting etcd: %d of %d MB are free", (found.size - found.used) // _MB, found.size // _MB)
        self._last = time.monotonic()
        try:
            await self._member.send(_DEFRAGMENT)
        except (errors.ApiError, errors.ConnectionFailed) as error:
            _LOG.warning("etcd was not defragmented: %s", error)
            return False
        return True


class Sqlite:
    """kine's own file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._wal = file.with_name(f"{file.name}-wal")

    async def measure(self) -> Size:
        """Its files, and the pages that are in use."""
        size = await asyncio.to_thread(lambda: sum(map(_size, (self._file, self._wal))))
        return Size(size, (await self._pages()).used_bytes if size else 0)

    async def give_back(self, found: Size) -> bool:
        """In small steps with pauses, so that kine, which has one writer at a time, hardly notices."""
        from nestling.controlplane import sqlite_file

        if not found.size:
            return False
        spare, given = spare_pages(await self._pages()), 0
        for _ in range(_STEPS):
            started = time.monotonic()
            wanted = min(_STEP, spare - given)
            step = await _or_unavailable(sqlite_file.give_back, self._file, wanted) if wanted > 0 else 0
            if not step:
                break
            given += step
            await asyncio.sleep(max(_SHORTEST, _SHARE * (time.monotonic() - started)))
        if given or await asyncio.to_thread(_size, self._wal) > _LARGE_LOG:
            await _or_unavailable(sqlite_file.checkpoint, self._file)
        return given > 0

    async def _pages(self) -> sqlite_file.Pages:
        from nestling.controlplane import sqlite_file

        return await _or_unavailable(sqlite_file.pages, self._file)


async def _or_unavailable(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """In a thread: the disk may be slow."""
    import sqlite3

    try:
        return await asyncio.to_thread(work, *args, **kwargs)
    except sqlite3.Error as error:
        raise UnavailableError(f"SQLite: {error}") from error


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
