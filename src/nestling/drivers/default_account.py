"""The ServiceAccount ``default`` of the namespace ``default``: without it the API server refuses every pod there.

The controller manager makes one, a second or two after its start, on a busy machine later. A script that goes on with
``kubectl run`` would be refused until then; made here, nobody waits (vCluster waits for it before it syncs, spec §1).
"""

from __future__ import annotations

from typing import Final

from nestling.kube import client as kube_client
from nestling.kube import errors, resource

_NAME: Final = "default"
_NAMESPACE: Final = "default"


async def ensure(client: kube_client.Client) -> bool:
    """Make it unless it is there; False while the API server cannot do that yet: it makes the namespace itself.

    A user who may not look or make is no reason to wait: True.
    """
    try:
        await client.get(resource.SERVICE_ACCOUNTS, _NAME, _NAMESPACE)
    except errors.NotFound:
        return await _made(client)
    except (errors.Unauthorized, errors.Forbidden):
        return True
    except (errors.ApiError, errors.ConnectionFailed):
        return False
    return True


async def _made(client: kube_client.Client) -> bool:
    try:
        await client.create(resource.SERVICE_ACCOUNTS, {"metadata": {"name": _NAME}}, _NAMESPACE)
    except (errors.AlreadyExists, errors.Forbidden):
        return True
    except (errors.ApiError, errors.ConnectionFailed):
        # the namespace is not there yet, or the server is going away again
        return False
    return True
