"""The files that a supervisor leaves for others: its lock, `supervisor.json` (who runs) and `status.json` (how it is).

Readers use this module too. A supervisor that was killed leaves both files behind: what counts is whether a process
with that pid *and* that start time lives, so that a pid that was given to somebody else after a reboot misleads nobody.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

State = Literal["waiting", "starting", "running", "unready", "backoff", "stopping", "stopped", "done", "failed"]

LOCK = "supervisor.lock"
SUPERVISOR = "supervisor.json"
STATUS = "status.json"
LOG = "supervisor.log"


class AlreadyRunningError(Exception):
    """Another supervisor holds the state folder; `.pid` is its process."""

    def __init__(self, state_dir: Path, pid: str) -> None:
        super().__init__(f"a supervisor already runs in {state_dir} (pid {pid})")
        self.pid = pid


@dataclass(slots=True)
class ComponentStatus:
    """How one component is doing."""

    state: State = "waiting"
    pid: int | None = None
    start_time: int | None = None
    """Start time of the process in clock ticks since boot: with the pid it names a process beyond doubt."""
    ready: bool = False
    restarts: int = 0
    since: str = ""
    last_exit: str | None = None
    message: str = ""


@dataclass(slots=True)
class Status:
    """How a supervisor and its components are doing."""

    name: str
    state: Literal["running", "stopping", "stopped", "failed"] = "running"
    ready: bool = False
    updated: str = ""
    message: str = ""
    components: dict[str, ComponentStatus] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Process:
    """A process named beyond doubt."""

    pid: int
    start_time: int
    boot_id: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        return self.boot_id == boot_id() and start_time(self.pid) == self.start_time


def this_process() -> Process:
    """The calling process."""
    return Process(os.getpid(), start_time(os.getpid()) or 0, boot_id())


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None when there is none or it is a zombie."""
    try:
        # The command name, in parentheses, may hold spaces and parentheses itself.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def boot_id() -> str:
    """What tells this boot of the machine from others; empty where the kernel does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def lock(state_dir: Path) -> int:
    """Take the folder for this process and its forks; raises `AlreadyRunningError`. The lock ends with the process."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(state_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(descriptor, 32, 0).decode().strip() or "unknown"
        os.close(descriptor)
        raise AlreadyRunningError(state_dir, pid) from None
    return descriptor


def announce(state_dir: Path, lock_descriptor: int, plan_file: Path) -> None:
    """Write who runs: call this in the process that will supervise.

    The status of an earlier supervisor goes first: who finds this one alive must not take that status for its own.
    """
    (state_dir / STATUS).unlink(missing_ok=True)
    process = this_process()
    os.ftruncate(lock_descriptor, 0)
    os.pwrite(lock_descriptor, f"{process.pid}\n".encode(), 0)
    replace(state_dir / SUPERVISOR, dataclasses.asdict(process) | {"plan": str(plan_file)})


def supervisor(state_dir: Path) -> Process | None:
    """The supervisor that runs in this folder; None when there is none, whatever was left behind."""
    values = _read(state_dir / SUPERVISOR)
    try:
        process = Process(values["pid"], values["start_time"], values["boot_id"])
    except KeyError:
        return None
    return process if process.alive else None


def read(state_dir: Path) -> Status | None:
    """The last status written; ask `supervisor` whether it is still true."""
    values = _read(state_dir / STATUS)
    try:
        parts = {name: ComponentStatus(**part) for name, part in values.pop("components").items()}
        return Status(components=parts, **values)
    except (KeyError, TypeError, AttributeError):
        return None


def write(state_dir: Path, status: Status) -> None:
    """Replace `status.json` atomically."""
    replace(state_dir / STATUS, dataclasses.asdict(status))


def replace(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file, so that a reader sees the old or the new content and never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
