"""Private nodes that are made on demand."""

import pydantic

from nestling.config.models import base, common


class NodeTypeRequirement(base.Section):
    """One condition on the kind of machine."""

    property: str | None = None
    """A property of the machine, such as its zone."""
    operator: str | None = None
    """In, NotIn, Exists, DoesNotExist, Gt or Lt."""
    values: base.Absent[list[str]] = pydantic.Field(default=[])
    """The values to compare with."""
    value: str | None = None
    """The single value to compare with."""


class StandaloneAutoNodes(base.Section):
    """Machines for the control plane itself."""

    provider: str | None = None
    """Who makes the machines."""
    quantity: int | None = None
    """How many."""
    node_type_selector: base.Absent[list[base.Part[NodeTypeRequirement]]] = pydantic.Field(default=[])
    """Which kinds of machine."""


class StaticPool(base.Section):
    """A fixed number of nodes."""

    name: str | None = None
    """Name of the pool."""
    properties: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """Settings for the provider."""
    node_type_selector: base.Absent[list[base.Part[NodeTypeRequirement]]] = pydantic.Field(default=[])
    """Which kinds of machine."""
    taints: base.Absent[list[base.Part[common.Taint]]] = pydantic.Field(default=[])
    """Taints of the nodes."""
    node_labels: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """Labels of the nodes."""
    termination_grace_period: str | None = None
    """How long a node may take to go."""
    quantity: int | None = None
    """How many nodes."""
    profile: str | None = None
    """Profile of the nodes."""


class DisruptionBudget(base.Section):
    """How many nodes may go at once."""

    nodes: str | None = None
    """Number or percentage."""
    schedule: str | None = None
    """When it begins to hold, as a cron expression."""
    duration: str | None = None
    """How long it holds."""


class Disruption(base.Section):
    """When nodes are removed or replaced."""

    consolidate_after: str | None = None
    """How long a node is idle first, such as 30s or Never."""
    consolidation_policy: str | None = None
    """WhenEmpty or WhenEmptyOrUnderutilized."""
    budgets: base.Absent[list[base.Part[DisruptionBudget]]] = pydantic.Field(default=[])
    """How many nodes may go at once."""


class DynamicPool(base.Section):
    """Nodes that come and go with the load."""

    name: str | None = None
    """Name of the pool."""
    properties: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """Settings for the provider."""
    node_type_selector: base.Absent[list[base.Part[NodeTypeRequirement]]] = pydantic.Field(default=[])
    """Which kinds of machine."""
    taints: base.Absent[list[base.Part[common.Taint]]] = pydantic.Field(default=[])
    """Taints of the nodes."""
    node_labels: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """Labels of the nodes."""
    limits: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """Most resources that the pool may have."""
    disruption: base.Part[Disruption] | None = None
    termination_grace_period: str | None = None
    """How long a node may take to go."""
    expire_after: str | None = None
    """How long a node lives, such as 720h or Never."""
    weight: int | None = None
    """Pools with a higher weight are used first."""
    profile: str | None = None
    """Profile of the nodes."""


class AutoNodes(base.Section):
    """Nodes by one provider."""

    provider: str | None = None
    """Who makes the machines."""
    properties: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """Settings for the provider."""
    static: base.Absent[list[base.Part[StaticPool]]] = pydantic.Field(default=[])
    """Pools of a fixed size."""
    dynamic: base.Absent[list[base.Part[DynamicPool]]] = pydantic.Field(default=[])
    """Pools that grow and shrink."""
