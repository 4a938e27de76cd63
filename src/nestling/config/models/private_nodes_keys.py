"""Nodes that belong to one virtual cluster only."""

from typing import Any

import pydantic

from nestling.config.models import auto_nodes_keys, base, common, join_node_keys


class Kubelet(base.Section):
    """The kubelet on private nodes."""

    config: dict[str, Any] = pydantic.Field(default={})
    """KubeletConfiguration, merged over ours."""


class AutoUpgrade(base.Section):
    """Bring nodes to the version of the control plane."""

    enabled: bool = True
    """Upgrade nodes."""
    image: str | None = None
    """The image."""
    image_pull_policy: str | None = None
    """Always, IfNotPresent or Never."""
    node_selector: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """Labels that a node must have."""
    binaries_path: str | None = None
    """Folder of the Kubernetes binaries on the node."""
    cni_binaries_path: str | None = None
    """Folder of the CNI plugins on the node."""
    concurrency: int = 1
    """How many nodes at once."""
    pod_security_context: dict[str, Any] = pydantic.Field(default={})
    """Security context of the pod."""
    container_security_context: dict[str, Any] = pydantic.Field(default={})
    """Security context of the containers."""


class Vpn(base.Section):
    """A private network between nodes and control plane."""

    enabled: bool = False
    """Use it."""
    node_to_node: base.Part[common.DisabledByDefault] = base.part(common.DisabledByDefault)
    """Also between the nodes."""


class ControlPlaneLoadBalancer(base.Section):
    """A load balancer on each node for the replicas of the control plane."""

    enabled: bool = False
    """Use it."""
    kube_proxy: bool = True
    """Let kube-proxy use it."""
    port: int = 11343
    """Its port on the node."""


class Daemon(base.Section):
    """Our daemon on private nodes."""

    enabled: bool = False
    """Install it."""
    control_plane_load_balancer: base.Part[ControlPlaneLoadBalancer] = base.part(ControlPlaneLoadBalancer)


class PrivateNodes(base.Section):
    """Nodes that belong to this virtual cluster only."""

    enabled: bool = False
    """Use private nodes; no pods go to the host then."""
    kubelet: base.Part[Kubelet] = base.part(Kubelet)
    auto_upgrade: base.Part[AutoUpgrade] = base.part(AutoUpgrade)
    join_node: base.Part[join_node_keys.JoinNode] = base.part(join_node_keys.JoinNode)
    auto_nodes: list[base.Part[auto_nodes_keys.AutoNodes]] = pydantic.Field(default=[])
    """Nodes that are made on demand."""
    vpn: base.Part[Vpn] = base.part(Vpn)
    daemon: base.Part[Daemon] = base.part(Daemon)
    default_profile: str | None = None
    """Profile of nodes without one."""
