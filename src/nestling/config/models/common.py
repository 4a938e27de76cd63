"""Shapes that appear in many places."""

from typing import Any

import pydantic

from nestling.config.models import base


class PatchReference(base.Section):
    """Says that a patched field holds the name of another object, so that the name is translated."""

    api_version: str | None = None
    """API version of the object that is named."""
    api_version_path: str | None = None
    """Where the API version is found, when it is not fixed."""
    kind: str | None = None
    """Kind of the object that is named."""
    kind_path: str | None = None
    """Where the kind is found, when it is not fixed."""
    name_path: str | None = None
    """Where the name is found, relative to path."""
    namespace_path: str | None = None
    """Where the namespace is found, relative to path."""


class Patch(base.Section):
    """A change to objects while they are synced: an expression, a reference, or labels."""

    path: str | None = None
    """The field, such as spec.rules[*].host or metadata.annotations["a.b/c"]; empty text for the whole object."""
    expression: str | None = None
    """JavaScript whose result replaces the field on its way to the other side; sees value and context."""
    reverse_expression: str | None = None
    """JavaScript for the way back."""
    reference: base.Part[PatchReference] | None = None
    labels: dict[str, Any] | None = None
    """Treat the field as labels; for custom resources."""


class SyncUsed(base.Section):
    """Sync of objects that other objects use."""

    enabled: bool = True
    """Sync them to the host."""
    all: bool = False
    """Sync every one of them, not only those that are used."""
    patches: base.Absent[list[base.Part[Patch]]] = pydantic.Field(default=[])
    """Changes to the objects while they are synced."""


class SyncOff(base.Section):
    """A kind that is not synced unless it is switched on."""

    enabled: bool = False
    """Sync the kind."""
    patches: base.Absent[list[base.Part[Patch]]] = pydantic.Field(default=[])
    """Changes to the objects while they are synced."""


class SyncAuto(base.Section):
    """A kind that is synced when it is needed."""

    enabled: base.StrBool = "auto"
    """Sync the kind; auto decides by what else is switched on."""
    patches: base.Absent[list[base.Part[Patch]]] = pydantic.Field(default=[])
    """Changes to the objects while they are synced."""


class SyncOn(base.Section):
    """A kind that is synced unless it is switched off."""

    enabled: bool = True
    """Sync the kind."""
    patches: base.Absent[list[base.Part[Patch]]] = pydantic.Field(default=[])
    """Changes to the objects while they are synced."""


class RemovedSync(base.Section):
    """A sync that no longer exists; setting it is an error."""

    enabled: bool | None = None
    """No longer has a meaning."""
    patches: base.Absent[list[base.Part[Patch]]] = pydantic.Field(default=[])
    """No longer has a meaning."""


class NameMappings(base.Section):
    """Which object or namespace of one side is which on the other."""

    by_name: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """From one side to the other, such as shared/*: config/* or team-a/ca: default/ca."""


class SelectorRequirement(base.Section):
    """One condition of a label selector."""

    key: str | None = None
    """The label."""
    operator: str | None = None
    """In, NotIn, Exists or DoesNotExist."""
    values: base.Absent[list[str]] = pydantic.Field(default=[])
    """The values for In and NotIn."""


class LabelSelector(base.Section):
    """Selects objects by their labels."""

    match_labels: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """Labels that must be there with exactly these values."""
    match_expressions: base.Absent[list[base.Part[SelectorRequirement]]] = pydantic.Field(default=[])
    """Conditions that must all hold."""


class SyncSelected(base.Section):
    """A kind of the host that tenants can see, optionally only some of its objects."""

    enabled: bool = False
    """Sync the kind."""
    patches: base.Absent[list[base.Part[Patch]]] = pydantic.Field(default=[])
    """Changes to the objects while they are synced."""
    selector: base.Part[LabelSelector] | None = None
    """Take only objects with these labels. Objects that use another one are not synced."""


class SyncMapped(base.Section):
    """Objects of chosen host namespaces that tenants can see."""

    enabled: bool = False
    """Sync the objects that mappings name."""
    patches: base.Absent[list[base.Part[Patch]]] = pydantic.Field(default=[])
    """Changes to the objects while they are synced."""
    mappings: base.Part[NameMappings] = base.part(NameMappings)
    """Host to virtual: ns/name, ns/*, /name for the control plane's namespace, or empty text for all of it."""


class EnabledByDefault(base.Section):
    """Something that is on unless it is switched off."""

    enabled: bool = True
    """Whether it is on."""


class DisabledByDefault(base.Section):
    """Something that is off unless it is switched on."""

    enabled: bool = False
    """Whether it is on."""


class Toggle(base.Section):
    """A switch."""

    enabled: bool | None = None
    """Whether it is on."""


class NameValue(base.Section):
    """A name with a value."""

    name: str | None = None
    """The name."""
    value: str | None = None
    """The value."""


class Taint(base.Section):
    """Keeps pods without a matching toleration off a node."""

    key: str | None = None
    """Key of the taint."""
    value: str | None = None
    """Value of the taint."""
    effect: str | None = None
    """NoSchedule, PreferNoSchedule or NoExecute."""


class Metadata(base.Section):
    """Annotations and labels of an object."""

    annotations: dict[str, str] = pydantic.Field(default={})
    """Annotations of it."""
    labels: dict[str, str] = pydantic.Field(default={})
    """Labels of it."""


class Scheduling(base.Section):
    """Where pods may run."""

    node_selector: dict[str, Any] = pydantic.Field(default={})
    """Labels that a node must have."""
    affinity: dict[str, Any] = pydantic.Field(default={})
    """Affinity of the pods, as in a pod."""
    tolerations: list[dict[str, Any]] = pydantic.Field(default=[])
    """Taints that the pods tolerate, as in a pod."""
    priority_class_name: str = ""
    """PriorityClass of the pods."""
    pod_management_policy: str = "Parallel"
    """Parallel or OrderedReady."""
    topology_spread_constraints: list[Any] = pydantic.Field(default=[])
    """How the pods spread over zones and nodes, as in a pod."""


class Security(base.Section):
    """Security contexts of a pod and its containers."""

    pod_security_context: dict[str, Any] = pydantic.Field(default={})
    """Security context of the pod."""
    container_security_context: dict[str, Any] = pydantic.Field(default={})
    """Security context of the containers."""


class VolumeMount(base.Section):
    """Where a volume appears in a container."""

    name: str | None = None
    """Name of the volume."""
    read_only: bool | None = None
    """Mount it read-only."""
    mount_path: str | None = None
    """Path in the container."""
    sub_path: str | None = None
    """Path inside the volume."""
    mount_propagation: str | None = None
    """None, HostToContainer or Bidirectional."""
    sub_path_expr: str | None = None
    """Path inside the volume, with environment variables in it."""


class Annotations(base.Section):
    """Annotations of an object."""

    annotations: dict[str, str] = pydantic.Field(default={})
    """Annotations of it."""
