"""Everything that helps to find a fault of a virtual cluster on this machine, piece by piece; nothing is changed.

Secrets come first: their values are masked in all that comes after them.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import yaml

from nestling.drivers import base, errors, sides
from nestling.drivers.local import embedded, folder, inspection, process
from nestling.kube import client as kube_client
from nestling.kube import kubeconfig

LOG_BYTES: Final = 2 << 20
HOST_LOG_BYTES: Final = 512 << 10
#: What the processes of a virtual cluster read and write, by its place in the archive.
FILES: Final = {
    "release/record.json": folder.RECORD,
    "release/user-values.yaml": "user-values.yaml",
    "release/values.yaml": "values.yaml",
    "release/plan.json": "plan.json",
    "release/syncer.json": inspection.SETTINGS,
    "status/supervisor.json": "status.json",
}


async def pieces(
    host: embedded.Embedded, place: folder.Folder, found: folder.Record, wanted: base.Diagnosis
) -> AsyncIterator[base.Piece]:
    """All pieces; what cannot be read is one with the reason."""
    async with contextlib.AsyncExitStack() as stack:
        opened, missing = await sides.open_all(_sides(host, place, found, wanted), stack)
        for one in opened:
            for piece in await sides.or_reason(f"{one.folder}/resources/secrets", sides.objects(one, "secrets")):
                yield piece
        for piece in [*missing, *(_files(place) if wanted.release else ()), *await _processes(place)]:
            yield piece
        if wanted.logs:
            for piece in (*_logs(place.logs, "logs", LOG_BYTES), *_logs(host.logs, "host/logs", HOST_LOG_BYTES)):
                yield piece
        for one in opened:
            async for piece in sides.pieces_of(one, wanted):
                yield piece


def _sides(
    host: embedded.Embedded, place: folder.Folder, found: folder.Record, wanted: base.Diagnosis
) -> dict[str, sides.Opener]:
    async def virtual(stack: contextlib.AsyncExitStack) -> sides.Side:
        if not process.running(place):
            raise errors.UserError("the processes of the virtual cluster do not run")
        client = await stack.enter_async_context(kube_client.Client(kubeconfig.load([place.admin_kubeconfig])))
        return await sides.side_of(client, wanted, namespace=None)

    async def of_host(stack: contextlib.AsyncExitStack) -> sides.Side:
        if not host.ready:
            raise errors.UserError("the embedded host does not run")
        client = await stack.enter_async_context(host.client())
        return await sides.side_of(client, wanted, namespace=found.namespace)

    return {"virtual": virtual, "host": of_host}


def _files(place: folder.Folder) -> Iterator[base.Piece]:
    for path, name in FILES.items():
        try:
            text = (place.path / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            yield base.Piece(f"{path}.error.txt", f"{error}\n")
            continue
        try:
            content = json.loads(text) if path.endswith(".json") else yaml.safe_load(text)
        except (ValueError, yaml.YAMLError):
            content = None
        yield base.Piece(path, content if isinstance(content, dict) else text)


async def _processes(place: folder.Folder) -> list[base.Piece]:
    found = []
    for path, name in (("/status", "syncer.json"), ("/metrics", "metrics.txt"), ("/readyz", "readyz.txt")):
        try:
            answer = await inspection.ask(place, path)
            content = json.loads(answer) if name.endswith(".json") else answer.decode(errors="replace")
        except sides.UNREADABLE as error:
            found.append(base.Piece(f"status/{name}.error.txt", f"{error}\n"))
        else:
            found.append(base.Piece(f"status/{name}", content))
    return found


def _logs(place: Path, folder_name: str, most: int) -> Iterator[base.Piece]:
    """The ends of the logs; an audit log says what everybody did, and is not for others."""
    for file in sorted(place.glob("*")) if place.is_dir() else []:
        if not file.is_file() or file.name.startswith("audit"):
            continue
        try:
            with file.open("rb") as stream:
                stream.seek(max(0, file.stat().st_size - most))
                text = stream.read(most).decode(errors="replace")
        except OSError as error:
            yield base.Piece(f"{folder_name}/{file.name}.error.txt", f"{error}\n")
        else:
            yield base.Piece(f"{folder_name}/{file.name}", text)
