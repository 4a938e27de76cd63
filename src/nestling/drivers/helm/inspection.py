"""What the syncer process in a pod says of itself, through a forwarded port."""

from __future__ import annotations

import asyncio
from typing import Final

from nestling.controlplane import settings
from nestling.drivers import inspection
from nestling.drivers.helm import forward
from nestling.kube import kubeconfig
from nestling.naming.tenant import Tenant

SECONDS: Final = 10.0
_LOOPBACK: Final = "127.0.0.1"


async def ask(config: kubeconfig.ClientConfig, tenant: Tenant, path: str) -> bytes:
    """The answer at ``/status``, ``/metrics`` or ``/readyz``; raises ``UserError`` for none."""
    way = forward.ToPods(config, tenant.namespace, tenant.name, settings.Ports().health)
    async with forward.listening(way, address=_LOOPBACK, port=0, seconds=SECONDS / 2) as port:
        return await asyncio.to_thread(inspection.get, port, path, whose="in the pod", seconds=SECONDS)
