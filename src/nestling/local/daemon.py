"""The supervisor of an embedded host as a background process: start it, wait for it, stop it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from nestling.controlplane import log_hints, supervisor_process, supervisor_status
from nestling.local import errors

READY_SECONDS = 180.0
_POLL_SECONDS = 0.05
_HOPELESS_RESTARTS = 5
_KILL_SECONDS = 15.0


def start(plan_file: Path) -> None:
    """Start a supervisor in the background; raises `HostError` with its own words when it refuses."""
    result = subprocess.run(
        [sys.executable, "-m", "nestling.controlplane.supervisor", "--detach", str(plan_file)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        reason = result.stderr.strip() or f"exit code {result.returncode}"
        raise errors.HostError(f"the supervisor of the embedded host did not start: {reason}")


async def wait_ready(
    folder: Path, *, progress: Callable[[str], None], part: str | None = None, seconds: float = READY_SECONDS
) -> None:
    """Wait until every part, or the one named, is ready, telling each that becomes so.

    Raises `HostError` when that is hopeless.
    """
    deadline = time.monotonic() + seconds
    told: set[str] = set()
    before: dict[str, int] | None = None
    while True:
        # In this order: the status of a supervisor that lives is its own, see supervisor_status.announce.
        alive = supervisor_status.supervisor(folder) is not None
        status = supervisor_status.read(folder)
        if alive and status is not None and status.state == "running":
            ready = {name for name, component in status.components.items() if component.ready}
            for name in sorted(ready - told):
                progress(name)
            told |= ready
            if status.ready or part in ready:
                return
            if before is None:
                # What a host went through in earlier days says nothing about now.
                before = {name: component.restarts for name, component in status.components.items()}
            _raise_if_hopeless(folder, status, before)
        if time.monotonic() > deadline:
            raise errors.HostError(f"the embedded host is not ready after {seconds:.0f} s: {describe(folder, status)}")
        if not alive and told:
            raise errors.HostError(f"the supervisor of the embedded host ended; see {folder / 'supervisor.log'}")
        await asyncio.sleep(_POLL_SECONDS)


async def stop(folder: Path) -> bool:
    """End the supervisor and all its processes; False when none ran. Raises `HostError` when one cannot be ended."""
    process = supervisor_status.supervisor(folder)
    status = supervisor_status.read(folder)
    if process is not None:
        # A file descriptor keeps meaning this process, whatever happens to the number.
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(process.pid)
            try:
                if process.alive:
                    signal.pidfd_send_signal(descriptor, signal.SIGTERM)
                    if not await _until(lambda: not process.alive, _patience(status)):
                        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            finally:
                os.close(descriptor)
        if not await _until(lambda: not process.alive, _KILL_SECONDS):
            raise errors.HostError(f"the supervisor (pid {process.pid}) does not end; end it, then repeat the command")
    await end_leftovers(folder)
    return process is not None


async def end_leftovers(folder: Path) -> None:
    """Make sure that nothing of a supervisor that is gone still holds ports and files."""
    if supervisor_status.supervisor(folder) is not None:
        return
    status = supervisor_status.read(folder)
    supervisor_process.kill_leftovers(status)
    if not await _until(lambda: not _survivors(status), _KILL_SECONDS):
        left = ", ".join(_survivors(status))
        raise errors.HostError(
            f"old processes of the embedded host do not end: {left}; end them and repeat the command"
        )


def describe(folder: Path, status: supervisor_status.Status | None) -> str:
    """What is not well, part by part, and where to read more."""
    if status is None:
        return f"no status yet, see {folder / 'supervisor.log'}"
    lines = [_part(folder, name, part) for name, part in status.components.items() if not part.ready]
    return "; ".join(lines) or "all parts are ready"


def _part(folder: Path, name: str, part: supervisor_status.ComponentStatus) -> str:
    log = folder / "logs" / f"{name}.log"
    meaning = f": {found}" if (found := log_hints.of_file(log)) else ""
    return f"{name} is {part.state}{f' ({part.message})' if part.message else ''}{meaning}, log: {log}"


def _raise_if_hopeless(folder: Path, status: supervisor_status.Status, before: Mapping[str, int]) -> None:
    failing = [
        name
        for name, part in status.components.items()
        if part.restarts - before.get(name, 0) >= _HOPELESS_RESTARTS and not part.ready
    ]
    if failing:
        raise errors.HostError(f"the embedded host does not come up: {describe(folder, status)}")


def _survivors(status: supervisor_status.Status | None) -> list[str]:
    return [
        f"{name} (pid {part.pid})"
        for name, part in (status.components if status else {}).items()
        if part.pid and part.start_time and supervisor_status.start_time(part.pid) == part.start_time
    ]


def _patience(status: supervisor_status.Status | None) -> float:
    # Each part has its own deadline in the plan; their sum is below this.
    return 10.0 + 8.0 * len(status.components if status else ())


async def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True
