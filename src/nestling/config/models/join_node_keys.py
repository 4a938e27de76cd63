"""How a machine becomes a node."""

import pydantic

from nestling.config.models import base, common


class MirrorHost(base.Section):
    """One place to pull images from."""

    server: str | None = None
    """Address to pull from."""
    ca_cert: base.Absent[list[str]] = pydantic.Field(default=[])
    """Certificates to trust."""
    skip_verify: bool | None = None
    """Do not verify the certificate."""
    capabilities: base.Absent[list[str]] = pydantic.Field(default=[])
    """What the place can do: pull, resolve, push."""
    override_path: bool | None = None
    """The address already holds the API path."""


class RegistryMirror(base.Section):
    """Where images of a registry are pulled from."""

    server: str | None = None
    """Address to pull from."""
    ca_cert: base.Absent[list[str]] = pydantic.Field(default=[])
    """Certificates to trust."""
    skip_verify: bool | None = None
    """Do not verify the certificate."""
    capabilities: base.Absent[list[str]] = pydantic.Field(default=[])
    """What the place can do: pull, resolve, push."""
    override_path: bool | None = None
    """The address already holds the API path."""
    hosts: base.Absent[list[base.Part[MirrorHost]]] = pydantic.Field(default=[])
    """Places to try, in this order."""


class RegistryAuth(base.Section):
    """How to log in to a registry."""

    username: str | None = None
    """User name."""
    password: str | None = None
    """Password."""
    identity_token: str | None = None
    """Token, instead of a password."""
    auth: str | None = None
    """User name and password in base64."""


class ContainerdRegistry(base.Section):
    """Registries in containerd's configuration."""

    config_path: str | None = None
    """Folder with the registry configuration."""
    mirrors: base.Absent[dict[str, base.Part[RegistryMirror]]] = pydantic.Field(default={})
    """By registry: where its images are pulled from."""
    auth: base.Absent[dict[str, base.Part[RegistryAuth]]] = pydantic.Field(default={})
    """By registry: how to log in."""


class Containerd(base.Section):
    """containerd on the node."""

    enabled: bool = True
    """Install it."""
    registry: base.Part[ContainerdRegistry] | None = None
    pause_image: str | None = None
    """Image of the sandbox container."""


class NodeRegistration(base.Section):
    """How the node registers."""

    cri_socket: str | None = None
    """Socket of the container runtime."""
    kubelet_extra_args: base.Absent[list[base.Part[common.NameValue]]] = pydantic.Field(default=[])
    """Further arguments of the kubelet."""
    taints: base.Absent[list[base.Part[common.Taint]]] = pydantic.Field(default=[])
    """Taints of the nodes."""
    ignore_preflight_errors: base.Absent[list[str]] = pydantic.Field(default=[])
    """Checks that may fail."""
    image_pull_policy: str | None = None
    """Always, IfNotPresent or Never."""


class StandaloneJoinNode(base.Section):
    """Make the machine of the control plane a node as well."""

    enabled: bool = True
    """Let it run pods."""
    pre_install_commands: base.Absent[list[str]] = pydantic.Field(default=[])
    """Commands before anything is installed."""
    pre_join_commands: base.Absent[list[str]] = pydantic.Field(default=[])
    """Commands before the machine joins."""
    post_join_commands: base.Absent[list[str]] = pydantic.Field(default=[])
    """Commands after the machine has joined."""
    containerd: base.Part[Containerd] = base.part(Containerd)
    ca_cert_path: str | None = None
    """Where the CA certificate is stored."""
    skip_phases: base.Absent[list[str]] = pydantic.Field(default=[])
    """Phases of kubeadm join to leave out."""
    node_registration: base.Part[NodeRegistration] | None = None


class JoinNode(base.Section):
    """How machines join."""

    pre_install_commands: base.Absent[list[str]] = pydantic.Field(default=[])
    """Commands before anything is installed."""
    pre_join_commands: base.Absent[list[str]] = pydantic.Field(default=[])
    """Commands before the machine joins."""
    post_join_commands: base.Absent[list[str]] = pydantic.Field(default=[])
    """Commands after the machine has joined."""
    containerd: base.Part[Containerd] = base.part(Containerd)
    ca_cert_path: str | None = None
    """Where the CA certificate is stored."""
    skip_phases: base.Absent[list[str]] = pydantic.Field(default=[])
    """Phases of kubeadm join to leave out."""
    node_registration: base.Part[NodeRegistration] | None = None
