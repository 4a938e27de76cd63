"""The process that forwards a port behind the command: started by ``connect``, ended by ``disconnect`` and ``delete``.

One folder for each virtual cluster (``$NESTLING_HOME/forwards/CONTEXT/``) holds what the process was told, its log, and
once it listens its pid and port. A process is ended only when pid *and* start time are those that were recorded.
Standard library only: ``disconnect`` must be fast.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from nestling.controlplane import supervisor_status
from nestling.drivers import errors

SETTINGS: Final = "settings.json"
PROCESS: Final = "process.json"
LOG: Final = "forward.log"
START_SECONDS: Final = 60.0
END_SECONDS: Final = 10.0
_LONGEST: Final = 200


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """What a process forwards; no secret is among it: credentials are read from the kubeconfig."""

    kubeconfigs: tuple[str, ...]
    context: str
    namespace: str
    name: str
    address: str
    port: int
    remote_port: int
    pod: str = ""

    @classmethod
    def read(cls, path: Path) -> Settings:
        """From the file; raises ``OSError``, ``ValueError`` or ``TypeError``."""
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**found, "kubeconfigs": tuple(found["kubeconfigs"])})

    def same_way(self, other: Settings) -> bool:
        """Whether both lead to the same place; a wish for any port is met by every port."""
        port = self.port if other.port == 0 else other.port
        return dataclasses.replace(other, port=port) == self


@dataclasses.dataclass(frozen=True, slots=True)
class Running:
    """A process that listens."""

    process: supervisor_status.Process
    port: int


def folder(home: Path, context: str) -> Path:
    """The folder of one virtual cluster, by the name that its context has by default."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", context).strip(".")
    if plain == context and len(plain) <= _LONGEST:
        return home / "forwards" / plain
    return home / "forwards" / f"{plain[:_LONGEST]}-{hashlib.sha256(context.encode()).hexdigest()[:10]}"


def of_host(home: Path, host_context: str) -> dict[str, Path]:
    """The folders of all virtual clusters on one host, by the names that their contexts have by default."""
    found = {}
    for place in sorted((home / "forwards").glob("*/")):
        known = settings(place)
        if known is not None:
            context = f"vcluster_{known.name}_{known.namespace}_{host_context}"
            if folder(home, context) == place:
                found[context] = place
    return found


def running(place: Path) -> Running | None:
    """The process of a folder, if it lives."""
    try:
        found: dict[str, Any] = json.loads((place / PROCESS).read_text(encoding="utf-8"))
        process = supervisor_status.Process(int(found["pid"]), int(found["start_time"]), str(found["boot_id"]))
        port = int(found["port"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return Running(process, port) if process.alive else None


def announce(place: Path, port: int) -> None:
    """Say that the calling process listens."""
    this = supervisor_status.this_process()
    supervisor_status.replace(place / PROCESS, dataclasses.asdict(this) | {"port": port})


async def ensure(place: Path, wanted: Settings) -> int:
    """The port of a process that forwards as wanted, started if there is none; raises ``UserError``."""
    known = settings(place)
    found = running(place)
    if known is not None and found is not None and known.same_way(wanted):
        return found.port
    await end(place, keep=True)
    if known is not None and wanted.port == 0 and _free(wanted.address, known.port):
        # Kubeconfigs that were written before a reboot are right again.
        wanted = dataclasses.replace(wanted, port=known.port)
    return await _start(place, wanted)


async def _start(place: Path, wanted: Settings) -> int:
    process = _launch(place, wanted)
    deadline = time.monotonic() + START_SECONDS
    while (found := running(place)) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise errors.UserError(f"the process that forwards the port did not start:\n{_tail(place / LOG)}")
        await asyncio.sleep(0.02)
    # It outlives us, so nobody waits for its end: without this, the module warns that nobody did.
    process.returncode = 0
    supervisor_status.replace(place / SETTINGS, dataclasses.asdict(dataclasses.replace(wanted, port=found.port)))
    return found.port


def _launch(place: Path, wanted: Settings) -> subprocess.Popen[bytes]:
    """In a session of its own, so that it outlives this command and its terminal."""
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        supervisor_status.replace(place / SETTINGS, dataclasses.asdict(wanted))
        descriptor = os.open(place / LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise errors.UserError(
            f"cannot write {place}: {error.strerror}; name another folder with NESTLING_HOME=FOLDER"
        ) from error
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "nestling.drivers.helm.forwarder", str(place)],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd="/",
            start_new_session=True,
            umask=0o077,
        )
    finally:
        os.close(descriptor)


async def end(place: Path, *, keep: bool = False) -> bool:
    """End the process of a folder and remove the folder; tells whether one ran. Raises ``UserError`` if it stays."""
    found = running(place)
    if found is not None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            _signal(found.process, number)
            await _gone(found.process, END_SECONDS)
        if found.process.alive:
            raise errors.UserError(
                f"the process {found.process.pid}, which forwards a port, does not end; end it, then repeat the command"
            )
    if not keep:
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
        with contextlib.suppress(OSError):
            # Only when it was the last one.
            place.parent.rmdir()
    return found is not None


async def _gone(process: supervisor_status.Process, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not process.alive:
            return
        await asyncio.sleep(0.02)


def _signal(process: supervisor_status.Process, number: signal.Signals) -> None:
    """Through a file descriptor, which cannot come to mean another process while we look."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(process.pid)
        try:
            if process.alive:
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def settings(place: Path) -> Settings | None:
    """What the process of a folder was last told; None when there was none."""
    try:
        return Settings.read(place / SETTINGS)
    except (OSError, ValueError, TypeError, LookupError):
        return None


def _free(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def _tail(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
    except OSError as error:
        return f"  (no log: {path}: {error.strerror})"
    return "\n".join(f"  {line}" for line in lines) or f"  ({path} is empty)"
