"""Which node ports the host gives (user lesson 25).

The virtual API server takes over the range: else it would refuse what the host has chosen, and offer what the host
refuses. Nothing tells the range but the refusal of an impossible port, and a dry run passes over it; so the Service
that is asked for is one that no API server can make, for two reasons.
"""

from __future__ import annotations

import re
from typing import Final

from nestling.kube import client as client_module
from nestling.kube import errors
from nestling.kube.resource import SERVICES, Obj
from nestling.naming.tenant import Tenant

#: Larger than any port.
_IMPOSSIBLE: Final = 65536
_RANGE: Final = re.compile(r"range of valid ports is (\d{1,5}-\d{1,5})\b")


def from_error(message: str) -> str | None:
    """The range in the API server's refusal of a node port, None when the text has none."""
    found = _RANGE.search(message)
    return found[1] if found else None


def probe(tenant: Tenant) -> Obj:
    """A Service that every host refuses: no port is that large, and one without address cannot have node ports."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"generateName": "vcluster-node-ports-", "namespace": tenant.namespace},
        "spec": {
            "type": "NodePort",
            "clusterIP": "None",
            "selector": {"app": "vcluster"},
            "ports": [{"port": 443, "nodePort": _IMPOSSIBLE}],
        },
    }


async def detect(client: client_module.Client, tenant: Tenant) -> str:
    """The host's range, "" when it does not tell: then the API server has its default, which most hosts have, too."""
    try:
        await client.create(SERVICES, probe(tenant), tenant.namespace)
    except errors.ApiError as error:
        return from_error(error.message) or ""
    return ""
