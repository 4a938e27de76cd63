"""One command at a time works on an embedded host; the others wait."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator
from pathlib import Path

from nestling.local import errors, report

_SECONDS = 900.0
_POLL_SECONDS = 0.1


@contextlib.asynccontextmanager
async def hold(path: Path, reporter: report.Reporter, *, what: str) -> AsyncIterator[None]:
    """Hold the lock file while the block runs; raises `HostError` when another command does not end."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = _take(path)
    if descriptor is None:
        with reporter.step(f"Waiting for another command that works on {what}"):
            descriptor = await _wait(path, what)
    try:
        yield
    finally:
        _release(path, descriptor)


async def _wait(path: Path, what: str) -> int:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS):
            while True:
                await asyncio.sleep(_POLL_SECONDS)
                if (descriptor := _take(path)) is not None:
                    return descriptor
    raise errors.HostError(f"another command has worked on {what} for {_SECONDS / 60:.0f} minutes; end it, then repeat")


def _release(path: Path, descriptor: int) -> None:
    path.unlink(missing_ok=True)
    os.close(descriptor)


def _take(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its last holder may have removed the file since we opened it: then what we hold locks nothing.
        if path.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None
