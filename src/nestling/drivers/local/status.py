"""How a virtual cluster on this machine is doing, told from its files: fast, and without asking any API."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from nestling.controlplane import plan, supervisor_status
from nestling.drivers.local import folder, process

API: Final = "kube-apiserver"
LOG_LINES: Final = 12


def of(place: folder.Folder, found: folder.Record) -> tuple[str, str]:
    """The status as ``list`` shows it, and what is to be said about it."""
    if found.phase == "creating":
        return ("Pending", "is being created") if found.owner_alive else ("Failed", "its creation was interrupted")
    if found.phase == "deleting":
        return ("Terminating", "is being deleted") if found.owner_alive else ("Failed", "its deletion was interrupted")
    if not process.running(place):
        if found.phase == "paused":
            return "Paused", ""
        return "ScaledDown", "its processes do not run; connect or resume starts them"
    current = supervisor_status.read(place.path)
    if current is None:
        return "Pending", "is starting"
    detail = "; ".join(
        f"{name} is {part.state}" + (f" ({part.last_exit})" if part.last_exit else "")
        for name, part in current.components.items()
        if not part.ready
    )
    ready = current.components.get(API, supervisor_status.ComponentStatus()).ready
    return ("Running" if ready else "Pending"), detail


def log_of(place: folder.Folder, component: str) -> Path:
    """The log file of a component."""
    try:
        parts = plan.load(place.path / "plan.json").components
    except plan.PlanError:
        parts = ()
    named = next((part.log_file for part in parts if part.name == component and part.log_file), None)
    return Path(named) if named else place.logs / f"{component}.log"


def tail(path: Path, lines: int = LOG_LINES) -> str:
    """The last lines of a log with its path, indented for a message."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 64 * 1024))
            found = file.read().decode(errors="replace").splitlines()[-lines:]
    except OSError as error:
        return f"  (no log: {path}: {error.strerror})"
    return "\n".join(f"  {line}" for line in [*found, f"(last lines of {path})"])
