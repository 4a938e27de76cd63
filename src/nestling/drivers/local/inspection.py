"""What the processes of a virtual cluster on this machine say of themselves, over loopback."""

from __future__ import annotations

import asyncio
import http.client
import json
from typing import Final

from nestling.drivers import errors
from nestling.drivers.local import folder, process

#: The syncer answers from memory; one that does not answer by then is stuck.
SECONDS: Final = 5.0
#: Written by preparation, see ``controlplane.prepare``: named here, since that imports much.
SETTINGS: Final = "syncer.json"


async def ask(place: folder.Folder, path: str) -> bytes:
    """The answer of the syncer process at ``/status``, ``/metrics`` or ``/readyz``; raises ``UserError`` for none."""
    if not process.running(place):
        raise errors.UserError("its processes do not run")
    return await asyncio.to_thread(_get, _port(place), path)


def _port(place: folder.Folder) -> int:
    try:
        return int(json.loads((place.path / SETTINGS).read_text(encoding="utf-8"))["ports"]["health"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise errors.UserError(f"{place.path / SETTINGS} does not name the port of the syncer: {error}") from error


def _get(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise errors.UserError(f"the syncer process does not answer on port {port}: {error}") from error
    finally:
        connection.close()
    # /readyz says 503 with its lines while something is missing, which is an answer.
    if answer.status not in (200, 503):
        raise errors.UserError(f"the syncer process answers {path} with {answer.status} {answer.reason}")
    return body
