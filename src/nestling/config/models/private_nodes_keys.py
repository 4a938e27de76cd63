"""Models of private_nodes_keys."""

from __future__ import annotations

from typing import Any

import pydantic

from nestling.config.models import auto_nodes_keys, base, common, join_node_keys


class Kubelet(base.Section):
    """TODO class privateNodes.kubelet"""

    config: dict[str, Any] = pydantic.Field(default={})
    """TODO privateNodes.kubelet.config"""


class AutoUpgrade(base.Section):
    """TODO class privateNodes.autoUpgrade"""

    enabled: bool = True
    """TODO privateNodes.autoUpgrade.enabled"""
    image: str | None = None
    """TODO privateNodes.autoUpgrade.image"""
    image_pull_policy: str | None = None
    """TODO privateNodes.autoUpgrade.imagePullPolicy"""
    node_selector: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """TODO privateNodes.autoUpgrade.nodeSelector"""
    binaries_path: str | None = None
    """TODO privateNodes.autoUpgrade.binariesPath"""
    cni_binaries_path: str | None = None
    """TODO privateNodes.autoUpgrade.cniBinariesPath"""
    concurrency: int = 1
    """TODO privateNodes.autoUpgrade.concurrency"""
    pod_security_context: dict[str, Any] = pydantic.Field(default={})
    """TODO privateNodes.autoUpgrade.podSecurityContext"""
    container_security_context: dict[str, Any] = pydantic.Field(default={})
    """TODO privateNodes.autoUpgrade.containerSecurityContext"""


class Vpn(base.Section):
    """TODO class privateNodes.vpn"""

    enabled: bool = False
    """TODO privateNodes.vpn.enabled"""
    node_to_node: base.Part[common.DisabledByDefault] = base.part(common.DisabledByDefault)
    """TODO privateNodes.vpn.nodeToNode"""


class ControlPlaneLoadBalancer(base.Section):
    """TODO class privateNodes.daemon.controlPlaneLoadBalancer"""

    enabled: bool = False
    """TODO privateNodes.daemon.controlPlaneLoadBalancer.enabled"""
    kube_proxy: bool = True
    """TODO privateNodes.daemon.controlPlaneLoadBalancer.kubeProxy"""
    port: int = 11343
    """TODO privateNodes.daemon.controlPlaneLoadBalancer.port"""


class Daemon(base.Section):
    """TODO class privateNodes.daemon"""

    enabled: bool = False
    """TODO privateNodes.daemon.enabled"""
    control_plane_load_balancer: base.Part[ControlPlaneLoadBalancer] = base.part(ControlPlaneLoadBalancer)
    """TODO privateNodes.daemon.controlPlaneLoadBalancer"""


class PrivateNodes(base.Section):
    """TODO class privateNodes"""

    enabled: bool = False
    """TODO privateNodes.enabled"""
    kubelet: base.Part[Kubelet] = base.part(Kubelet)
    """TODO privateNodes.kubelet"""
    auto_upgrade: base.Part[AutoUpgrade] = base.part(AutoUpgrade)
    """TODO privateNodes.autoUpgrade"""
    join_node: base.Part[join_node_keys.JoinNode] = base.part(join_node_keys.JoinNode)
    """TODO privateNodes.joinNode"""
    auto_nodes: list[base.Part[auto_nodes_keys.AutoNodes]] = pydantic.Field(default=[])
    """TODO privateNodes.autoNodes"""
    vpn: base.Part[Vpn] = base.part(Vpn)
    """TODO privateNodes.vpn"""
    daemon: base.Part[Daemon] = base.part(Daemon)
    """TODO privateNodes.daemon"""
    default_profile: str | None = None
    """TODO privateNodes.defaultProfile"""
