"""Models of stateful_set_keys."""

from __future__ import annotations

from typing import Any

import pydantic

from nestling.config.models import base, common


class HighAvailability(base.Section):
    """TODO class controlPlane.statefulSet.highAvailability"""

    replicas: int = 1
    """TODO controlPlane.statefulSet.highAvailability.replicas"""
    lease_duration: int = 60
    """TODO controlPlane.statefulSet.highAvailability.leaseDuration"""
    renew_deadline: int = 40
    """TODO controlPlane.statefulSet.highAvailability.renewDeadline"""
    retry_period: int = 15
    """TODO controlPlane.statefulSet.highAvailability.retryPeriod"""


class Resources(base.Section):
    """TODO class controlPlane.statefulSet.resources"""

    limits: dict[str, Any] = pydantic.Field(default={"ephemeral-storage": "10Gi", "memory": "4Gi"})
    """TODO controlPlane.statefulSet.resources.limits"""
    requests: dict[str, Any] = pydantic.Field(default={"ephemeral-storage": "1Gi", "cpu": "200m", "memory": "256Mi"})
    """TODO controlPlane.statefulSet.resources.requests"""


class Security(base.Section):
    """TODO class controlPlane.statefulSet.security"""

    pod_security_context: dict[str, Any] = pydantic.Field(default={})
    """TODO controlPlane.statefulSet.security.podSecurityContext"""
    container_security_context: dict[str, Any] = pydantic.Field(
        default={"allowPrivilegeEscalation": False, "runAsUser": 0, "runAsGroup": 0}
    )
    """TODO controlPlane.statefulSet.security.containerSecurityContext"""


class LivenessProbe(base.Section):
    """TODO class controlPlane.statefulSet.probes.livenessProbe"""

    enabled: bool = True
    """TODO controlPlane.statefulSet.probes.livenessProbe.enabled"""
    failure_threshold: int = 60
    """TODO controlPlane.statefulSet.probes.livenessProbe.failureThreshold"""
    initial_delay_seconds: int = 60
    """TODO controlPlane.statefulSet.probes.livenessProbe.initialDelaySeconds"""
    timeout_seconds: int = 3
    """TODO controlPlane.statefulSet.probes.livenessProbe.timeoutSeconds"""
    period_seconds: int = 2
    """TODO controlPlane.statefulSet.probes.livenessProbe.periodSeconds"""


class ReadinessProbe(base.Section):
    """TODO class controlPlane.statefulSet.probes.readinessProbe"""

    enabled: bool = True
    """TODO controlPlane.statefulSet.probes.readinessProbe.enabled"""
    failure_threshold: int = 60
    """TODO controlPlane.statefulSet.probes.readinessProbe.failureThreshold"""
    timeout_seconds: int = 3
    """TODO controlPlane.statefulSet.probes.readinessProbe.timeoutSeconds"""
    period_seconds: int = 2
    """TODO controlPlane.statefulSet.probes.readinessProbe.periodSeconds"""


class StartupProbe(base.Section):
    """TODO class controlPlane.statefulSet.probes.startupProbe"""

    enabled: bool = True
    """TODO controlPlane.statefulSet.probes.startupProbe.enabled"""
    failure_threshold: int = 300
    """TODO controlPlane.statefulSet.probes.startupProbe.failureThreshold"""
    timeout_seconds: int = 3
    """TODO controlPlane.statefulSet.probes.startupProbe.timeoutSeconds"""
    period_seconds: int = 6
    """TODO controlPlane.statefulSet.probes.startupProbe.periodSeconds"""


class Probes(base.Section):
    """TODO class controlPlane.statefulSet.probes"""

    liveness_probe: base.Part[LivenessProbe] = base.part(LivenessProbe)
    """TODO controlPlane.statefulSet.probes.livenessProbe"""
    readiness_probe: base.Part[ReadinessProbe] = base.part(ReadinessProbe)
    """TODO controlPlane.statefulSet.probes.readinessProbe"""
    startup_probe: base.Part[StartupProbe] = base.part(StartupProbe)
    """TODO controlPlane.statefulSet.probes.startupProbe"""


class VolumeClaim(base.Section):
    """TODO class controlPlane.statefulSet.persistence.volumeClaim"""

    enabled: base.StrBool = "auto"
    """TODO controlPlane.statefulSet.persistence.volumeClaim.enabled"""
    access_modes: list[str] = pydantic.Field(default=["ReadWriteOnce"])
    """TODO controlPlane.statefulSet.persistence.volumeClaim.accessModes"""
    retention_policy: str = "Retain"
    """TODO controlPlane.statefulSet.persistence.volumeClaim.retentionPolicy"""
    size: str = "5Gi"
    """TODO controlPlane.statefulSet.persistence.volumeClaim.size"""
    storage_class: str = ""
    """TODO controlPlane.statefulSet.persistence.volumeClaim.storageClass"""


