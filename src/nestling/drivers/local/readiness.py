"""Waiting until the API of a virtual cluster on this machine is usable.

A failure is told with the last lines of the log that explains it: the reader should not have to search.
"""

from __future__ import annotations

import asyncio
import subprocess
import time
from typing import Final

from nestling.controlplane import log_hints, supervisor_status
from nestling.drivers import default_account, errors
from nestling.drivers.local import folder, status
from nestling.drivers.local import process as process_module
from nestling.kube import client as kube_client
from nestling.kube import kubeconfig

READY_SECONDS: Final = 120.0
#: A component that was restarted so often will not become ready by waiting.
HOPELESS_RESTARTS: Final = 4


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
        give_up_if_hopeless(place, found, process=process, expired=time.monotonic() > deadline)
        await asyncio.sleep(0.03)
    config = kubeconfig.load([place.admin_kubeconfig])
    async with kube_client.Client(config) as client:
        while not await default_account.ensure(client):
            give_up_if_hopeless(place, found, process=process, expired=time.monotonic() > deadline)
            await asyncio.sleep(0.05)


def api_ready(place: folder.Folder) -> bool:
    """What the supervisor that runs now says of the API server."""
    if not process_module.running(place):
        return False
    current = supervisor_status.read(place.path)
    return current is not None and status.API in current.components and current.components[status.API].ready


def give_up_if_hopeless(
    place: folder.Folder, found: folder.Record, *, process: subprocess.Popen[bytes] | None, expired: bool
) -> None:
    """Raise ``UserError`` if waiting makes no sense: the process ended, a part ends again and again, time is up."""
    name = found.name
    if process is not None and process.poll() is not None:
        raise errors.UserError(
            f"the control plane of {name} ended with exit code {process.returncode} before it was ready:\n"
            + status.tail(place.logs / process_module.START_LOG)
        )
    current = supervisor_status.read(place.path) if process_module.running(place) else None
    parts = {} if current is None else current.components
    for component, part in parts.items():
        if part.restarts >= HOPELESS_RESTARTS and not part.ready:
            log = status.log_of(place, component)
            meaning = f": {hint}" if (hint := log_hints.of_file(log)) else ""
            raise errors.UserError(
                f"{component} of {name} ends again and again ({part.last_exit or part.state}){meaning}\n"
                + status.tail(log)
            )
    if expired:
        waiting = [component for component, part in parts.items() if not part.ready]
        log = status.log_of(place, waiting[0]) if waiting else place.logs / process_module.START_LOG
        raise errors.UserError(
            f"the control plane of {name} is not ready in time; waiting for "
            f"{', '.join(waiting) or 'its start'}:\n{status.tail(log)}"
        )
