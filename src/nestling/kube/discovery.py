"""Which resources an API server serves.

Aggregated discovery tells everything in two requests; a server without it (or a proxy in front that drops the header)
is asked group by group. An aggregated API whose backend is down is left out, as kubectl leaves it out.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from nestling.kube import errors, requests
from nestling.kube.resource import Obj, Resource, decode

_GROUP: Final = "application/json;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList"
_ACCEPT: Final = f"{_GROUP};v=v2,{_GROUP};v=v2beta1,application/json"
_AGGREGATED: Final = "APIGroupDiscoveryList"


class Sender(Protocol):
    """The part of a client that discovery needs."""

    async def send(self, request: requests.Request) -> bytes:
        """Send a request; the answer's body."""


@dataclasses.dataclass(frozen=True, slots=True)
class Served:
    """One resource as the server offers it. Within a group, the preferred version comes first."""

    resource: Resource
    verbs: frozenset[str]
    short_names: tuple[str, ...] = ()


async def served(client: Sender) -> list[Served]:
    """Every resource in every version, core group first; no subresources."""
    found: list[Served] = []
    for path in ("/api", "/apis"):
        answer = decode(await client.send(requests.raw(path, accept=_ACCEPT)))
        if answer.get("kind") == _AGGREGATED:
            found += from_aggregated(answer)
        else:
            found += await _group_by_group(client, _legacy_versions(answer))
    return found


async def resources(client: Sender, *, verb: str | None = "list") -> list[Resource]:
    """Each resource once, in the version that the server prefers; by default those that can be listed."""
    return preferred(one for one in await served(client) if verb is None or verb in one.verbs)


async def find(client: Sender, kind: str, *, group: str | None = None, version: str | None = None) -> Resource | None:
    """The resource of a kind, of the given group and version or else the first that has it; None when not served."""
    for one in await served(client):
        resource = one.resource
        if resource.kind == kind and group in (None, resource.group) and version in (None, resource.version):
            return resource
    return None


def preferred(offers: Iterable[Served]) -> list[Resource]:
    """Of several versions of a resource, the first."""
    found: dict[tuple[str, str], Resource] = {}
    for one in offers:
        found.setdefault((one.resource.group, one.resource.plural), one.resource)
    return list(found.values())


def from_aggregated(answer: Obj) -> Iterator[Served]:
    """What an APIGroupDiscoveryList says."""
    for group in answer.get("items") or ():
        name = (group.get("metadata") or {}).get("name") or ""
        for version in group.get("versions") or ():
            for offer in version.get("resources") or ():
                kind = (offer.get("responseKind") or {}).get("kind")
                if kind and offer.get("verbs"):
                    namespaced = offer.get("scope") == "Namespaced"
                    resource = Resource(name, version["version"], offer["resource"], kind, namespaced)
                    yield Served(resource, frozenset(offer["verbs"]), tuple(offer.get("shortNames") or ()))


def from_resource_list(group: str, version: str, answer: Mapping[str, Any]) -> Iterator[Served]:
    """What an APIResourceList, the older form, says about one group and version."""
    for offer in answer.get("resources") or ():
        if "/" not in offer["name"]:
            resource = Resource(group, version, offer["name"], offer["kind"], bool(offer.get("namespaced")))
            yield Served(resource, frozenset(offer.get("verbs") or ()), tuple(offer.get("shortNames") or ()))


def _legacy_versions(answer: Obj) -> list[tuple[str, str]]:
    """Group and version pairs of an APIVersions (core) or APIGroupList, the preferred version of each group first."""
    pairs = [("", version) for version in answer.get("versions") or ()]
    for group in answer.get("groups") or ():
        first = (group.get("preferredVersion") or {}).get("version")
        names = [entry["version"] for entry in group.get("versions") or ()]
        pairs += [(group["name"], name) for name in sorted(names, key=lambda name: name != first)]
    return pairs


async def _group_by_group(client: Sender, pairs: list[tuple[str, str]]) -> list[Served]:
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(_one_group(client, *pair), name=f"discover {pair[0]}") for pair in pairs]
    return [one for task in asked for one in task.result()]


async def _one_group(client: Sender, group: str, version: str) -> list[Served]:
    path = f"/apis/{group}/{version}" if group else f"/api/{version}"
    try:
        answer = decode(await client.send(requests.raw(path)))
    except (errors.NotFound, errors.ServerError):
        return []  # its backend is down, or it went away just now
    return list(from_resource_list(group, version, answer))
