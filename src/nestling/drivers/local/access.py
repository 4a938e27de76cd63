"""Who the control plane of a virtual cluster is on the embedded host: the service account of the chart.

Its client certificate says what a token of the service account would say, so the Role and RoleBinding apply as they
are.
"""

from __future__ import annotations

from typing import Final

from nestling.controlplane import authority
from nestling.naming.tenant import Tenant

_SERVICE_ACCOUNT: Final = "system:serviceaccount"


def subject(tenant: Tenant, account: str) -> authority.Subject:
    """The user name and groups of a service account, as the API server derives them from its token."""
    return authority.Subject(
        common_name=f"{_SERVICE_ACCOUNT}:{tenant.namespace}:{account}",
        organizations=(f"{_SERVICE_ACCOUNT}s", f"{_SERVICE_ACCOUNT}s:{tenant.namespace}"),
    )
