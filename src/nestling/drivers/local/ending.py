"""The end of all virtual clusters of one host: it goes with everything that they have on it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator

from nestling.controlplane import supervisor_status
from nestling.drivers import base
from nestling.drivers.local import folder, process


@contextlib.asynccontextmanager
async def ended(clusters: folder.Clusters, reporter: base.Reporter) -> AsyncIterator[None]:
    """No process of theirs runs while the context is open, in which the host goes; afterwards their folders go.

    When the host stays, so do the folders, marked as half deleted: ``delete`` or a second try finishes the work.

    Raises:
        errors.UserError: another command works on one of them, or a process does not end.
    """
    places = clusters.places()
    with contextlib.ExitStack() as locks:
        for namespace in sorted({place.path.parent.name for place in places}):
            locks.enter_context(clusters.locked(namespace))
        for place in places:
            with reporter.step(f"Ending the virtual cluster {place.path.name}"):
                _mark(place)
                await process.stop(place, seconds=0)
        yield
        for place in places:
            await asyncio.to_thread(place.remove)


def _mark(place: folder.Folder) -> None:
    found = place.read()
    if found is not None and found.phase != "deleting":
        this = supervisor_status.this_process()
        place.write(dataclasses.replace(found, phase="deleting", owner=(this.pid, this.start_time, this.boot_id)))
