"""What the syncer process in a pod says of itself, through a forwarded port."""

from __future__ import annotations

import asyncio
import http.client
from typing import Final

from nestling.controlplane import settings
from nestling.drivers import errors
from nestling.drivers.helm import forward
from nestling.kube import kubeconfig
from nestling.naming.tenant import Tenant

SECONDS: Final = 10.0
_LOOPBACK: Final = "127.0.0.1"


async def ask(config: kubeconfig.ClientConfig, tenant: Tenant, path: str) -> bytes:
    """The answer at ``/status``, ``/metrics`` or ``/readyz``; raises ``UserError`` for none."""
    way = forward.ToPods(config, tenant.namespace, tenant.name, settings.Ports().health)
    async with forward.listening(way, address=_LOOPBACK, port=0, seconds=SECONDS / 2) as port:
        return await asyncio.to_thread(_get, port, path)


def _get(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection(_LOOPBACK, port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise errors.UserError(f"the syncer process in the pod does not answer: {error}") from error
    finally:
        connection.close()
    # /readyz says 503 with its lines while something is missing, which is an answer.
    if answer.status not in (200, 503):
        raise errors.UserError(f"the syncer process in the pod answers {path} with {answer.status} {answer.reason}")
    return body
