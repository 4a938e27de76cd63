"""Models of snapshots_keys."""

from __future__ import annotations

from nestling.config.models import base


class Retention(base.Section):
    """TODO class snapshots.auto.retention"""

    period: int | None = None
    """TODO snapshots.auto.retention.period"""
    max_snapshots: int | None = None
    """TODO snapshots.auto.retention.maxSnapshots"""


class CredentialSecret(base.Section):
    """TODO class snapshots.auto.storage.s3.credential"""

    secret_name: str | None = None
    """TODO snapshots.auto.storage.s3.credential.secretName"""
    secret_namespace: str | None = None
    """TODO snapshots.auto.storage.s3.credential.secretNamespace"""


class S3(base.Section):
    """TODO class snapshots.auto.storage.s3"""

    url: str | None = None
    """TODO snapshots.auto.storage.s3.url"""
    credential: base.Part[CredentialSecret] | None = None
    """TODO snapshots.auto.storage.s3.credential"""


class Oci(base.Section):
    """TODO class snapshots.auto.storage.oci"""

    repository: str | None = None
    """TODO snapshots.auto.storage.oci.repository"""
    credential: base.Part[CredentialSecret] | None = None
    """TODO snapshots.auto.storage.oci.credential"""
    username: str | None = None
    """TODO snapshots.auto.storage.oci.username"""
    password: str | None = None
    """TODO snapshots.auto.storage.oci.password"""


class Volume(base.Section):
    """TODO class snapshots.auto.storage.container.volume"""

    name: str | None = None
    """TODO snapshots.auto.storage.container.volume.name"""
    path: str | None = None
    """TODO snapshots.auto.storage.container.volume.path"""


class Container(base.Section):
    """TODO class snapshots.auto.storage.container"""

    path: str | None = None
    """TODO snapshots.auto.storage.container.path"""
    volume: base.Part[Volume] | None = None
    """TODO snapshots.auto.storage.container.volume"""


class Azure(base.Section):
    """TODO class snapshots.auto.storage.azure"""

    blob_url: str | None = None
    """TODO snapshots.auto.storage.azure.blobUrl"""
    credential: base.Part[CredentialSecret] | None = None
    """TODO snapshots.auto.storage.azure.credential"""


class Storage(base.Section):
    """TODO class snapshots.auto.storage"""

    type: str | None = None
    """TODO snapshots.auto.storage.type"""
    s3: base.Part[S3] | None = None
    """TODO snapshots.auto.storage.s3"""
    oci: base.Part[Oci] | None = None
    """TODO snapshots.auto.storage.oci"""
    container: base.Part[Container] | None = None
    """TODO snapshots.auto.storage.container"""
    azure: base.Part[Azure] | None = None
    """TODO snapshots.auto.storage.azure"""


class AutoSnapshots(base.Section):
    """TODO class snapshots.auto"""

    schedule: str | None = None
    """TODO snapshots.auto.schedule"""
    timezone: str | None = None
    """TODO snapshots.auto.timezone"""
    retention: base.Part[Retention] | None = None
    """TODO snapshots.auto.retention"""
    storage: base.Part[Storage] | None = None
    """TODO snapshots.auto.storage"""


class Snapshots(base.Section):
    """TODO class snapshots"""

    auto: base.Part[AutoSnapshots] | None = None
    """TODO snapshots.auto"""
