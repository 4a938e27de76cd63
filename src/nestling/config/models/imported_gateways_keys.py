"""Models of imported_gateways_keys."""

from __future__ import annotations

import pydantic

from nestling.config.models import base, common


class NamespacePolicy(base.Section):
    """TODO class sync.fromHost.gateways.allowedRoutes.defaultVirtualNamespacePolicy"""

    from_: str | None = None
    """TODO sync.fromHost.gateways.allowedRoutes.defaultVirtualNamespacePolicy.from"""
    selector: base.Part[common.LabelSelector] | None = None
    """TODO sync.fromHost.gateways.allowedRoutes.defaultVirtualNamespacePolicy.selector"""


class RouteOverride(base.Section):
    """TODO class sync.fromHost.gateways.allowedRoutes.overrides[]"""

    host_namespace: str | None = None
    """TODO sync.fromHost.gateways.allowedRoutes.overrides[].hostNamespace"""
    name: str | None = None
    """TODO sync.fromHost.gateways.allowedRoutes.overrides[].name"""
    virtual_namespace_policy: base.Part[NamespacePolicy] | None = None
    """TODO sync.fromHost.gateways.allowedRoutes.overrides[].virtualNamespacePolicy"""
    allowed_hostnames: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO sync.fromHost.gateways.allowedRoutes.overrides[].allowedHostnames"""


class AllowedRoutes(base.Section):
    """TODO class sync.fromHost.gateways.allowedRoutes"""

    default_virtual_namespace_policy: base.Part[NamespacePolicy] = base.part(NamespacePolicy)
    """TODO sync.fromHost.gateways.allowedRoutes.defaultVirtualNamespacePolicy"""
    overrides: list[base.Part[RouteOverride]] = pydantic.Field(default=[])
    """TODO sync.fromHost.gateways.allowedRoutes.overrides"""


class Status(base.Section):
    """TODO class sync.fromHost.gateways.status"""

    expose_addresses: bool = False
    """TODO sync.fromHost.gateways.status.exposeAddresses"""


class Metadata(base.Section):
    """TODO class sync.fromHost.gateways.metadata"""

    expose_source_gateway: bool = False
    """TODO sync.fromHost.gateways.metadata.exposeSourceGateway"""


class Sanitize(base.Section):
    """TODO class sync.fromHost.gateways.sanitize"""

    certificate_refs: bool = True
    """TODO sync.fromHost.gateways.sanitize.certificateRefs"""
    infrastructure: bool = True
    """TODO sync.fromHost.gateways.sanitize.infrastructure"""


class Gateways(base.Section):
    """TODO class sync.fromHost.gateways"""

    enabled: bool = False
    """TODO sync.fromHost.gateways.enabled"""
    patches: base.Absent[list[base.Part[common.Patch]]] = pydantic.Field(default=[])
    """TODO sync.fromHost.gateways.patches"""
    selector: base.Part[common.LabelSelector] = base.part(common.LabelSelector)
    """TODO sync.fromHost.gateways.selector"""
    mappings: base.Part[common.NameMappings] = base.part(common.NameMappings)
    """TODO sync.fromHost.gateways.mappings"""
    allowed_routes: base.Part[AllowedRoutes] = base.part(AllowedRoutes)
    """TODO sync.fromHost.gateways.allowedRoutes"""
    status: base.Part[Status] = base.part(Status)
    """TODO sync.fromHost.gateways.status"""
    metadata: base.Part[Metadata] = base.part(Metadata)
    """TODO sync.fromHost.gateways.metadata"""
    sanitize: base.Part[Sanitize] = base.part(Sanitize)
    """TODO sync.fromHost.gateways.sanitize"""
