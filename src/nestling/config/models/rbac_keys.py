"""Models of rbac_keys."""

from __future__ import annotations

from typing import Any

import pydantic

from nestling.config.models import base


class Role(base.Section):
    """TODO class rbac.role"""

    enabled: bool = True
    """TODO rbac.role.enabled"""
    extra_rules: list[dict[str, Any]] = pydantic.Field(default=[])
    """TODO rbac.role.extraRules"""
    overwrite_rules: list[dict[str, Any]] = pydantic.Field(default=[])
    """TODO rbac.role.overwriteRules"""


class ClusterRole(base.Section):
    """TODO class rbac.clusterRole"""

    enabled: base.StrBool = "auto"
    """TODO rbac.clusterRole.enabled"""
    extra_rules: list[dict[str, Any]] = pydantic.Field(default=[])
    """TODO rbac.clusterRole.extraRules"""
    overwrite_rules: list[dict[str, Any]] = pydantic.Field(default=[])
    """TODO rbac.clusterRole.overwriteRules"""


class EnableVolumeSnapshotRules(base.Section):
    """TODO class rbac.enableVolumeSnapshotRules"""

    enabled: base.StrBool | None = None
    """TODO rbac.enableVolumeSnapshotRules.enabled"""


class Rbac(base.Section):
    """TODO class rbac"""

    role: base.Part[Role] = base.part(Role)
    """TODO rbac.role"""
    cluster_role: base.Part[ClusterRole] = base.part(ClusterRole)
    """TODO rbac.clusterRole"""
    enable_volume_snapshot_rules: base.Part[EnableVolumeSnapshotRules] | None = None
    """TODO rbac.enableVolumeSnapshotRules"""
