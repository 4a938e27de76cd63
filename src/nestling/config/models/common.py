"""Models of common."""

from __future__ import annotations

from typing import Any

import pydantic

from nestling.config.models import base


class PatchReference(base.Section):
    """TODO class sync.toHost.pods.patches[].reference"""

    api_version: str | None = None
    """TODO sync.toHost.pods.patches[].reference.apiVersion"""
    api_version_path: str | None = None
    """TODO sync.toHost.pods.patches[].reference.apiVersionPath"""
    kind: str | None = None
    """TODO sync.toHost.pods.patches[].reference.kind"""
    kind_path: str | None = None
    """TODO sync.toHost.pods.patches[].reference.kindPath"""
    name_path: str | None = None
    """TODO sync.toHost.pods.patches[].reference.namePath"""
    namespace_path: str | None = None
    """TODO sync.toHost.pods.patches[].reference.namespacePath"""


class Patch(base.Section):
    """TODO class sync.toHost.pods.patches[]"""

    path: str | None = None
    """TODO sync.toHost.pods.patches[].path"""
    expression: str | None = None
    """TODO sync.toHost.pods.patches[].expression"""
    reverse_expression: str | None = None
    """TODO sync.toHost.pods.patches[].reverseExpression"""
    reference: base.Part[PatchReference] | None = None
    """TODO sync.toHost.pods.patches[].reference"""
    labels: base.Absent[dict[str, Any]] = pydantic.Field(default={})
    """TODO sync.toHost.pods.patches[].labels"""


class SyncUsed(base.Section):
    """TODO class sync.toHost.secrets"""

    enabled: bool = True
    """TODO sync.toHost.secrets.enabled"""
    all: bool = False
    """TODO sync.toHost.secrets.all"""
    patches: base.Absent[list[base.Part[Patch]]] = pydantic.Field(default=[])
    """TODO sync.toHost.secrets.patches"""


class SyncOff(base.Section):
    """TODO class sync.toHost.ingresses"""

    enabled: bool = False
    """TODO sync.toHost.ingresses.enabled"""
    patches: base.Absent[list[base.Part[Patch]]] = pydantic.Field(default=[])
    """TODO sync.toHost.ingresses.patches"""


class SyncAuto(base.Section):
    """TODO class sync.toHost.gatewayApi.referenceGrants"""

    enabled: base.StrBool = "auto"
    """TODO sync.toHost.gatewayApi.referenceGrants.enabled"""
    patches: base.Absent[list[base.Part[Patch]]] = pydantic.Field(default=[])
    """TODO sync.toHost.gatewayApi.referenceGrants.patches"""


class SyncOn(base.Section):
    """TODO class sync.toHost.services"""

    enabled: bool = True
    """TODO sync.toHost.services.enabled"""
    patches: base.Absent[list[base.Part[Patch]]] = pydantic.Field(default=[])
    """TODO sync.toHost.services.patches"""


class RemovedSync(base.Section):
    """TODO class sync.toHost.volumeSnapshots"""

    enabled: bool | None = None
    """TODO sync.toHost.volumeSnapshots.enabled"""
    patches: base.Absent[list[base.Part[Patch]]] = pydantic.Field(default=[])
    """TODO sync.toHost.volumeSnapshots.patches"""


class NameMappings(base.Section):
    """TODO class sync.toHost.namespaces.mappings"""

    by_name: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """TODO sync.toHost.namespaces.mappings.byName"""


