"""The objects of both sides of a virtual cluster for a diagnosis, from their API servers; nothing is changed."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final

import yaml

from nestling.drivers import base, errors
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
UNREADABLE: Final = (
    kube_errors.ApiError,
    kube_errors.ConnectionFailed,
    kubeconfig.KubeconfigError,
    errors.UserError,
    OSError,
    ValueError,
    yaml.YAMLError,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """One API server and what of it is wanted."""

    folder: str
    client: kube_client.Client
    namespace: str | None
    resources: Sequence[str]
    served: Sequence[discovery.Served]


Opener = Callable[[contextlib.AsyncExitStack], Awaitable[Side]]


async def side_of(client: kube_client.Client, wanted: base.Diagnosis, *, namespace: str | None) -> Side:
    """The host's namespace, or with None the virtual cluster."""
    name, usual, more = (
        ("virtual", VIRTUAL_RESOURCES, wanted.virtual_resources)
        if namespace is None
        else ("host", HOST_RESOURCES, wanted.host_resources)
    )
    return Side(name, client, namespace, (*usual, *more), await discovery.served(client))


async def open_all(openers: dict[str, Opener], stack: contextlib.AsyncExitStack) -> tuple[list[Side], list[base.Piece]]:
    """The sides that can be asked, and for each other one a piece with the reason."""
    sides: list[Side] = []
    missing: list[base.Piece] = []
    for name, opener in openers.items():
        try:
            sides.append(await opener(stack))
        except UNREADABLE as error:
            missing.append(base.Piece(f"{name}.error.txt", f"{error}\n"))
    return sides, missing


async def pieces_of(side: Side, wanted: base.Diagnosis) -> AsyncIterator[base.Piece]:
    """Version, objects and numbers of objects of one side."""
    if wanted.virtual_info if side.namespace is None else wanted.host_info:
        for piece in await or_reason(f"{side.folder}/version", _version(side)):
            yield piece
    for name in dict.fromkeys(side.resources):
        for piece in await or_reason(f"{side.folder}/resources/{name}", objects(side, name)):
            yield piece
    if wanted.count and side.namespace is None:
        for piece in await or_reason(f"{side.folder}/objects", _counts(side)):
            yield piece


async def or_reason(path: str, work: Awaitable[list[base.Piece]]) -> list[base.Piece]:
    """The pieces, or one that says why there are none."""
    try:
        return await work
    except UNREADABLE as error:
        return [base.Piece(f"{path}.error.txt", f"{error}\n")]


async def _version(side: Side) -> list[base.Piece]:
    return [base.Piece(f"{side.folder}/version.json", await side.client.version())]


async def objects(side: Side, name: str) -> list[base.Piece]:
    """The objects of one resource; raises one of ``UNREADABLE``."""
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


async def _counts(side: Side) -> list[base.Piece]:
    counts: dict[str, int | str] = {}
    for found in discovery.preferred(one for one in side.served if "list" in one.verbs):
        name = f"{found.plural}.{found.group}" if found.group else found.plural
        try:
            counts[name] = len(await side.client.list(found))
        except kube_errors.ApiError as error:
            counts[name] = str(error)
    return [base.Piece(f"{side.folder}/objects.json", counts)]