class Persistence(base.Section):
    """TODO class controlPlane.statefulSet.persistence"""

    volume_claim: base.Part[VolumeClaim] = base.part(VolumeClaim)
    """TODO controlPlane.statefulSet.persistence.volumeClaim"""
    volume_claim_templates: list[dict[str, Any]] = pydantic.Field(default=[])
    """TODO controlPlane.statefulSet.persistence.volumeClaimTemplates"""
    data_volume: list[dict[str, Any]] = pydantic.Field(default=[])
    """TODO controlPlane.statefulSet.persistence.dataVolume"""
    binaries_volume: list[dict[str, Any]] = pydantic.Field(default=[{"name": "binaries", "emptyDir": {}}])
    """TODO controlPlane.statefulSet.persistence.binariesVolume"""
    add_volumes: list[dict[str, Any]] = pydantic.Field(default=[])
    """TODO controlPlane.statefulSet.persistence.addVolumes"""
    add_volume_mounts: list[base.Part[common.VolumeMount]] = pydantic.Field(default=[])
    """TODO controlPlane.statefulSet.persistence.addVolumeMounts"""


class Image(base.Section):
    """TODO class controlPlane.statefulSet.image"""

    registry: str = "ghcr.io"
    """TODO controlPlane.statefulSet.image.registry"""
    repository: str = "loft-sh/vcluster-pro"
    """TODO controlPlane.statefulSet.image.repository"""
    tag: str = ""
    """TODO controlPlane.statefulSet.image.tag"""


class DnsConfig(base.Section):
    """TODO class controlPlane.statefulSet.dnsConfig"""

    nameservers: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO controlPlane.statefulSet.dnsConfig.nameservers"""
    searches: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO controlPlane.statefulSet.dnsConfig.searches"""
    options: base.Absent[list[base.Part[common.NameValue]]] = pydantic.Field(default=[])
    """TODO controlPlane.statefulSet.dnsConfig.options"""


class HostAlias(base.Section):
    """TODO class controlPlane.statefulSet.hostAliases[]"""

    ip: str | None = None
    """TODO controlPlane.statefulSet.hostAliases[].ip"""
    hostnames: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO controlPlane.statefulSet.hostAliases[].hostnames"""


class StatefulSet(base.Section):
    """TODO class controlPlane.statefulSet"""

    high_availability: base.Part[HighAvailability] = base.part(HighAvailability)
    """TODO controlPlane.statefulSet.highAvailability"""
    resources: base.Part[Resources] = base.part(Resources)
    """TODO controlPlane.statefulSet.resources"""
    scheduling: base.Part[common.Scheduling] = base.part(common.Scheduling)
    """TODO controlPlane.statefulSet.scheduling"""
    security: base.Part[Security] = base.part(Security)
    """TODO controlPlane.statefulSet.security"""
    probes: base.Part[Probes] = base.part(Probes)
    """TODO controlPlane.statefulSet.probes"""
    persistence: base.Part[Persistence] = base.part(Persistence)
    """TODO controlPlane.statefulSet.persistence"""
    enable_service_links: bool = True
    """TODO controlPlane.statefulSet.enableServiceLinks"""
    annotations: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.statefulSet.annotations"""
    labels: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.statefulSet.labels"""
    pods: base.Part[common.Metadata] = base.part(common.Metadata)
    """TODO controlPlane.statefulSet.pods"""
    image: base.Part[Image] = base.part(Image)
    """TODO controlPlane.statefulSet.image"""
    image_pull_policy: str = ""
    """TODO controlPlane.statefulSet.imagePullPolicy"""
    working_dir: str = ""
    """TODO controlPlane.statefulSet.workingDir"""
    command: list[str] = pydantic.Field(default=[])
    """TODO controlPlane.statefulSet.command"""
    args: list[str] = pydantic.Field(default=[])
    """TODO controlPlane.statefulSet.args"""
    env: list[dict[str, Any]] = pydantic.Field(default=[])
    """TODO controlPlane.statefulSet.env"""
    dns_policy: str | None = None
    """TODO controlPlane.statefulSet.dnsPolicy"""
    dns_config: base.Part[DnsConfig] | None = None
    """TODO controlPlane.statefulSet.dnsConfig"""
    init_containers: list[Any] = pydantic.Field(default=[])
    """TODO controlPlane.statefulSet.initContainers"""
    sidecar_containers: list[Any] = pydantic.Field(default=[])
    """TODO controlPlane.statefulSet.sidecarContainers"""
    host_aliases: list[base.Part[HostAlias]] = pydantic.Field(default=[])
    """TODO controlPlane.statefulSet.hostAliases"""
    runtime_class_name: str | None = None
    """TODO controlPlane.statefulSet.runtimeClassName"""
