"""Starting and ending the processes of a virtual cluster on this machine.

A process is ended only when its pid *and* its start time are those that were recorded, or when its environment names
the virtual cluster's
folder: a pid alone may belong to somebody else by now.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from nestling.controlplane import supervisor_status
from nestling.drivers import errors
from nestling.drivers.local import folder as folder_module

#: Set for every process of a virtual cluster, so that none is ever lost sight of.
MARK: Final = "NESTLING_CLUSTER_FOLDER"
START_LOG: Final = "start.log"


def start_command(plan: Path) -> list[str]:
    """The command line of the supervisor; it holds no secret."""
    return [sys.executable, "-m", "nestling.controlplane.supervisor", str(plan)]


def start(folder: folder_module.Folder, plan: Path) -> subprocess.Popen[bytes]:
    """Start the control plane in a session of its own, so that it outlives this command and its terminal."""
    with folder_module.os_refusals(folder.logs):
        folder.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder.logs / START_LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            start_command(plan),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd=folder.path,
            env={**os.environ, MARK: str(folder.path)},
            start_new_session=True,
            umask=0o077,
        )
    finally:
        os.close(descriptor)


def running(folder: folder_module.Folder) -> bool:
    """Whether the supervisor of this folder lives."""
    return supervisor_status.supervisor(folder.path) is not None


def ours(folder: folder_module.Folder) -> dict[int, int]:
    """All processes of this virtual cluster: pid and start time. Those whose environment names the folder, and their
    descendants."""
    found: dict[int, int] = {}
    mark = f"{MARK}={folder.path}".encode()
    parents: dict[int, list[int]] = {}
    roots = []
    for pid in _pids():
        parents.setdefault(_parent(pid), []).append(pid)
        if mark in _environment(pid):
            roots.append(pid)
    supervisor = supervisor_status.supervisor(folder.path)
    pending = [*roots, *([supervisor.pid] if supervisor else [])]
    while pending:
        pid = pending.pop()
        started = supervisor_status.start_time(pid)
        if pid not in found and pid != os.getpid() and started is not None:
            found[pid] = started
            pending += parents.get(pid, [])
    return found


async def stop(folder: folder_module.Folder, *, seconds: float) -> None:
    """End everything: ask the supervisor, give it ``seconds``, then kill what is left. Raises if something survives."""
    processes = ours(folder)
    supervisor = supervisor_status.supervisor(folder.path)
    if supervisor is not None and seconds > 0:
        _signal(supervisor.pid, supervisor.start_time, signal.SIGTERM)
        await _gone(processes, seconds)
    # Twice: what was started between looking and killing is found by the second look.
    for _ in range(2):
        processes |= ours(folder)
        for pid, started in processes.items():
            _signal(pid, started, signal.SIGKILL)
        await _gone(processes, 10)
    left = _alive(processes)
    if left:
        pids = ", ".join(str(pid) for pid in left)
        raise errors.UserError(
            f"the processes {pids} of this virtual cluster do not end; end them, then repeat the command"
        )


async def _gone(processes: dict[int, int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not _alive(processes):
            return
        await asyncio.sleep(0.02)


def _alive(processes: dict[int, int]) -> list[int]:
    return [pid for pid, started in processes.items() if supervisor_status.start_time(pid) == started]


def _signal(pid: int, started: int, number: signal.Signals) -> None:
    """Signal a process through a file descriptor, which cannot come to mean another process while we look."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            if supervisor_status.start_time(pid) == started:
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def _pids() -> Iterable[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]  # noqa: PTH208  names only, many of them


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def _environment(pid: int) -> Sequence[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ()
