"""What the processes of a virtual cluster on this machine say of themselves, over loopback."""

from __future__ import annotations

import asyncio
import json
from typing import Final

from nestling.drivers import errors, inspection
from nestling.drivers.local import folder, process

#: The syncer answers from memory; one that does not answer by then is stuck.
SECONDS: Final = 5.0
#: Written by preparation, see ``controlplane.prepare``: named here, since that imports much.
SETTINGS: Final = "syncer.json"


async def ask(place: folder.Folder, path: str) -> bytes:
    """The answer of the syncer process at ``/status``, ``/metrics`` or ``/readyz``; raises ``UserError`` for none."""
    if not process.running(place):
        raise errors.UserError("its processes do not run")
    port = _port(place)
    return await asyncio.to_thread(inspection.get, port, path, whose=f"on port {port}", seconds=SECONDS)


def _port(place: folder.Folder) -> int:
    try:
        return int(json.loads((place.path / SETTINGS).read_text(encoding="utf-8"))["ports"]["health"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise errors.UserError(f"{place.path / SETTINGS} does not name the port of the syncer: {error}") from error
