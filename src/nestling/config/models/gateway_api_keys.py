"""The Gateway API towards the host."""

import pydantic

from nestling.config.models import base, common


class GatewayApi(base.Section):
    """The Gateway API: tenants' Gateways and routes become objects of the host."""

    enabled: bool = False
    """Sync Gateways and HTTPRoutes, and take GatewayClasses from the host."""
    patches: base.Absent[list[base.Part[common.Patch]]] = pydantic.Field(default=[])
    """Changes to all Gateway API objects while they are synced."""
    http_routes: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """HTTPRoutes."""
    gateways: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """Gateways."""
    tls_routes: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """TLSRoutes."""
    backend_tls_policies: base.Part[common.SyncOff] = base.part(common.SyncOff, alias="backendTLSPolicies")
    """BackendTLSPolicies."""
    reference_grants: base.Part[common.SyncAuto] = base.part(common.SyncAuto)
    """ReferenceGrants; auto means with namespace sync."""
