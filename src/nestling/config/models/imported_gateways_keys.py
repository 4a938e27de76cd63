"""Gateways of the host that tenants may attach routes to."""

import pydantic

from nestling.config.models import base, common


class NamespacePolicy(base.Section):
    """Routes of which virtual namespaces may attach."""

    from_: str | None = None
    """All, Same or Selector."""
    selector: base.Part[common.LabelSelector] | None = None
    """Labels of the namespaces, with Selector."""


class RouteOverride(base.Section):
    """Different rules for one Gateway."""

    host_namespace: str | None = None
    """Host namespace of the Gateway."""
    name: str | None = None
    """Name of the Gateway."""
    virtual_namespace_policy: base.Part[NamespacePolicy] | None = None
    """Routes of which virtual namespaces may attach to it."""
    allowed_hostnames: base.Absent[list[str]] = pydantic.Field(default=[])
    """Host names that routes may use; *.example.com covers all below it."""


class AllowedRoutes(base.Section):
    """Which routes may attach to imported Gateways."""

    default_virtual_namespace_policy: base.Part[NamespacePolicy] = base.part(NamespacePolicy)
    """The rule for Gateways without an override."""
    overrides: list[base.Part[RouteOverride]] = pydantic.Field(default=[])
    """Rules for single Gateways."""


class Status(base.Section):
    """What tenants see of the status of an imported Gateway."""

    expose_addresses: bool = False
    """Show its addresses."""


class Metadata(base.Section):
    """What tenants see of the origin of an imported Gateway."""

    expose_source_gateway: bool = False
    """Show the host name and namespace in an annotation."""


class Sanitize(base.Section):
    """What is taken out of an imported Gateway."""

    certificate_refs: bool = True
    """References to certificates."""
    infrastructure: bool = True
    """The infrastructure block."""


class Gateways(base.Section):
    """Gateways of the host, imported read-only."""

    enabled: bool = False
    """Import Gateways."""
    patches: base.Absent[list[base.Part[common.Patch]]] = pydantic.Field(default=[])
    """Changes to the objects while they are synced."""
    selector: base.Part[common.LabelSelector] = base.part(common.LabelSelector)
    """For patterns: import only Gateways with these labels."""
    mappings: base.Part[common.NameMappings] = base.part(common.NameMappings)
    """Host to virtual: ns/name to ns/name, or ns/* to ns/*."""
    allowed_routes: base.Part[AllowedRoutes] = base.part(AllowedRoutes)
    status: base.Part[Status] = base.part(Status)
    metadata: base.Part[Metadata] = base.part(Metadata)
    sanitize: base.Part[Sanitize] = base.part(Sanitize)
