"""Which name server the host cluster has (spec §3.1, fallbackHostCluster)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from nestling.controlplane import corefile
from nestling.kube import client as client_module
from nestling.kube import errors
from nestling.kube.resource import SERVICES

#: Where a host cluster has its own name server.
_NAMESPACE: Final = "kube-system"
_SERVICE: Final = "kube-dns"


async def server(host: client_module.Client, *, local: bool, resolvers: Path = Path(corefile.RESOLVERS)) -> str:
    """The name server of the host cluster: in a pod the one that it was given, on a machine the one that pods get."""
    if local:
        try:
            found = await host.get(SERVICES, _SERVICE, _NAMESPACE)
        except (errors.NotFound, errors.Forbidden):
            return corefile.RESOLVERS
        address = found["spec"].get("clusterIP")
        return address if address not in (None, "", "None") else corefile.RESOLVERS
    try:
        text = await asyncio.to_thread(resolvers.read_text, encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return corefile.RESOLVERS
    lines = [line.split() for line in text.splitlines()]
    return next((line[1] for line in lines if line[:1] == ["nameserver"] and len(line) > 1), corefile.RESOLVERS)
