"""Models of network_policy_keys."""

from __future__ import annotations

from typing import Any

import pydantic

from nestling.config.models import base, common


class PolicyPort(base.Section):
    """TODO class policies.networkPolicy.controlPlane.ingress[].ports[]"""

    protocol: str | None = None
    """TODO policies.networkPolicy.controlPlane.ingress[].ports[].protocol"""
    port: Any = None
    """TODO policies.networkPolicy.controlPlane.ingress[].ports[].port"""
    end_port: int | None = None
    """TODO policies.networkPolicy.controlPlane.ingress[].ports[].endPort"""


class IpBlock(base.Section):
    """TODO class policies.networkPolicy.controlPlane.ingress[].from[].ipBlock"""

    cidr: str | None = None
    """TODO policies.networkPolicy.controlPlane.ingress[].from[].ipBlock.cidr"""
    except_: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO policies.networkPolicy.controlPlane.ingress[].from[].ipBlock.except"""


class PolicyPeer(base.Section):
    """TODO class policies.networkPolicy.controlPlane.ingress[].from[]"""

    pod_selector: base.Part[common.LabelSelector] | None = None
    """TODO policies.networkPolicy.controlPlane.ingress[].from[].podSelector"""
    namespace_selector: base.Part[common.LabelSelector] | None = None
    """TODO policies.networkPolicy.controlPlane.ingress[].from[].namespaceSelector"""
    ip_block: base.Part[IpBlock] | None = None
    """TODO policies.networkPolicy.controlPlane.ingress[].from[].ipBlock"""


class IngressRule(base.Section):
    """TODO class policies.networkPolicy.controlPlane.ingress[]"""

    ports: base.Absent[list[base.Part[PolicyPort]]] = pydantic.Field(default=[])
    """TODO policies.networkPolicy.controlPlane.ingress[].ports"""
    from_: base.Absent[list[base.Part[PolicyPeer]]] = pydantic.Field(default=[])
    """TODO policies.networkPolicy.controlPlane.ingress[].from"""


class EgressRule(base.Section):
    """TODO class policies.networkPolicy.controlPlane.egress[]"""

    ports: base.Absent[list[base.Part[PolicyPort]]] = pydantic.Field(default=[])
    """TODO policies.networkPolicy.controlPlane.egress[].ports"""
    to: base.Absent[list[base.Part[PolicyPeer]]] = pydantic.Field(default=[])
    """TODO policies.networkPolicy.controlPlane.egress[].to"""


class ControlPlaneRules(base.Section):
    """TODO class policies.networkPolicy.controlPlane"""

    ingress: list[base.Part[IngressRule]] = pydantic.Field(default=[])
    """TODO policies.networkPolicy.controlPlane.ingress"""
    egress: list[base.Part[EgressRule]] = pydantic.Field(default=[])
    """TODO policies.networkPolicy.controlPlane.egress"""


class PublicEgress(base.Section):
    """TODO class policies.networkPolicy.workload.publicEgress"""

    enabled: bool = True
    """TODO policies.networkPolicy.workload.publicEgress.enabled"""
    cidr: str = "0.0.0.0/0"
    """TODO policies.networkPolicy.workload.publicEgress.cidr"""
    except_: list[str] = pydantic.Field(
        default=["100.64.0.0/10", "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
    )
    """TODO policies.networkPolicy.workload.publicEgress.except"""


class WorkloadRules(base.Section):
    """TODO class policies.networkPolicy.workload"""

    public_egress: base.Part[PublicEgress] = base.part(PublicEgress)
    """TODO policies.networkPolicy.workload.publicEgress"""
    ingress: list[base.Part[IngressRule]] = pydantic.Field(default=[])
    """TODO policies.networkPolicy.workload.ingress"""
    egress: list[base.Part[EgressRule]] = pydantic.Field(default=[])
    """TODO policies.networkPolicy.workload.egress"""


class NetworkPolicy(base.Section):
    """TODO class policies.networkPolicy"""

    enabled: bool = False
    """TODO policies.networkPolicy.enabled"""
    annotations: dict[str, str] = pydantic.Field(default={})
    """TODO policies.networkPolicy.annotations"""
    labels: dict[str, str] = pydantic.Field(default={})
    """TODO policies.networkPolicy.labels"""
    fallback_dns: str = "8.8.8.8"
    """TODO policies.networkPolicy.fallbackDns"""
    control_plane: base.Part[ControlPlaneRules] = base.part(ControlPlaneRules)
    """TODO policies.networkPolicy.controlPlane"""
    workload: base.Part[WorkloadRules] = base.part(WorkloadRules)
    """TODO policies.networkPolicy.workload"""
