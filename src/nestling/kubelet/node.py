"""What a virtual node answers about itself: its pods, their statistics and metrics (spec §3.4).

Which node is asked is told by the address that the client dialled, in the Host header. The virtual API server dials all
nodes at one address; it says which one it was asked for (``nodes/NAME/proxy``) in a header of its own. Forging either
chooses among the nodes that run pods of the tenant, and shows those pods and no others.
"""

from __future__ import annotations

import dataclasses
import re
import urllib.parse
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from nestling.kube import client, errors
from nestling.kube.resource import Obj
from nestling.kubelet import directory, filters, routes, wire
from nestling.naming import names
from nestling.naming.tenant import Tenant

_JSON: Final = "application/json"
_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
#: ``[scheme:]name[:port]``, as API servers read the name of a node there.
_PROXIED: Final = re.compile(
    r"/api/v1/nodes/(?:https?:)?(?P<name>[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)(?::[a-z0-9-]*)?/proxy(?:/.*)?"
)
_TYPES: Final = frozenset({"Hostname", "InternalIP"})


@dataclasses.dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes of one tenant."""

    tenant: Tenant
    pods: directory.Directory
    host: client.Client

    async def asked(self, request: wire.Request, *, forwarded: bool) -> str:
        """The name of the node that a request is for, ``forwarded`` by the API server or not; raises ``Refused`` when
        nothing tells."""
        known = await self.pods.nodes()
        named = proxied(request.head.values("X-Forwarded-Uri")) if forwarded else ""
        if named:
            return by_name(known, named)
        return choose(known, request.head.value("Host"), self.tenant)

    async def answer(self, route: routes.Route, node: str) -> tuple[bytes, str]:
        """The body and its type; raises ``Refused``."""
        targets, pods = await self.pods.on_node(node)
        if route.kind is routes.Kind.PODS:
            document = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": pods}
            return msgspec.json.encode(document), _JSON
        if not any(one.node == node for one in targets):
            raise routes.Refused(404, f'node "{node}" runs no pod of this cluster')
        body = await self._from_host(route, node)
        if route.kind is routes.Kind.STATS:
            return msgspec.json.encode(filters.summary(msgspec.json.decode(body), targets, node)), _JSON
        return filters.metrics(body.decode(errors="replace"), targets).encode(), _TEXT

    async def _from_host(self, route: routes.Route, node: str) -> bytes:
        try:
            return await self.host.raw(f"/api/v1/nodes/{urllib.parse.quote(node, safe='')}/proxy{route.path}")
        except errors.Forbidden as error:
            raise routes.Refused(
                403,
                "the host cluster does not show this; give get of nodes/proxy in rbac.clusterRole.extraRules to see it",
            ) from error


def proxied(uris: Sequence[str]) -> str:
    """The node that the API server was asked for; empty when it was asked for something else. Pure."""
    found = _PROXIED.fullmatch(uris[0]) if len(uris) == 1 else None
    return found["name"] if found else ""


def by_name(nodes: Iterable[Obj], name: str) -> str:
    """The name, if there is such a node; raises ``Refused``."""
    if name not in {one["metadata"]["name"] for one in nodes}:
        raise routes.Refused(404, f'node "{name}" does not exist')
    return name


def choose(nodes: Iterable[Obj], address: str, tenant: Tenant) -> str:
    """The node with this address (``host:port``), or the only one there is."""
    known = list(nodes)
    dialled = (urllib.parse.urlsplit(f"//{address}").hostname or "").lower()
    for one in known:
        name: str = one["metadata"]["name"]
        own = {names.node_hostname(name), names.legacy_node_hostname(name, tenant)}
        own |= {
            entry["address"] for entry in (one.get("status") or {}).get("addresses") or () if entry["type"] in _TYPES
        }
        if dialled in own:
            return name
    if len(known) == 1:
        return str(known[0]["metadata"]["name"])
    raise routes.Refused(404, "which node? ask at the address or host name of one")
