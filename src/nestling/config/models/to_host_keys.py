"""What goes from the virtual cluster to the host."""

from typing import Any

import pydantic

from nestling.config.models import base, common, gateway_api_keys


class Image(base.Section):
    """The image of the container that rewrites /etc/hosts."""

    registry: str = "mirror.gcr.io"
    """Registry of the image."""
    repository: str = "library/alpine"
    """Repository of the image."""
    tag: str = "3.20"
    """Tag of the image."""


class Resources(base.Section):
    """Resources of the container that rewrites /etc/hosts."""

    limits: dict[str, Any] = pydantic.Field(default={"cpu": "30m", "memory": "64Mi"})
    """Most that it may use."""
    requests: dict[str, Any] = pydantic.Field(default={"cpu": "30m", "memory": "64Mi"})
    """What is reserved for it."""


class InitContainer(base.Section):
    """The container that rewrites /etc/hosts."""

    image: base.Part[Image] = base.part(Image)
    resources: base.Part[Resources] = base.part(Resources)


class RewriteHosts(base.Section):
    """For pods with a subdomain: an init container makes the full host name resolve inside the pod."""

    enabled: bool = True
    """Add the init container to pods that set spec.subdomain."""
    init_container: base.Part[InitContainer] = base.part(InitContainer)


class HybridScheduling(base.Section):
    """The virtual scheduler places all pods except those that name a scheduler of the host."""

    enabled: bool = False
    """Let both schedulers work side by side."""
    host_schedulers: list[str] = pydantic.Field(default=[])
    """Names of host schedulers whose pods are left to the host."""


class Pods(base.Section):
    """Pods: what actually runs is a translated copy on the host."""

    enabled: bool = True
    """Sync pods to the host. Without it nothing runs."""
    translate_image: dict[str, str] = pydantic.Field(default={})
    """Replace an image by another one, by its exact name."""
    enforce_tolerations: list[str] = pydantic.Field(default=[])
    """Tolerations added to every pod: key=value:Effect, key:Effect, key, or * for all."""
    use_secrets_for_sa_tokens: bool = pydantic.Field(default=False, alias="useSecretsForSATokens")
    """Deliver service account tokens of pods in Secrets. Nestling always does."""
    runtime_class_name: str = ""
    """RuntimeClass of the host for every pod, whatever the pod says."""
    priority_class_name: str = ""
    """PriorityClass of the host for pods that end up without one."""
    rewrite_hosts: base.Part[RewriteHosts] = base.part(RewriteHosts)
    patches: base.Absent[list[base.Part[common.Patch]]] = pydantic.Field(default=[])
    """Changes to the objects while they are synced."""
    hybrid_scheduling: base.Part[HybridScheduling] = base.part(HybridScheduling)


class CustomResourceToHost(base.Section):
    """Sync of one kind of custom resource to the host."""

    enabled: bool | None = None
    """Sync objects of this kind to the host."""
    scope: str | None = None
    """Namespaced; no other scope can go to the host."""
    patches: base.Absent[list[base.Part[common.Patch]]] = pydantic.Field(default=[])
    """Changes to the objects while they are synced."""


class Namespaces(base.Section):
    """Give namespaces of the virtual cluster host namespaces of their own, by pattern."""

    enabled: bool = False
    """Sync namespaces; cannot be changed after installation."""
    patches: base.Absent[list[base.Part[common.Patch]]] = pydantic.Field(default=[])
    """Changes to the objects while they are synced."""
    mappings: base.Part[common.NameMappings] | None = None
    """Which virtual namespace becomes which host namespace."""
    mappings_only: bool = False
    """Refuse virtual namespaces that no pattern covers."""
    extra_labels: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """Labels for the host namespaces."""


class ToHost(base.Section):
    """What goes from the virtual cluster to the host."""

    pods: base.Part[Pods] = base.part(Pods)
    secrets: base.Part[common.SyncUsed] = base.part(common.SyncUsed)
    """Secrets; by default those that a synced object uses."""
    config_maps: base.Part[common.SyncUsed] = base.part(common.SyncUsed)
    """ConfigMaps; by default those that a synced object uses."""
    ingresses: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """Ingresses, served by an ingress controller of the host."""
    gateway_api: base.Part[gateway_api_keys.GatewayApi] = base.part(gateway_api_keys.GatewayApi)
    services: base.Part[common.SyncOn] = base.part(common.SyncOn)
    """Services; both sides have the same ClusterIP."""
    endpoints: base.Part[common.SyncOn] = base.part(common.SyncOn)
    """Endpoints of Services without a selector."""
    endpoint_slices: base.Part[common.SyncOn] = base.part(common.SyncOn)
    """EndpointSlices of Services without a selector."""
    network_policies: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """NetworkPolicies, enforced by the host's network plugin."""
    persistent_volume_claims: base.Part[common.SyncOn] = base.part(common.SyncOn)
    """PersistentVolumeClaims, provisioned by the host."""
    persistent_volumes: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """PersistentVolumes as real objects; without it stand-ins show what claims are bound to."""
    volume_snapshots: base.Part[common.RemovedSync] | None = None
    """No longer exists: VolumeSnapshots are not synced."""
    volume_snapshot_contents: base.Part[common.RemovedSync] | None = None
    """No longer exists: VolumeSnapshotContents are not synced."""
    storage_classes: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """StorageClasses that tenants create; excludes taking those of the host."""
    service_accounts: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """ServiceAccounts, for example for workload identity of a cloud."""
    pod_disruption_budgets: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """PodDisruptionBudgets, honoured when host nodes are drained."""
    priority_classes: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """PriorityClasses that tenants create; excludes taking those of the host."""
    custom_resources: base.Absent[dict[str, base.Part[CustomResourceToHost]]] = pydantic.Field(default={})
    """Custom resources by plural.group, optionally with /version."""
    namespaces: base.Part[Namespaces] = base.part(Namespaces)
    resource_claims: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """ResourceClaims of dynamic resource allocation."""
    resource_claim_templates: base.Part[common.SyncOff] = base.part(common.SyncOff)
    """ResourceClaimTemplates of dynamic resource allocation."""
