"""Models of backing_store_keys."""

from __future__ import annotations

from typing import Any

import pydantic

from nestling.config.models import base, common


class EmbeddedEtcd(base.Section):
    """TODO class controlPlane.backingStore.etcd.embedded"""

    enabled: bool = False
    """TODO controlPlane.backingStore.etcd.embedded.enabled"""
    migrate_from_deployed_etcd: bool = False
    """TODO controlPlane.backingStore.etcd.embedded.migrateFromDeployedEtcd"""
    snapshot_count: int | None = None
    """TODO controlPlane.backingStore.etcd.embedded.snapshotCount"""
    extra_args: list[str] = pydantic.Field(default=[])
    """TODO controlPlane.backingStore.etcd.embedded.extraArgs"""


class Image(base.Section):
    """TODO class controlPlane.backingStore.etcd.deploy.statefulSet.image"""

    registry: str = "registry.k8s.io"
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.image.registry"""
    repository: str = "etcd"
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.image.repository"""
    tag: str = "3.6.8-0"
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.image.tag"""


class Resources(base.Section):
    """TODO class controlPlane.backingStore.etcd.deploy.statefulSet.resources"""

    limits: base.Absent[dict[str, Any]] = pydantic.Field(default={})
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.resources.limits"""
    requests: dict[str, Any] = pydantic.Field(default={"cpu": "20m", "memory": "150Mi"})
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.resources.requests"""


class HighAvailability(base.Section):
    """TODO class controlPlane.backingStore.etcd.deploy.statefulSet.highAvailability"""

    replicas: int = 1
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.highAvailability.replicas"""


class VolumeClaim(base.Section):
    """TODO class controlPlane.backingStore.etcd.deploy.statefulSet.persistence.volumeClaim"""

    enabled: bool = True
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.persistence.volumeClaim.enabled"""
    access_modes: list[str] = pydantic.Field(default=["ReadWriteOnce"])
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.persistence.volumeClaim.accessModes"""
    retention_policy: str = "Retain"
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.persistence.volumeClaim.retentionPolicy"""
    size: str = "5Gi"
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.persistence.volumeClaim.size"""
    storage_class: str = ""
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.persistence.volumeClaim.storageClass"""


class Persistence(base.Section):
    """TODO class controlPlane.backingStore.etcd.deploy.statefulSet.persistence"""

    volume_claim: base.Part[VolumeClaim] = base.part(VolumeClaim)
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.persistence.volumeClaim"""
    volume_claim_templates: list[dict[str, Any]] = pydantic.Field(default=[])
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.persistence.volumeClaimTemplates"""
    add_volumes: list[dict[str, Any]] = pydantic.Field(default=[])
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.persistence.addVolumes"""
    add_volume_mounts: list[base.Part[common.VolumeMount]] = pydantic.Field(default=[])
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.persistence.addVolumeMounts"""


class EtcdStatefulSet(base.Section):
    """TODO class controlPlane.backingStore.etcd.deploy.statefulSet"""

    enabled: bool = True
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.enabled"""
    enable_service_links: bool = True
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.enableServiceLinks"""
    image: base.Part[Image] = base.part(Image)
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.image"""
    image_pull_policy: str = ""
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.imagePullPolicy"""
    env: list[dict[str, Any]] = pydantic.Field(default=[])
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.env"""
    extra_args: list[str] = pydantic.Field(default=[])
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.extraArgs"""
    resources: base.Part[Resources] = base.part(Resources)
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.resources"""
    pods: base.Part[common.Metadata] = base.part(common.Metadata)
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.pods"""
    high_availability: base.Part[HighAvailability] = base.part(HighAvailability)
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.highAvailability"""
    scheduling: base.Part[common.Scheduling] = base.part(common.Scheduling)
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.scheduling"""
    security: base.Part[common.Security] = base.part(common.Security)
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.security"""
    persistence: base.Part[Persistence] = base.part(Persistence)
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.persistence"""
    annotations: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.annotations"""
    labels: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet.labels"""


class Service(base.Section):
    """TODO class controlPlane.backingStore.etcd.deploy.service"""

    enabled: bool = True
    """TODO controlPlane.backingStore.etcd.deploy.service.enabled"""
    annotations: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.backingStore.etcd.deploy.service.annotations"""


