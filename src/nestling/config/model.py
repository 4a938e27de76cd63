"""The whole of ``vcluster.yaml``."""

from __future__ import annotations

import copy
from typing import Any

import pydantic

from nestling.config.models import (
    base,
    control_plane_keys,
    deploy_keys,
    experimental_keys,
    integrations_keys,
    kubeconfig_keys,
    lifecycle_keys,
    networking_keys,
    platform_keys,
    policies_keys,
    private_nodes_keys,
    rbac_keys,
    snapshots_keys,
    sync_keys,
)


class VClusterConfig(base.Section):
    """The configuration of one virtual cluster; every key of the Helm values of vCluster."""

    global_: Any = None
    """TODO global"""
    export_kube_config: base.Part[kubeconfig_keys.ExportKubeConfig] = base.part(kubeconfig_keys.ExportKubeConfig)
    """TODO exportKubeConfig"""
    sync: base.Part[sync_keys.Sync] = base.part(sync_keys.Sync)
    """TODO sync"""
    integrations: base.Part[integrations_keys.Integrations] = base.part(integrations_keys.Integrations)
    """TODO integrations"""
    deploy: base.Part[deploy_keys.Deploy] = base.part(deploy_keys.Deploy)
    """TODO deploy"""
    networking: base.Part[networking_keys.Networking] = base.part(networking_keys.Networking)
    """TODO networking"""
    policies: base.Part[policies_keys.Policies] = base.part(policies_keys.Policies)
    """TODO policies"""
    control_plane: base.Part[control_plane_keys.ControlPlane] = base.part(control_plane_keys.ControlPlane)
    """TODO controlPlane"""
    private_nodes: base.Part[private_nodes_keys.PrivateNodes] = base.part(private_nodes_keys.PrivateNodes)
    """TODO privateNodes"""
    rbac: base.Part[rbac_keys.Rbac] = base.part(rbac_keys.Rbac)
    """TODO rbac"""
    plugins: dict[str, Any] = pydantic.Field(default={})
    """TODO plugins"""
    experimental: base.Part[experimental_keys.Experimental] = base.part(experimental_keys.Experimental)
    """TODO experimental"""
    telemetry: base.Part[platform_keys.Telemetry] = base.part(platform_keys.Telemetry)
    """TODO telemetry"""
    service_cidr: str | None = pydantic.Field(default=None, alias="serviceCIDR")
    """TODO serviceCIDR"""
    pro: bool | None = None
    """TODO pro"""
    plugin: base.Absent[dict[str, Any]] = pydantic.Field(default={})
    """TODO plugin"""
    logging: base.Part[platform_keys.Logging] = base.part(platform_keys.Logging)
    """TODO logging"""
    sleep: base.Part[lifecycle_keys.Sleep] | None = None
    """TODO sleep"""
    snapshots: base.Part[snapshots_keys.Snapshots] | None = None
    """TODO snapshots"""
    deletion: base.Part[lifecycle_keys.Deletion] | None = None
    """TODO deletion"""
    platform: base.Part[platform_keys.Platform] | None = None
    """TODO platform"""

    _user_values: dict[str, Any] = pydantic.PrivateAttr(default_factory=dict)

    @property
    def user_values(self) -> dict[str, Any]:
        """What the user wrote, merged from all sources, nulls included; the chart's defaults are not in it."""
        return copy.deepcopy(self._user_values)

    def with_user_values(self, values: dict[str, Any]) -> VClusterConfig:
        """The same configuration that also knows what it was read from."""
        config = self.model_copy()
        config._user_values = copy.deepcopy(values)  # noqa: SLF001  # its own class
        return config
