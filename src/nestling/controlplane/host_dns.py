"""Which name server the host cluster has (spec §3.1, fallbackHostCluster)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from nestling.controlplane import corefile, settings
from nestling.kube import client, errors
from nestling.kube.resource import ENDPOINT_SLICES, SERVICES, Obj

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
    try:
        service = await host.get(SERVICES, _SERVICE, _NAMESPACE)
        slices = await host.list(ENDPOINT_SLICES, _NAMESPACE, label_selector=f"kubernetes.io/service-name={_SERVICE}")
    except (errors.NotFound, errors.Forbidden):
        return settings.HostDns(corefile.RESOLVERS, corefile.RESOLVERS)
    address = service["spec"].get("clusterIP")
    places = [place for one in slices for place in _places(one)]
    return settings.HostDns(
        pods=address if address not in (None, "", "None") else corefile.RESOLVERS,
        machine=next(iter(places), corefile.RESOLVERS),
    )


def _places(one: Obj) -> list[str]:
    ports = [port["port"] for port in one.get("ports") or () if port.get("protocol") == "UDP"]
    return [
        f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        for port in ports[:1]
        for endpoint in one.get("endpoints") or ()
        for address in endpoint.get("addresses") or ()
    ]
