"""Where a virtual cluster keeps its objects."""

from typing import Any

import pydantic

from nestling.config.models import base, common


class EmbeddedEtcd(base.Section):
    """etcd next to the control plane, in the same pod. The default of Nestling."""

    enabled: bool = False
    """Use it."""
    migrate_from_deployed_etcd: bool = False
    """Take the data of a deployed etcd over."""
    snapshot_count: int | None = None
    """How many changes etcd keeps in memory before it writes a snapshot."""
    extra_args: list[str] = pydantic.Field(default=[])
    """Further arguments, as --name=value; one that we set too is replaced."""


class Image(base.Section):
    """The image of etcd."""

    registry: str = "registry.k8s.io"
    """Registry of the image."""
    repository: str = "etcd"
    """Repository of the image."""
    tag: str = "3.6.8-0"
    """Tag of the image."""


class Resources(base.Section):
    """Resources of etcd."""

    limits: base.Absent[dict[str, Any]] = pydantic.Field(default={})
    """Most that it may use."""
    requests: dict[str, Any] = pydantic.Field(default={"cpu": "20m", "memory": "150Mi"})
    """What is reserved for it."""


class HighAvailability(base.Section):
    """How many members etcd has."""

    replicas: int = 1
    """Members: 1, 3 or 5."""


class VolumeClaim(base.Section):
    """The volume of each member."""

    enabled: bool = True
    """Keep the data on a PersistentVolume."""
    access_modes: list[str] = pydantic.Field(default=["ReadWriteOnce"])
    """Access modes of the volume."""
    retention_policy: str = "Retain"
    """Retain or Delete: what becomes of the volume when the virtual cluster is deleted."""
    size: str = "5Gi"
    """Size of the volume."""
    storage_class: str = ""
    """StorageClass of the volume; the default one when empty."""


class Persistence(base.Section):
    """Volumes of etcd."""

    volume_claim: base.Part[VolumeClaim] = base.part(VolumeClaim)
    volume_claim_templates: list[dict[str, Any]] = pydantic.Field(default=[])
    """Volume claims, instead of ours."""
    add_volumes: list[dict[str, Any]] = pydantic.Field(default=[])
    """Further volumes, as in a pod."""
    add_volume_mounts: list[base.Part[common.VolumeMount]] = pydantic.Field(default=[])
    """Further mounts, as in a container."""


class EtcdStatefulSet(base.Section):
    """The StatefulSet of etcd."""

    enabled: bool = True
    """Create it."""
    enable_service_links: bool = True
    """Put addresses of Services into environment variables."""
    image: base.Part[Image] = base.part(Image)
    image_pull_policy: str = ""
    """Always, IfNotPresent or Never."""
    env: list[dict[str, Any]] = pydantic.Field(default=[])
    """Further environment variables, as in a container."""
    extra_args: list[str] = pydantic.Field(default=[])
    """Further arguments, as --name=value; one that we set too is replaced."""
    resources: base.Part[Resources] = base.part(Resources)
    pods: base.Part[common.Metadata] = base.part(common.Metadata)
    high_availability: base.Part[HighAvailability] = base.part(HighAvailability)
    scheduling: base.Part[common.Scheduling] = base.part(common.Scheduling)
    security: base.Part[common.Security] = base.part(common.Security)
    persistence: base.Part[Persistence] = base.part(Persistence)
    annotations: dict[str, str] = pydantic.Field(default={})
    """Annotations of it."""
    labels: dict[str, str] = pydantic.Field(default={})
    """Labels of it."""


class Service(base.Section):
    """The Service of etcd."""

    enabled: bool = True
    """Create it."""
    annotations: dict[str, str] = pydantic.Field(default={})
    """Annotations of it."""


class DeployedEtcd(base.Section):
    """etcd as a StatefulSet of its own."""

    enabled: bool = False
    """Use it."""
    stateful_set: base.Part[EtcdStatefulSet] = base.part(EtcdStatefulSet)
    service: base.Part[Service] = base.part(Service)
    headless_service: base.Part[common.Annotations] = base.part(common.Annotations)
    """The headless Service of etcd."""


class Tls(base.Section):
    """Certificates for the connection to etcd, as paths in the pod."""

    ca_file: str = ""
    """File with the certificates to trust."""
    cert_file: str = ""
    """File with the client certificate."""
    key_file: str = ""
    """File with the client key."""


class ExternalEtcd(base.Section):
    """An etcd that you run."""

    enabled: bool = False
    """Use it."""
    endpoint: str = ""
    """Its address, such as etcd.example.com:2379."""
    tls: base.Part[Tls] = base.part(Tls)


class Etcd(base.Section):
    """etcd: embedded, deployed or your own."""

    embedded: base.Part[EmbeddedEtcd] = base.part(EmbeddedEtcd)
    deploy: base.Part[DeployedEtcd] = base.part(DeployedEtcd)
    external: base.Part[ExternalEtcd] = base.part(ExternalEtcd)


class EmbeddedDatabase(base.Section):
    """SQLite next to the control plane, behind kine; for one replica."""

    enabled: bool = False
    """Use it."""
    data_source: str | None = None
    """Connection text, such as mysql://user:password@tcp(host:3306)/name."""
    identity_provider: str | None = None
    """Log in by identity instead of a password; aws for RDS."""
    key_file: str | None = None
    """File with the client key."""
    cert_file: str | None = None
    """File with the client certificate."""
    ca_file: str | None = None
    """File with the certificates to trust."""
    extra_args: list[str] = pydantic.Field(default=[])
    """Further arguments, as --name=value; one that we set too is replaced."""


class ExternalDatabase(base.Section):
    """A database server of yours, behind kine."""

    enabled: bool = False
    """Use it."""
    data_source: str = ""
    """Connection text, such as mysql://user:password@tcp(host:3306)/name."""
    identity_provider: str = ""
    """Log in by identity instead of a password; aws for RDS."""
    key_file: str = ""
    """File with the client key."""
    cert_file: str = ""
    """File with the client certificate."""
    ca_file: str = ""
    """File with the certificates to trust."""
    extra_args: list[str] = pydantic.Field(default=[])
    """Further arguments, as --name=value; one that we set too is replaced."""
    connector: str = ""
    """Secret that says how to connect."""


class Database(base.Section):
    """A database behind kine."""

    embedded: base.Part[EmbeddedDatabase] = base.part(EmbeddedDatabase)
    external: base.Part[ExternalDatabase] = base.part(ExternalDatabase)


class BackingStore(base.Section):
    """Where the virtual cluster keeps its objects; at most one. etcd in the pod when none is set."""

    etcd: base.Part[Etcd] = base.part(Etcd)
    database: base.Part[Database] = base.part(Database)
