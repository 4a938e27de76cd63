"""How a virtual cluster on this machine is doing, and waiting until its API is usable.

A failure is told with the last lines of the log that explains it: the reader should not have to search.
"""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path
from typing import Final

from nestling.controlplane import plan, supervisor_status
from nestling.drivers import errors
from nestling.drivers.local import folder
from nestling.drivers.local import process as process_module
from nestling.kube import client as kube_client
from nestling.kube import errors as kube_errors
from nestling.kube import kubeconfig, resource

API: Final = "kube-apiserver"
READY_SECONDS: Final = 120.0
#: A component that was restarted so often will not become ready by waiting.
HOPELESS_RESTARTS: Final = 4
LOG_LINES: Final = 12


def status(place: folder.Folder, found: folder.Record) -> tuple[str, str]:
    """The status as ``list`` shows it, and what is to be said about it."""
    if found.phase == "creating":
        return ("Pending", "is being created") if found.owner_alive else ("Failed", "its creation was interrupted")
    if found.phase == "deleting":
        return ("Terminating", "is being deleted") if found.owner_alive else ("Failed", "its deletion was interrupted")
    if found.phase == "paused":
        return "Paused", ""
    if not process_module.running(place):
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


async def wait_usable(
    place: folder.Folder,
    found: folder.Record,
    *,
    process: subprocess.Popen[bytes] | None,
    seconds: float = READY_SECONDS,
) -> None:
    """Wait until the API server answers an administrator; raises ``UserError`` with the log when it never will."""
    deadline = time.monotonic() + seconds
    while not api_ready(place):
        _give_up_if_hopeless(place, found, process, expired=time.monotonic() > deadline)
        await asyncio.sleep(0.03)
    config = kubeconfig.load([place.admin_kubeconfig])
    async with kube_client.Client(config) as client:
        while not await _answers(client):
            _give_up_if_hopeless(place, found, process, expired=time.monotonic() > deadline)
            await asyncio.sleep(0.05)


def api_ready(place: folder.Folder) -> bool:
    """What the supervisor that runs now says of the API server."""
    if not process_module.running(place):
        return False
    current = supervisor_status.read(place.path)
    return current is not None and API in current.components and current.components[API].ready


async def _answers(client: kube_client.Client) -> bool:
    """The namespace ``default`` is made by the API server itself soon after its start: until then nothing can be
    created."""
    try:
        await client.get(resource.NAMESPACES, "default")
    except (kube_errors.ApiError, kube_errors.ConnectionFailed):
        return False
    return True


def _give_up_if_hopeless(
    place: folder.Folder, found: folder.Record, process: subprocess.Popen[bytes] | None, *, expired: bool
) -> None:
    name = found.name
    if process is not None and process.poll() is not None:
        raise errors.UserError(
            f"the control plane of {name} ended with exit code {process.returncode} before it was ready:\n"
            + tail(place.logs / process_module.START_LOG)
        )
    current = supervisor_status.read(place.path) if process_module.running(place) else None
    parts = {} if current is None else current.components
    for component, part in parts.items():
        if part.restarts >= HOPELESS_RESTARTS and not part.ready:
            raise errors.UserError(
                f"{component} of {name} ends again and again ({part.last_exit or part.state}):\n"
                + tail(log_of(place, component))
            )
    if expired:
        waiting = [component for component, part in parts.items() if not part.ready]
        log = log_of(place, waiting[0]) if waiting else place.logs / process_module.START_LOG
        raise errors.UserError(
            f"the control plane of {name} is not ready after {READY_SECONDS:.0f} s; waiting for "
            f"{', '.join(waiting) or 'its start'}:\n{tail(log)}"
        )


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
