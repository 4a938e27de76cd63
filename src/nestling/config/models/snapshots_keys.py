"""Snapshots on a schedule."""

from nestling.config.models import base


class Retention(base.Section):
    """How long snapshots are kept."""

    period: int | None = None
    """Days to keep one."""
    max_snapshots: int | None = None
    """How many to keep."""


class CredentialSecret(base.Section):
    """A Secret with credentials."""

    secret_name: str | None = None
    """Name of the Secret."""
    secret_namespace: str | None = None
    """Namespace of the Secret."""


class S3(base.Section):
    """S3 or a compatible store."""

    url: str | None = None
    """s3://bucket/key."""
    credential: base.Part[CredentialSecret] | None = None


class Oci(base.Section):
    """A container registry."""

    repository: str | None = None
    """registry/repository."""
    credential: base.Part[CredentialSecret] | None = None
    username: str | None = None
    """User name."""
    password: str | None = None
    """Password."""


class Volume(base.Section):
    """A volume for snapshots."""

    name: str | None = None
    """Name of the volume."""
    path: str | None = None
    """Where it is mounted."""


class Container(base.Section):
    """A folder in the pod."""

    path: str | None = None
    """The folder."""
    volume: base.Part[Volume] | None = None


class Azure(base.Section):
    """Azure Blob Storage."""

    blob_url: str | None = None
    """Address of the blob."""
    credential: base.Part[CredentialSecret] | None = None


class Storage(base.Section):
    """Where snapshots go."""

    type: str | None = None
    """s3, oci, container or azure: which of the blocks below counts."""
    s3: base.Part[S3] | None = None
    oci: base.Part[Oci] | None = None
    container: base.Part[Container] | None = None
    azure: base.Part[Azure] | None = None


class AutoSnapshots(base.Section):
    """Snapshots on a schedule."""

    schedule: str | None = None
    """When, as a cron expression."""
    timezone: str | None = None
    """Time zone of the schedules, such as Europe/Vienna."""
    retention: base.Part[Retention] | None = None
    storage: base.Part[Storage] | None = None


class Snapshots(base.Section):
    """Snapshots of the virtual cluster."""

    auto: base.Part[AutoSnapshots] | None = None