class SelectorRequirement(base.Section):
    """TODO class sync.fromHost.ingressClasses.selector.matchExpressions[]"""

    key: str | None = None
    """TODO sync.fromHost.ingressClasses.selector.matchExpressions[].key"""
    operator: str | None = None
    """TODO sync.fromHost.ingressClasses.selector.matchExpressions[].operator"""
    values: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO sync.fromHost.ingressClasses.selector.matchExpressions[].values"""


class LabelSelector(base.Section):
    """TODO class sync.fromHost.ingressClasses.selector"""

    match_labels: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """TODO sync.fromHost.ingressClasses.selector.matchLabels"""
    match_expressions: base.Absent[list[base.Part[SelectorRequirement]]] = pydantic.Field(default=[])
    """TODO sync.fromHost.ingressClasses.selector.matchExpressions"""


class SyncSelected(base.Section):
    """TODO class sync.fromHost.ingressClasses"""

    enabled: bool = False
    """TODO sync.fromHost.ingressClasses.enabled"""
    patches: base.Absent[list[base.Part[Patch]]] = pydantic.Field(default=[])
    """TODO sync.fromHost.ingressClasses.patches"""
    selector: base.Part[LabelSelector] | None = None
    """TODO sync.fromHost.ingressClasses.selector"""


class SyncMapped(base.Section):
    """TODO class sync.fromHost.configMaps"""

    enabled: bool = False
    """TODO sync.fromHost.configMaps.enabled"""
    patches: base.Absent[list[base.Part[Patch]]] = pydantic.Field(default=[])
    """TODO sync.fromHost.configMaps.patches"""
    mappings: base.Part[NameMappings] = base.part(NameMappings)
    """TODO sync.fromHost.configMaps.mappings"""


class EnabledByDefault(base.Section):
    """TODO class integrations.kubeVirt.webhook"""

    enabled: bool = True
    """TODO integrations.kubeVirt.webhook.enabled"""


class DisabledByDefault(base.Section):
    """TODO class integrations.kubeVirt.sync.dataVolumes"""

    enabled: bool = False
    """TODO integrations.kubeVirt.sync.dataVolumes.enabled"""


class Toggle(base.Section):
    """TODO class deploy.volumeSnapshotController"""

    enabled: bool | None = None
    """TODO deploy.volumeSnapshotController.enabled"""


class NameValue(base.Section):
    """TODO class controlPlane.standalone.joinNode.nodeRegistration.kubeletExtraArgs[]"""

    name: str | None = None
    """TODO controlPlane.standalone.joinNode.nodeRegistration.kubeletExtraArgs[].name"""
    value: str | None = None
    """TODO controlPlane.standalone.joinNode.nodeRegistration.kubeletExtraArgs[].value"""


class Taint(base.Section):
    """TODO class controlPlane.standalone.joinNode.nodeRegistration.taints[]"""

    key: str | None = None
    """TODO controlPlane.standalone.joinNode.nodeRegistration.taints[].key"""
    value: str | None = None
    """TODO controlPlane.standalone.joinNode.nodeRegistration.taints[].value"""
    effect: str | None = None
    """TODO controlPlane.standalone.joinNode.nodeRegistration.taints[].effect"""


class Metadata(base.Section):
    """TODO class controlPlane.backingStore.etcd.deploy.statefulSet.pods"""

    annotations: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.pods.annotations"""
    labels: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.pods.labels"""


class Scheduling(base.Section):
    """TODO class controlPlane.backingStore.etcd.deploy.statefulSet.scheduling"""

    node_selector: dict[str, Any] = pydantic.Field(default={})
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.scheduling.nodeSelector"""
    affinity: dict[str, Any] = pydantic.Field(default={})
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.scheduling.affinity"""
    tolerations: list[dict[str, Any]] = pydantic.Field(default=[])
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.scheduling.tolerations"""
    priority_class_name: str = ""
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.scheduling.priorityClassName"""
    pod_management_policy: str = "Parallel"
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.scheduling.podManagementPolicy"""
    topology_spread_constraints: list[Any] = pydantic.Field(default=[])
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.scheduling.topologySpreadConstraints"""


class Security(base.Section):
    """TODO class controlPlane.backingStore.etcd.deploy.statefulSet.security"""

    pod_security_context: dict[str, Any] = pydantic.Field(default={})
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.security.podSecurityContext"""
    container_security_context: dict[str, Any] = pydantic.Field(default={})
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.security.containerSecurityContext"""


class VolumeMount(base.Section):
    """TODO class controlPlane.backingStore.etcd.deploy.statefulSet.persistence.addVolumeMounts[]"""

    name: str | None = None
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.persistence.addVolumeMounts[].name"""
    read_only: bool | None = None
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.persistence.addVolumeMounts[].readOnly"""
    mount_path: str | None = None
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.persistence.addVolumeMounts[].mountPath"""
    sub_path: str | None = None
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.persistence.addVolumeMounts[].subPath"""
    mount_propagation: str | None = None
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.persistence.addVolumeMounts[].mountPropagation"""
    sub_path_expr: str | None = None
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.persistence.addVolumeMounts[].subPathExpr"""


class Annotations(base.Section):
    """TODO class controlPlane.backingStore.etcd.deploy.headlessService"""

    annotations: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.backingStore.etcd.deploy.headlessService.annotations"""
