"""Which hosts a virtual cluster can live on: those whose version is tested, and newer ones."""

from __future__ import annotations

import re
from typing import Final

from nestling.binaries import versions
from nestling.controlplane import settings
from nestling.kube import client as client_module
from nestling.kube import errors

_NUMBERS: Final = re.compile(r"v?(\d+)\.(\d+)")


class HostTooOldError(settings.PreparationError):
    """The host lacks parts of the API that syncing relies on."""


async def check(client: client_module.Client) -> None:
    """Raise :class:`HostTooOldError` for a host that is older than all tested ones; one that does not tell may pass."""
    try:
        found = str((await client.version()).get("gitVersion") or "")
    except (errors.NotFound, errors.Forbidden):
        return
    if is_too_old(found):
        raise HostTooOldError(
            f"the host cluster runs Kubernetes {found}, and {versions.KUBERNETES[0]} is the oldest that can be one;"
            " update the host, or choose another one"
        )


def is_too_old(version: str) -> bool:
    """Whether the minor version is below the oldest offered one. Suffixes of vendors (``v1.32.1-eks-…``) count not."""
    found, oldest = _NUMBERS.match(version), _NUMBERS.match(versions.KUBERNETES[0])
    if found is None or oldest is None:
        return False
    return tuple(map(int, found.groups())) < tuple(map(int, oldest.groups()))


def refusal(error: errors.ApiError, access: object) -> str:
    """A refusal of the host in words for who starts a control plane; ``access`` is what was used to ask."""
    remedy = ""
    if isinstance(error, errors.Unauthorized):
        remedy = f"; the credentials in {access} are wrong or have expired: write new ones there"
    elif isinstance(error, errors.Forbidden):
        remedy = f"; give the account in {access} this right, as the chart does"
    return f"the host cluster refuses: {error}{remedy}"
