"""Everything that helps to find a fault of a virtual cluster on this machine, piece by piece; nothing is changed.

Secrets come first: their values are masked in all that comes after them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from nestling.drivers import base, errors
from nestling.drivers.local import embedded, folder, inspection, process
from nestling.kube import client as kube_client
from nestling.kube import discovery, kubeconfig, resource
from nestling.kube import errors as kube_errors

#: What the original collects by default (spec §7).
HOST_RESOURCES: Final = (
    *("serviceaccounts", "pods", "events", "statefulsets", "networkpolicies", "deployments", "replicasets"),
    *("endpoints", "endpointslices", "services", "ingresses", "configmaps", "persistentvolumeclaims"),
)
VIRTUAL_RESOURCES: Final = (
    *HOST_RESOURCES,
    *("namespaces", "persistentvolumes", "nodes", "ingressclasses", "storageclasses", "priorityclasses"),
    *("runtimeclasses", "customresourcedefinitions", "apiservices"),
)
#: Objects of one resource; a fault shows in fewer.
MOST_OBJECTS: Final = 2000
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
_UNREADABLE: Final = (
    kube_errors.ApiError,
    kube_errors.ConnectionFailed,
    kubeconfig.KubeconfigError,
    errors.UserError,
    OSError,
    ValueError,
    yaml.YAMLError,
)


@dataclasses.dataclass(frozen=True, slots=True)
class _Side:
    """One API server and what of it is wanted."""

    folder: str
    client: kube_client.Client
    namespace: str | None
    resources: Sequence[str]
    served: Sequence[discovery.Served]


async def pieces(
    host: embedded.Embedded, place: folder.Folder, found: folder.Record, wanted: base.Diagnosis
) -> AsyncIterator[base.Piece]:
    """All pieces; what cannot be read is one with the reason."""
    async with contextlib.AsyncExitStack() as stack:
        sides, missing = await _open(_sides(host, place, found, wanted), stack)
        for one in sides:
            for piece in await _or_reason(f"{one.folder}/resources/secrets", _objects(one, "secrets")):
                yield piece
        for piece in [*missing, *(_files(place) if wanted.release else ()), *await _processes(place)]:
            yield piece
        if wanted.logs:
            for piece in (*_logs(place.logs, "logs", LOG_BYTES), *_logs(host.logs, "host/logs", HOST_LOG_BYTES)):
                yield piece
        for one in sides:
            async for piece in _of_side(one, wanted):
                yield piece


async def _open(
    openers: dict[str, Callable[[contextlib.AsyncExitStack], Awaitable[_Side]]], stack: contextlib.AsyncExitStack
) -> tuple[list[_Side], list[base.Piece]]:
    sides: list[_Side] = []
    missing: list[base.Piece] = []
    for name, opener in openers.items():
        try:
            sides.append(await opener(stack))
        except _UNREADABLE as error:
            missing.append(base.Piece(f"{name}.error.txt", f"{error}\n"))
    return sides, missing


def _sides(
    host: embedded.Embedded, place: folder.Folder, found: folder.Record, wanted: base.Diagnosis
) -> dict[str, Callable[[contextlib.AsyncExitStack], Awaitable[_Side]]]:
    async def virtual(stack: contextlib.AsyncExitStack) -> _Side:
        if not process.running(place):
            raise errors.UserError("the processes of the virtual cluster do not run")
        client = await stack.enter_async_context(kube_client.Client(kubeconfig.load([place.admin_kubeconfig])))
        return _Side(
            "virtual", client, None, (*VIRTUAL_RESOURCES, *wanted.virtual_resources), await discovery.served(client)
        )

    async def of_host(stack: contextlib.AsyncExitStack) -> _Side:
        if not host.ready:
            raise errors.UserError("the embedded host does not run")
        client = await stack.enter_async_context(host.client())
        return _Side(
            "host", client, found.namespace, (*HOST_RESOURCES, *wanted.host_resources), await discovery.served(client)
        )

    return {"virtual": virtual, "host": of_host}


async def _of_side(side: _Side, wanted: base.Diagnosis) -> AsyncIterator[base.Piece]:
    if wanted.virtual_info if side.namespace is None else wanted.host_info:
        for piece in await _or_reason(f"{side.folder}/version", _version(side)):
            yield piece
    for name in dict.fromkeys(side.resources):
        for piece in await _or_reason(f"{side.folder}/resources/{name}", _objects(side, name)):
            yield piece
    if wanted.count and side.namespace is None:
        for piece in await _or_reason(f"{side.folder}/objects", _counts(side)):
            yield piece


async def _or_reason(path: str, work: Awaitable[list[base.Piece]]) -> list[base.Piece]:
    try:
        return await work
    except _UNREADABLE as error:
        return [base.Piece(f"{path}.error.txt", f"{error}\n")]


async def _version(side: _Side) -> list[base.Piece]:
    return [base.Piece(f"{side.folder}/version.json", await side.client.version())]


async def _objects(side: _Side, name: str) -> list[base.Piece]:
    found = _chosen(side.served, name)
    if found is None:
        raise errors.UserError(f"the API server has no resource {name}")
    objects = await side.client.list(found, side.namespace if found.namespaced else None)
    if not found.namespaced and side.namespace is not None:
        raise errors.UserError(f"{name} are of the whole host, not of the namespace {side.namespace}")
    base_path = f"{side.folder}/resources/{found.plural}" + (f".{found.group}" if found.group else "")
    made = [base.Piece(f"{base_path}/{_place(one['metadata'])}.yaml", one) for one in objects[:MOST_OBJECTS]]
    if len(objects) > MOST_OBJECTS:
        made.append(base.Piece(f"{base_path}.error.txt", f"{len(objects)} objects; {MOST_OBJECTS} of them are here\n"))
    return made


def _chosen(served: Sequence[discovery.Served], name: str) -> resource.Resource | None:
    """The resource of that name, singular or short name, with or without its group."""
    plural, _, group = name.lower().partition(".")
    for one in served:
        names = {one.resource.plural, one.resource.kind.lower(), *one.short_names}
        if plural in names and group in ("", one.resource.group) and "list" in one.verbs:
            return one.resource
    return None


def _place(metadata: dict[str, Any]) -> str:
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])


async def _counts(side: _Side) -> list[base.Piece]:
    counts: dict[str, int | str] = {}
    for found in discovery.preferred(one for one in side.served if "list" in one.verbs):
        name = f"{found.plural}.{found.group}" if found.group else found.plural
        try:
            counts[name] = len(await side.client.list(found))
        except kube_errors.ApiError as error:
            counts[name] = str(error)
    return [base.Piece(f"{side.folder}/objects.json", counts)]


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
        except _UNREADABLE as error:
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
