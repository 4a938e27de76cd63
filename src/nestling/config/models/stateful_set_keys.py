"""The pod of the control plane."""

from typing import Any

import pydantic

from nestling.config.models import base, common


class HighAvailability(base.Section):
    """Several replicas of the control plane."""

    replicas: int = 1
    """How many replicas."""
    lease_duration: int = 60
    """Seconds until another replica takes the controllers over."""
    renew_deadline: int = 40
    """Seconds within which the leader must renew its lease."""
    retry_period: int = 15
    """Seconds between two attempts."""


class Resources(base.Section):
    """Resources of the control plane."""

    limits: dict[str, Any] = pydantic.Field(default={"ephemeral-storage": "10Gi", "memory": "4Gi"})
    """Most that it may use."""
    requests: dict[str, Any] = pydantic.Field(default={"ephemeral-storage": "1Gi", "cpu": "200m", "memory": "256Mi"})
    """What is reserved for it."""


class Security(base.Section):
    """Security contexts of the control plane."""

    pod_security_context: dict[str, Any] = pydantic.Field(default={})
    """Security context of the pod."""
    container_security_context: dict[str, Any] = pydantic.Field(
        default={"allowPrivilegeEscalation": False, "runAsUser": 0, "runAsGroup": 0}
    )
    """Security context of the containers."""


class LivenessProbe(base.Section):
    """When the pod is restarted."""

    enabled: bool = True
    """Whether it is on."""
    failure_threshold: int = 60
    """Failures in a row that count."""
    initial_delay_seconds: int = 60
    """Seconds before the first check."""
    timeout_seconds: int = 3
    """Seconds until a check counts as failed."""
    period_seconds: int = 2
    """Seconds between two checks."""


class ReadinessProbe(base.Section):
    """When the pod gets requests."""

    enabled: bool = True
    """Whether it is on."""
    failure_threshold: int = 60
    """Failures in a row that count."""
    timeout_seconds: int = 3
    """Seconds until a check counts as failed."""
    period_seconds: int = 2
    """Seconds between two checks."""


class StartupProbe(base.Section):
    """How long the first start may take."""

    enabled: bool = True
    """Whether it is on."""
    failure_threshold: int = 300
    """Failures in a row that count."""
    timeout_seconds: int = 3
    """Seconds until a check counts as failed."""
    period_seconds: int = 6
    """Seconds between two checks."""


class Probes(base.Section):
    """Probes of the control plane."""

    liveness_probe: base.Part[LivenessProbe] = base.part(LivenessProbe)
    readiness_probe: base.Part[ReadinessProbe] = base.part(ReadinessProbe)
    startup_probe: base.Part[StartupProbe] = base.part(StartupProbe)


class VolumeClaim(base.Section):
    """The volume of the control plane."""

    enabled: base.StrBool = "auto"
    """Keep the data on a PersistentVolume; auto means when the store is in the pod."""
    access_modes: list[str] = pydantic.Field(default=["ReadWriteOnce"])
    """Access modes of the volume."""
    retention_policy: str = "Retain"
    """Retain or Delete: what becomes of the volume when the virtual cluster is deleted."""
    size: str = "5Gi"
    """Size of the volume."""
    storage_class: str = ""
    """StorageClass of the volume; the default one when empty."""


class Persistence(base.Section):
    """Volumes of the control plane."""

    volume_claim: base.Part[VolumeClaim] = base.part(VolumeClaim)
    volume_claim_templates: list[dict[str, Any]] = pydantic.Field(default=[])
    """Volume claims, instead of ours."""
    data_volume: list[dict[str, Any]] = pydantic.Field(default=[])
    """A volume of your own for /data."""
    binaries_volume: list[dict[str, Any]] = pydantic.Field(default=[{"name": "binaries", "emptyDir": {}}])
    """The volume that holds the Kubernetes binaries."""
    add_volumes: list[dict[str, Any]] = pydantic.Field(default=[])
    """Further volumes, as in a pod."""
    add_volume_mounts: list[base.Part[common.VolumeMount]] = pydantic.Field(default=[])
    """Further mounts, as in a container."""


class Image(base.Section):
    """The image of the control plane."""

    registry: str = "ghcr.io"
    """Registry of the image."""
    repository: str = "loft-sh/vcluster-pro"
    """Repository of the image."""
    tag: str = ""
    """Tag of the image."""


class DnsConfig(base.Section):
    """DNS settings of the pod."""

    nameservers: base.Absent[list[str]] = pydantic.Field(default=[])
    """Name servers."""
    searches: base.Absent[list[str]] = pydantic.Field(default=[])
    """Search domains."""
    options: base.Absent[list[base.Part[common.NameValue]]] = pydantic.Field(default=[])
    """Resolver options."""


class HostAlias(base.Section):
    """Names for one address in /etc/hosts."""

    ip: str | None = None
    """The address."""
    hostnames: base.Absent[list[str]] = pydantic.Field(default=[])
    """Its names."""


class StatefulSet(base.Section):
    """The pod of the control plane."""

    high_availability: base.Part[HighAvailability] = base.part(HighAvailability)
    resources: base.Part[Resources] = base.part(Resources)
    scheduling: base.Part[common.Scheduling] = base.part(common.Scheduling)
    """Where the control plane may run."""
    security: base.Part[Security] = base.part(Security)
    probes: base.Part[Probes] = base.part(Probes)
    persistence: base.Part[Persistence] = base.part(Persistence)
    enable_service_links: bool = True
    """Put addresses of Services into environment variables."""
    annotations: dict[str, str] = pydantic.Field(default={})
    """Annotations of it."""
    labels: dict[str, str] = pydantic.Field(default={})
    """Labels of it."""
    pods: base.Part[common.Metadata] = base.part(common.Metadata)
    """Annotations and labels of the pods."""
    image: base.Part[Image] = base.part(Image)
    image_pull_policy: str = ""
    """Always, IfNotPresent or Never."""
    working_dir: str = ""
    """Working directory of the container."""
    command: list[str] = pydantic.Field(default=[])
    """Command of the container, instead of ours."""
    args: list[str] = pydantic.Field(default=[])
    """Arguments of the container, instead of ours."""
    env: list[dict[str, Any]] = pydantic.Field(default=[])
    """Further environment variables, as in a container."""
    dns_policy: str | None = None
    """DNS policy of the pod."""
    dns_config: base.Part[DnsConfig] | None = None
    init_containers: list[Any] = pydantic.Field(default=[])
    """Further init containers."""
    sidecar_containers: list[Any] = pydantic.Field(default=[])
    """Further containers."""
    host_aliases: list[base.Part[HostAlias]] = pydantic.Field(default=[])
    """Further lines of /etc/hosts."""
    runtime_class_name: str | None = None
    """RuntimeClass of the pod."""
