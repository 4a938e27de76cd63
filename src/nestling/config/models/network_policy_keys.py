"""NetworkPolicies around a virtual cluster."""

from typing import Any

import pydantic

from nestling.config.models import base, common


class PolicyPort(base.Section):
    """Ports that a rule covers."""

    protocol: str | None = None
    """TCP, UDP or SCTP."""
    port: Any = None
    """Number or name."""
    end_port: int | None = None
    """Last port of a range."""


class IpBlock(base.Section):
    """A range of addresses."""

    cidr: str | None = None
    """The range, such as 10.0.0.0/8."""
    except_: base.Absent[list[str]] = pydantic.Field(default=[])
    """Ranges inside it that are left out."""


class PolicyPeer(base.Section):
    """Who the traffic comes from or goes to."""

    pod_selector: base.Part[common.LabelSelector] | None = None
    """Pods with these labels."""
    namespace_selector: base.Part[common.LabelSelector] | None = None
    """Pods in namespaces with these labels."""
    ip_block: base.Part[IpBlock] | None = None


class IngressRule(base.Section):
    """Incoming traffic that is allowed."""

    ports: base.Absent[list[base.Part[PolicyPort]]] = pydantic.Field(default=[])
    """Ports; all when empty."""
    from_: base.Absent[list[base.Part[PolicyPeer]]] = pydantic.Field(default=[])
    """Sources; all when empty."""


class EgressRule(base.Section):
    """Outgoing traffic that is allowed."""

    ports: base.Absent[list[base.Part[PolicyPort]]] = pydantic.Field(default=[])
    """Ports; all when empty."""
    to: base.Absent[list[base.Part[PolicyPeer]]] = pydantic.Field(default=[])
    """Destinations; all when empty."""


class ControlPlaneRules(base.Section):
    """Further rules for the control plane."""

    ingress: list[base.Part[IngressRule]] = pydantic.Field(default=[])
    """Further allowed incoming traffic."""
    egress: list[base.Part[EgressRule]] = pydantic.Field(default=[])
    """Further allowed outgoing traffic."""


class PublicEgress(base.Section):
    """Traffic of workloads to the internet."""

    enabled: bool = True
    """Allow it."""
    cidr: str = "0.0.0.0/0"
    """Destinations that count as internet."""
    except_: list[str] = pydantic.Field(
        default=["100.64.0.0/10", "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
    )
    """Ranges that do not."""


class WorkloadRules(base.Section):
    """Further rules for the workloads."""

    public_egress: base.Part[PublicEgress] = base.part(PublicEgress)
    ingress: list[base.Part[IngressRule]] = pydantic.Field(default=[])
    """Further allowed incoming traffic."""
    egress: list[base.Part[EgressRule]] = pydantic.Field(default=[])
    """Further allowed outgoing traffic."""


class NetworkPolicy(base.Section):
    """NetworkPolicies that fence the virtual cluster in."""

    enabled: bool = False
    """Create them."""
    annotations: dict[str, str] = pydantic.Field(default={})
    """Annotations of it."""
    labels: dict[str, str] = pydantic.Field(default={})
    """Labels of it."""
    fallback_dns: str = "8.8.8.8"
    """Name server outside the cluster, as a second choice."""
    control_plane: base.Part[ControlPlaneRules] = base.part(ControlPlaneRules)
    workload: base.Part[WorkloadRules] = base.part(WorkloadRules)
