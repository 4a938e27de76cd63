"""Models of join_node_keys."""

from __future__ import annotations

import pydantic

from nestling.config.models import base, common


class MirrorHost(base.Section):
    """TODO class controlPlane.standalone.joinNode.containerd.registry.mirrors.<name>.hosts[]"""

    server: str | None = None
    """TODO controlPlane.standalone.joinNode.containerd.registry.mirrors.<name>.hosts[].server"""
    ca_cert: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO controlPlane.standalone.joinNode.containerd.registry.mirrors.<name>.hosts[].caCert"""
    skip_verify: bool | None = None
    """TODO controlPlane.standalone.joinNode.containerd.registry.mirrors.<name>.hosts[].skipVerify"""
    capabilities: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO controlPlane.standalone.joinNode.containerd.registry.mirrors.<name>.hosts[].capabilities"""
    override_path: bool | None = None
    """TODO controlPlane.standalone.joinNode.containerd.registry.mirrors.<name>.hosts[].overridePath"""


class RegistryMirror(base.Section):
    """TODO class controlPlane.standalone.joinNode.containerd.registry.mirrors.<name>"""

    server: str | None = None
    """TODO controlPlane.standalone.joinNode.containerd.registry.mirrors.<name>.server"""
    ca_cert: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO controlPlane.standalone.joinNode.containerd.registry.mirrors.<name>.caCert"""
    skip_verify: bool | None = None
    """TODO controlPlane.standalone.joinNode.containerd.registry.mirrors.<name>.skipVerify"""
    capabilities: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO controlPlane.standalone.joinNode.containerd.registry.mirrors.<name>.capabilities"""
    override_path: bool | None = None
    """TODO controlPlane.standalone.joinNode.containerd.registry.mirrors.<name>.overridePath"""
    hosts: base.Absent[list[base.Part[MirrorHost]]] = pydantic.Field(default=[])
    """TODO controlPlane.standalone.joinNode.containerd.registry.mirrors.<name>.hosts"""


class RegistryAuth(base.Section):
    """TODO class controlPlane.standalone.joinNode.containerd.registry.auth.<name>"""

    username: str | None = None
    """TODO controlPlane.standalone.joinNode.containerd.registry.auth.<name>.username"""
    password: str | None = None
    """TODO controlPlane.standalone.joinNode.containerd.registry.auth.<name>.password"""
    identity_token: str | None = None
    """TODO controlPlane.standalone.joinNode.containerd.registry.auth.<name>.identityToken"""
    auth: str | None = None
    """TODO controlPlane.standalone.joinNode.containerd.registry.auth.<name>.auth"""


class ContainerdRegistry(base.Section):
    """TODO class controlPlane.standalone.joinNode.containerd.registry"""

    config_path: str | None = None
    """TODO controlPlane.standalone.joinNode.containerd.registry.configPath"""
    mirrors: base.Absent[dict[str, base.Part[RegistryMirror]]] = pydantic.Field(default={})
    """TODO controlPlane.standalone.joinNode.containerd.registry.mirrors"""
    auth: base.Absent[dict[str, base.Part[RegistryAuth]]] = pydantic.Field(default={})
    """TODO controlPlane.standalone.joinNode.containerd.registry.auth"""


class Containerd(base.Section):
    """TODO class controlPlane.standalone.joinNode.containerd"""

    enabled: bool = True
    """TODO controlPlane.standalone.joinNode.containerd.enabled"""
    registry: base.Part[ContainerdRegistry] | None = None
    """TODO controlPlane.standalone.joinNode.containerd.registry"""
    pause_image: str | None = None
    """TODO controlPlane.standalone.joinNode.containerd.pauseImage"""


class NodeRegistration(base.Section):
    """TODO class controlPlane.standalone.joinNode.nodeRegistration"""

    cri_socket: str | None = None
    """TODO controlPlane.standalone.joinNode.nodeRegistration.criSocket"""
    kubelet_extra_args: base.Absent[list[base.Part[common.NameValue]]] = pydantic.Field(default=[])
    """TODO controlPlane.standalone.joinNode.nodeRegistration.kubeletExtraArgs"""
    taints: base.Absent[list[base.Part[common.Taint]]] = pydantic.Field(default=[])
    """TODO controlPlane.standalone.joinNode.nodeRegistration.taints"""
    ignore_preflight_errors: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO controlPlane.standalone.joinNode.nodeRegistration.ignorePreflightErrors"""
    image_pull_policy: str | None = None
    """TODO controlPlane.standalone.joinNode.nodeRegistration.imagePullPolicy"""


class StandaloneJoinNode(base.Section):
    """TODO class controlPlane.standalone.joinNode"""

    enabled: bool = True
    """TODO controlPlane.standalone.joinNode.enabled"""
    pre_install_commands: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO controlPlane.standalone.joinNode.preInstallCommands"""
    pre_join_commands: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO controlPlane.standalone.joinNode.preJoinCommands"""
    post_join_commands: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO controlPlane.standalone.joinNode.postJoinCommands"""
    containerd: base.Part[Containerd] = base.part(Containerd)
    """TODO controlPlane.standalone.joinNode.containerd"""
    ca_cert_path: str | None = None
    """TODO controlPlane.standalone.joinNode.caCertPath"""
    skip_phases: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO controlPlane.standalone.joinNode.skipPhases"""
    node_registration: base.Part[NodeRegistration] | None = None
    """TODO controlPlane.standalone.joinNode.nodeRegistration"""


class JoinNode(base.Section):
    """TODO class privateNodes.joinNode"""

    pre_install_commands: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO privateNodes.joinNode.preInstallCommands"""
    pre_join_commands: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO privateNodes.joinNode.preJoinCommands"""
    post_join_commands: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO privateNodes.joinNode.postJoinCommands"""
    containerd: base.Part[Containerd] = base.part(Containerd)
    """TODO privateNodes.joinNode.containerd"""
    ca_cert_path: str | None = None
    """TODO privateNodes.joinNode.caCertPath"""
    skip_phases: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO privateNodes.joinNode.skipPhases"""
    node_registration: base.Part[NodeRegistration] | None = None
    """TODO privateNodes.joinNode.nodeRegistration"""
