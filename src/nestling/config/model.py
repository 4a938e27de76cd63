"""The whole of ``vcluster.yaml``."""

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
    """Values that charts share; not used here."""
    export_kube_config: base.Part[kubeconfig_keys.ExportKubeConfig] = base.part(kubeconfig_keys.ExportKubeConfig)
    sync: base.Part[sync_keys.Sync] = base.part(sync_keys.Sync)
    integrations: base.Part[integrations_keys.Integrations] = base.part(integrations_keys.Integrations)
    deploy: base.Part[deploy_keys.Deploy] = base.part(deploy_keys.Deploy)
    networking: base.Part[networking_keys.Networking] = base.part(networking_keys.Networking)
    policies: base.Part[policies_keys.Policies] = base.part(policies_keys.Policies)
    control_plane: base.Part[control_plane_keys.ControlPlane] = base.part(control_plane_keys.ControlPlane)
    private_nodes: base.Part[private_nodes_keys.PrivateNodes] = base.part(private_nodes_keys.PrivateNodes)
    rbac: base.Part[rbac_keys.Rbac] = base.part(rbac_keys.Rbac)
    plugins: dict[str, Any] = pydantic.Field(default={})
    """Plugins of vCluster; they are not supported."""
    experimental: base.Part[experimental_keys.Experimental] = base.part(experimental_keys.Experimental)
    telemetry: base.Part[platform_keys.Telemetry] = base.part(platform_keys.Telemetry)
    service_cidr: str | None = pydantic.Field(default=None, alias="serviceCIDR")
    """Addresses of Services; found out from the host when empty."""
    pro: bool | None = None
    """Has no effect: every feature is in the one open build."""
    plugin: base.Absent[dict[str, Any]] = pydantic.Field(default={})
    """Older form of plugins; not supported."""
    logging: base.Part[platform_keys.Logging] = base.part(platform_keys.Logging)
    sleep: base.Part[lifecycle_keys.Sleep] | None = None
    snapshots: base.Part[snapshots_keys.Snapshots] | None = None
    deletion: base.Part[lifecycle_keys.Deletion] | None = None
    platform: base.Part[platform_keys.Platform] | None = None

    _user_values: dict[str, Any] = pydantic.PrivateAttr(default_factory=dict)

    @property
    def virtual_scheduler_enabled(self) -> bool:
        """Whether pods are placed by a scheduler of the virtual cluster (spec §4.1)."""
        return (
            self.control_plane.distro.k8s.scheduler.enabled
            or self.control_plane.advanced.virtual_scheduler.enabled
            or self.sync.to_host.pods.hybrid_scheduling.enabled
        )

    @property
    def user_values(self) -> dict[str, Any]:
        """What the user wrote, merged from all sources, nulls included; the chart's defaults are not in it."""
        return copy.deepcopy(self._user_values)

    def with_user_values(self, values: dict[str, Any]) -> "VClusterConfig":
        """The same configuration that also knows what it was read from."""
        config = self.model_copy()
        config._user_values = copy.deepcopy(values)  # noqa: SLF001  # its own class
        return config