class DeployedEtcd(base.Section):
    """TODO class controlPlane.backingStore.etcd.deploy"""

    enabled: bool = False
    """TODO controlPlane.backingStore.etcd.deploy.enabled"""
    stateful_set: base.Part[EtcdStatefulSet] = base.part(EtcdStatefulSet)
    """TODO controlPlane.backingStore.etcd.deploy.statefulSet"""
    service: base.Part[Service] = base.part(Service)
    """TODO controlPlane.backingStore.etcd.deploy.service"""
    headless_service: base.Part[common.Annotations] = base.part(common.Annotations)
    """TODO controlPlane.backingStore.etcd.deploy.headlessService"""


class Tls(base.Section):
    """TODO class controlPlane.backingStore.etcd.external.tls"""

    ca_file: str = ""
    """TODO controlPlane.backingStore.etcd.external.tls.caFile"""
    cert_file: str = ""
    """TODO controlPlane.backingStore.etcd.external.tls.certFile"""
    key_file: str = ""
    """TODO controlPlane.backingStore.etcd.external.tls.keyFile"""


class ExternalEtcd(base.Section):
    """TODO class controlPlane.backingStore.etcd.external"""

    enabled: bool = False
    """TODO controlPlane.backingStore.etcd.external.enabled"""
    endpoint: str = ""
    """TODO controlPlane.backingStore.etcd.external.endpoint"""
    tls: base.Part[Tls] = base.part(Tls)
    """TODO controlPlane.backingStore.etcd.external.tls"""


class Etcd(base.Section):
    """TODO class controlPlane.backingStore.etcd"""

    embedded: base.Part[EmbeddedEtcd] = base.part(EmbeddedEtcd)
    """TODO controlPlane.backingStore.etcd.embedded"""
    deploy: base.Part[DeployedEtcd] = base.part(DeployedEtcd)
    """TODO controlPlane.backingStore.etcd.deploy"""
    external: base.Part[ExternalEtcd] = base.part(ExternalEtcd)
    """TODO controlPlane.backingStore.etcd.external"""


class EmbeddedDatabase(base.Section):
    """TODO class controlPlane.backingStore.database.embedded"""

    enabled: bool = False
    """TODO controlPlane.backingStore.database.embedded.enabled"""
    data_source: str | None = None
    """TODO controlPlane.backingStore.database.embedded.dataSource"""
    identity_provider: str | None = None
    """TODO controlPlane.backingStore.database.embedded.identityProvider"""
    key_file: str | None = None
    """TODO controlPlane.backingStore.database.embedded.keyFile"""
    cert_file: str | None = None
    """TODO controlPlane.backingStore.database.embedded.certFile"""
    ca_file: str | None = None
    """TODO controlPlane.backingStore.database.embedded.caFile"""
    extra_args: list[str] = pydantic.Field(default=[])
    """TODO controlPlane.backingStore.database.embedded.extraArgs"""


class ExternalDatabase(base.Section):
    """TODO class controlPlane.backingStore.database.external"""

    enabled: bool = False
    """TODO controlPlane.backingStore.database.external.enabled"""
    data_source: str = ""
    """TODO controlPlane.backingStore.database.external.dataSource"""
    identity_provider: str = ""
    """TODO controlPlane.backingStore.database.external.identityProvider"""
    key_file: str = ""
    """TODO controlPlane.backingStore.database.external.keyFile"""
    cert_file: str = ""
    """TODO controlPlane.backingStore.database.external.certFile"""
    ca_file: str = ""
    """TODO controlPlane.backingStore.database.external.caFile"""
    extra_args: list[str] = pydantic.Field(default=[])
    """TODO controlPlane.backingStore.database.external.extraArgs"""
    connector: str = ""
    """TODO controlPlane.backingStore.database.external.connector"""


class Database(base.Section):
    """TODO class controlPlane.backingStore.database"""

    embedded: base.Part[EmbeddedDatabase] = base.part(EmbeddedDatabase)
    """TODO controlPlane.backingStore.database.embedded"""
    external: base.Part[ExternalDatabase] = base.part(ExternalDatabase)
    """TODO controlPlane.backingStore.database.external"""


class BackingStore(base.Section):
    """TODO class controlPlane.backingStore"""

    etcd: base.Part[Etcd] = base.part(Etcd)
    """TODO controlPlane.backingStore.etcd"""
    database: base.Part[Database] = base.part(Database)
    """TODO controlPlane.backingStore.database"""
