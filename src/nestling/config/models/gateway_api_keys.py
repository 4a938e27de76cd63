"""Models of gateway_api_keys."""

from __future__ import annotations

import pydantic

from nestling.config.models import base, common


class GatewayApi(base.Section):
    """TODO class sync.toHost.gatewayApi"""

    enabled: bool = False
    """TODO sync.toHost.gatewayApi.enabled"""
    patches: base.Absent[list[base.Part[common.Patch]]] = pydantic.Field(default=[])
    """TODO sync.toHost.gatewayApi.patches"""
    http_routes: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """TODO sync.toHost.gatewayApi.httpRoutes"""
    gateways: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """TODO sync.toHost.gatewayApi.gateways"""
    tls_routes: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """TODO sync.toHost.gatewayApi.tlsRoutes"""
    backend_tls_policies: base.Part[common.SyncOff] = base.part(common.SyncOff, alias="backendTLSPolicies")
    """TODO sync.toHost.gatewayApi.backendTLSPolicies"""
    reference_grants: base.Part[common.SyncAuto] = base.part(common.SyncAuto)
    """TODO sync.toHost.gatewayApi.referenceGrants"""
