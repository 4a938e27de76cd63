"""Models of to_host_keys."""

from __future__ import annotations

from typing import Any

import pydantic

from nestling.config.models import base, common, gateway_api_keys


class Image(base.Section):
    """TODO class sync.toHost.pods.rewriteHosts.initContainer.image"""

    registry: str = "mirror.gcr.io"
    """TODO sync.toHost.pods.rewriteHosts.initContainer.image.registry"""
    repository: str = "library/alpine"
    """TODO sync.toHost.pods.rewriteHosts.initContainer.image.repository"""
    tag: str = "3.20"
    """TODO sync.toHost.pods.rewriteHosts.initContainer.image.tag"""


class Resources(base.Section):
    """TODO class sync.toHost.pods.rewriteHosts.initContainer.resources"""

    limits: dict[str, Any] = pydantic.Field(default={"cpu": "30m", "memory": "64Mi"})
    """TODO sync.toHost.pods.rewriteHosts.initContainer.resources.limits"""
    requests: dict[str, Any] = pydantic.Field(default={"cpu": "30m", "memory": "64Mi"})
    """TODO sync.toHost.pods.rewriteHosts.initContainer.resources.requests"""


class InitContainer(base.Section):
    """TODO class sync.toHost.pods.rewriteHosts.initContainer"""

    image: base.Part[Image] = base.part(Image)
    """TODO sync.toHost.pods.rewriteHosts.initContainer.image"""
    resources: base.Part[Resources] = base.part(Resources)
    """TODO sync.toHost.pods.rewriteHosts.initContainer.resources"""


class RewriteHosts(base.Section):
    """TODO class sync.toHost.pods.rewriteHosts"""

    enabled: bool = True
    """TODO sync.toHost.pods.rewriteHosts.enabled"""
    init_container: base.Part[InitContainer] = base.part(InitContainer)
    """TODO sync.toHost.pods.rewriteHosts.initContainer"""


class HybridScheduling(base.Section):
    """TODO class sync.toHost.pods.hybridScheduling"""

    enabled: bool = False
    """TODO sync.toHost.pods.hybridScheduling.enabled"""
    host_schedulers: list[str] = pydantic.Field(default=[])
    """TODO sync.toHost.pods.hybridScheduling.hostSchedulers"""


class Pods(base.Section):
    """TODO class sync.toHost.pods"""

    enabled: bool = True
    """TODO sync.toHost.pods.enabled"""
    translate_image: dict[str, str] = pydantic.Field(default={})
    """TODO sync.toHost.pods.translateImage"""
    enforce_tolerations: list[str] = pydantic.Field(default=[])
    """TODO sync.toHost.pods.enforceTolerations"""
    use_secrets_for_sa_tokens: bool = pydantic.Field(default=False, alias="useSecretsForSATokens")
    """TODO sync.toHost.pods.useSecretsForSATokens"""
    runtime_class_name: str = ""
    """TODO sync.toHost.pods.runtimeClassName"""
    priority_class_name: str = ""
    """TODO sync.toHost.pods.priorityClassName"""
    rewrite_hosts: base.Part[RewriteHosts] = base.part(RewriteHosts)
    """TODO sync.toHost.pods.rewriteHosts"""
    patches: base.Absent[list[base.Part[common.Patch]]] = pydantic.Field(default=[])
    """TODO sync.toHost.pods.patches"""
    hybrid_scheduling: base.Part[HybridScheduling] = base.part(HybridScheduling)
    """TODO sync.toHost.pods.hybridScheduling"""


class CustomResourceToHost(base.Section):
    """TODO class sync.toHost.customResources.<name>"""

    enabled: bool | None = None
    """TODO sync.toHost.customResources.<name>.enabled"""
    scope: str | None = None
    """TODO sync.toHost.customResources.<name>.scope"""
    patches: base.Absent[list[base.Part[common.Patch]]] = pydantic.Field(default=[])
    """TODO sync.toHost.customResources.<name>.patches"""


class Namespaces(base.Section):
    """TODO class sync.toHost.namespaces"""

    enabled: bool = False
    """TODO sync.toHost.namespaces.enabled"""
    patches: base.Absent[list[base.Part[common.Patch]]] = pydantic.Field(default=[])
    """TODO sync.toHost.namespaces.patches"""
    mappings: base.Part[common.NameMappings] | None = None
    """TODO sync.toHost.namespaces.mappings"""
    mappings_only: bool = False
    """TODO sync.toHost.namespaces.mappingsOnly"""
    extra_labels: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """TODO sync.toHost.namespaces.extraLabels"""


class ToHost(base.Section):
    """TODO class sync.toHost"""

    pods: base.Part[Pods] = base.part(Pods)
    """TODO sync.toHost.pods"""
    secrets: base.Part[common.SyncUsed] = base.part(common.SyncUsed)
    """TODO sync.toHost.secrets"""
    config_maps: base.Part[common.SyncUsed] = base.part(common.SyncUsed)
    """TODO sync.toHost.configMaps"""
    ingresses: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """TODO sync.toHost.ingresses"""
    gateway_api: base.Part[gateway_api_keys.GatewayApi] = base.part(gateway_api_keys.GatewayApi)
    """TODO sync.toHost.gatewayApi"""
    services: base.Part[common.SyncOn] = base.part(common.SyncOn)
    """TODO sync.toHost.services"""
    endpoints: base.Part[common.SyncOn] = base.part(common.SyncOn)
    """TODO sync.toHost.endpoints"""
    endpoint_slices: base.Part[common.SyncOn] = base.part(common.SyncOn)
    """TODO sync.toHost.endpointSlices"""
    network_policies: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """TODO sync.toHost.networkPolicies"""
    persistent_volume_claims: base.Part[common.SyncOn] = base.part(common.SyncOn)
    """TODO sync.toHost.persistentVolumeClaims"""
    persistent_volumes: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """TODO sync.toHost.persistentVolumes"""
    volume_snapshots: base.Part[common.RemovedSync] | None = None
    """TODO sync.toHost.volumeSnapshots"""
    volume_snapshot_contents: base.Part[common.RemovedSync] | None = None
    """TODO sync.toHost.volumeSnapshotContents"""
    storage_classes: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """TODO sync.toHost.storageClasses"""
    service_accounts: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """TODO sync.toHost.serviceAccounts"""
    pod_disruption_budgets: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """TODO sync.toHost.podDisruptionBudgets"""
    priority_classes: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """TODO sync.toHost.priorityClasses"""
    custom_resources: base.Absent[dict[str, base.Part[CustomResourceToHost]]] = pydantic.Field(default={})
    """TODO sync.toHost.customResources"""
    namespaces: base.Part[Namespaces] = base.part(Namespaces)
    """TODO sync.toHost.namespaces"""
    resource_claims: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """TODO sync.toHost.resourceClaims"""
    resource_claim_templates: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """TODO sync.toHost.resourceClaimTemplates"""
