"""What an older Kubernetes does not have, for tests that run with several versions."""

from __future__ import annotations

from collections.abc import Mapping

from nestling.kube import client


def knows_resize(version: Mapping[str, str]) -> bool:
    """Can the resources of a running pod be changed? Since 1.33, by the answer of ``/version``."""
    return int(version["minor"].rstrip("+")) >= 33


async def resizes(api: client.Client) -> bool:
    """The same of a server that can be asked."""
    return knows_resize(await api.version())
