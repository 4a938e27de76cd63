"""What the control plane may do on the host."""

from typing import Any

import pydantic

from nestling.config.models import base


class Role(base.Section):
    """The Role in the host namespace."""

    enabled: bool = True
    """Create it."""
    extra_rules: list[dict[str, Any]] = pydantic.Field(default=[])
    """Further rules."""
    overwrite_rules: list[dict[str, Any]] = pydantic.Field(default=[])
    """All rules, instead of ours."""


class ClusterRole(base.Section):
    """The ClusterRole on the host."""

    enabled: base.StrBool = "auto"
    """Create it; auto means when a feature needs it."""
    extra_rules: list[dict[str, Any]] = pydantic.Field(default=[])
    """Further rules."""
    overwrite_rules: list[dict[str, Any]] = pydantic.Field(default=[])
    """All rules, instead of ours."""


class EnableVolumeSnapshotRules(base.Section):
    """No longer exists: there are no rules for volume snapshots."""

    enabled: base.StrBool | None = None
    """No longer has a meaning."""


class Rbac(base.Section):
    """What the control plane may do on the host."""

    role: base.Part[Role] = base.part(Role)
    cluster_role: base.Part[ClusterRole] = base.part(ClusterRole)
    enable_volume_snapshot_rules: base.Part[EnableVolumeSnapshotRules] | None = None
