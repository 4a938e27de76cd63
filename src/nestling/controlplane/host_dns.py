"""Which name server the host cluster has (spec §3.1, fallbackHostCluster)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from nestling.controlplane import corefile, settings
from nestling.kube import client, errors
from nestling.kube.resource import ENDPOINTS, SERVICES, Obj, Resource

#: Where a host cluster has its own name server.
_NAMESPACE: Final = "kube-system"
_SERVICE: Final = "kube-dns"


async def of_pod(resolvers: Path = Path(corefile.RESOLVERS)) -> str:
    """The one that this pod was given."""
    try:
        text = await asyncio.to_thread(resolvers.read_text, encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return corefile.RESOLVERS
    lines = [line.split() for line in text.splitlines()]
    return next((line[1] for line in lines if line[:1] == ["nameserver"] and len(line) > 1), corefile.RESOLVERS)


async def of_cluster(host: client.Client) -> settings.HostDns:
    """The one of a cluster that is looked at from outside, by somebody who may read there."""
    service, endpoints = await _get(host, SERVICES), await _get(host, ENDPOINTS)
    address = service.get("spec", {}).get("clusterIP")
    places = [place for subset in endpoints.get("subsets") or () for place in _places(subset)]
    return settings.HostDns(
        pods=address if address not in (None, "", "None") else corefile.RESOLVERS,
        machine=next(iter(places), corefile.RESOLVERS),
    )


async def _get(host: client.Client, resource: Resource) -> Obj:
    try:
        return await host.get(resource, _SERVICE, _NAMESPACE)
    except (errors.NotFound, errors.Forbidden):
        return {}


def _places(subset: Obj) -> list[str]:
    ports = [port["port"] for port in subset.get("ports") or () if port.get("protocol") == "UDP"]
    return [
        f"[{address['ip']}]:{port}" if ":" in address["ip"] else f"{address['ip']}:{port}"
        for port in ports[:1]
        for address in subset.get("addresses") or ()
    ]
