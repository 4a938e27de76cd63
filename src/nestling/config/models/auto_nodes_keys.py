"""Models of auto_nodes_keys."""

from __future__ import annotations

import pydantic

from nestling.config.models import base, common


class NodeTypeRequirement(base.Section):
    """TODO class controlPlane.standalone.autoNodes.nodeTypeSelector[]"""

    property: str | None = None
    """TODO controlPlane.standalone.autoNodes.nodeTypeSelector[].property"""
    operator: str | None = None
    """TODO controlPlane.standalone.autoNodes.nodeTypeSelector[].operator"""
    values: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO controlPlane.standalone.autoNodes.nodeTypeSelector[].values"""
    value: str | None = None
    """TODO controlPlane.standalone.autoNodes.nodeTypeSelector[].value"""


class StandaloneAutoNodes(base.Section):
    """TODO class controlPlane.standalone.autoNodes"""

    provider: str | None = None
    """TODO controlPlane.standalone.autoNodes.provider"""
    quantity: int | None = None
    """TODO controlPlane.standalone.autoNodes.quantity"""
    node_type_selector: base.Absent[list[base.Part[NodeTypeRequirement]]] = pydantic.Field(default=[])
    """TODO controlPlane.standalone.autoNodes.nodeTypeSelector"""


class StaticPool(base.Section):
    """TODO class privateNodes.autoNodes[].static[]"""

    name: str | None = None
    """TODO privateNodes.autoNodes[].static[].name"""
    properties: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """TODO privateNodes.autoNodes[].static[].properties"""
    node_type_selector: base.Absent[list[base.Part[NodeTypeRequirement]]] = pydantic.Field(default=[])
    """TODO privateNodes.autoNodes[].static[].nodeTypeSelector"""
    taints: base.Absent[list[base.Part[common.Taint]]] = pydantic.Field(default=[])
    """TODO privateNodes.autoNodes[].static[].taints"""
    node_labels: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """TODO privateNodes.autoNodes[].static[].nodeLabels"""
    termination_grace_period: str | None = None
    """TODO privateNodes.autoNodes[].static[].terminationGracePeriod"""
    quantity: int | None = None
    """TODO privateNodes.autoNodes[].static[].quantity"""
    profile: str | None = None
    """TODO privateNodes.autoNodes[].static[].profile"""


class DisruptionBudget(base.Section):
    """TODO class privateNodes.autoNodes[].dynamic[].disruption.budgets[]"""

    nodes: str | None = None
    """TODO privateNodes.autoNodes[].dynamic[].disruption.budgets[].nodes"""
    schedule: str | None = None
    """TODO privateNodes.autoNodes[].dynamic[].disruption.budgets[].schedule"""
    duration: str | None = None
    """TODO privateNodes.autoNodes[].dynamic[].disruption.budgets[].duration"""


class Disruption(base.Section):
    """TODO class privateNodes.autoNodes[].dynamic[].disruption"""

    consolidate_after: str | None = None
    """TODO privateNodes.autoNodes[].dynamic[].disruption.consolidateAfter"""
    consolidation_policy: str | None = None
    """TODO privateNodes.autoNodes[].dynamic[].disruption.consolidationPolicy"""
    budgets: base.Absent[list[base.Part[DisruptionBudget]]] = pydantic.Field(default=[])
    """TODO privateNodes.autoNodes[].dynamic[].disruption.budgets"""


class DynamicPool(base.Section):
    """TODO class privateNodes.autoNodes[].dynamic[]"""

    name: str | None = None
    """TODO privateNodes.autoNodes[].dynamic[].name"""
    properties: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """TODO privateNodes.autoNodes[].dynamic[].properties"""
    node_type_selector: base.Absent[list[base.Part[NodeTypeRequirement]]] = pydantic.Field(default=[])
    """TODO privateNodes.autoNodes[].dynamic[].nodeTypeSelector"""
    taints: base.Absent[list[base.Part[common.Taint]]] = pydantic.Field(default=[])
    """TODO privateNodes.autoNodes[].dynamic[].taints"""
    node_labels: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """TODO privateNodes.autoNodes[].dynamic[].nodeLabels"""
    limits: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """TODO privateNodes.autoNodes[].dynamic[].limits"""
    disruption: base.Part[Disruption] | None = None
    """TODO privateNodes.autoNodes[].dynamic[].disruption"""
    termination_grace_period: str | None = None
    """TODO privateNodes.autoNodes[].dynamic[].terminationGracePeriod"""
    expire_after: str | None = None
    """TODO privateNodes.autoNodes[].dynamic[].expireAfter"""
    weight: int | None = None
    """TODO privateNodes.autoNodes[].dynamic[].weight"""
    profile: str | None = None
    """TODO privateNodes.autoNodes[].dynamic[].profile"""


class AutoNodes(base.Section):
    """TODO class privateNodes.autoNodes[]"""

    provider: str | None = None
    """TODO privateNodes.autoNodes[].provider"""
    properties: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """TODO privateNodes.autoNodes[].properties"""
    static: base.Absent[list[base.Part[StaticPool]]] = pydantic.Field(default=[])
    """TODO privateNodes.autoNodes[].static"""
    dynamic: base.Absent[list[base.Part[DynamicPool]]] = pydantic.Field(default=[])
    """TODO privateNodes.autoNodes[].dynamic"""
