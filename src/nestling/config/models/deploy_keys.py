"""What is installed inside a virtual cluster, mostly with private nodes."""

from typing import Any

import pydantic

from nestling.config.models import base, common


class KubeProxy(base.Section):
    """kube-proxy on private nodes."""

    enabled: bool = True
    """Install it."""
    image: str = ""
    """The image."""
    image_pull_policy: str = ""
    """Always, IfNotPresent or Never."""
    node_selector: dict[str, str] = pydantic.Field(default={})
    """Labels that a node must have."""
    priority_class_name: str | None = None
    """PriorityClass of the pods."""
    tolerations: list[Any] = pydantic.Field(default=[])
    """Taints that the pods tolerate, as in a pod."""
    extra_env: list[Any] = pydantic.Field(default=[])
    """Further environment variables."""
    extra_args: list[str] = pydantic.Field(default=[])
    """Further arguments, as --name=value; one that we set too is replaced."""
    config: dict[str, Any] = pydantic.Field(default={})
    """KubeProxyConfiguration, merged over the default."""


class IpAddressPool(base.Section):
    """Addresses that MetalLB hands out."""

    addresses: list[str] = pydantic.Field(default=[])
    """Ranges, such as 10.0.0.10-10.0.0.20 or 10.0.1.0/28."""
    l2_advertisement: bool = True
    """Announce the addresses in the local network."""


class Metallb(base.Section):
    """MetalLB: load balancers on private nodes."""

    enabled: bool = False
    """Install it."""
    controller_image: str | None = None
    """Image of the controller."""
    speaker_image: str | None = None
    """Image of the speaker."""
    ip_address_pool: base.Part[IpAddressPool] = base.part(IpAddressPool)


class Flannel(base.Section):
    """Flannel: the pod network on private nodes."""

    enabled: bool = True
    """Install it."""
    image: str | None = None
    """The image."""
    init_image: str | None = None
    """Image of the init container."""
    image_pull_policy: str | None = None
    """Always, IfNotPresent or Never."""


class Cni(base.Section):
    """The pod network on private nodes."""

    flannel: base.Part[Flannel] = base.part(Flannel)


class CsiStorageClass(base.Section):
    """The StorageClass for disks of KubeVirt."""

    enabled: bool = True
    """Create it."""
    name: str = "kubevirt"
    """Its name."""
    default: bool = True
    """Make it the default class."""
    host_storage_class_name: str = ""
    """StorageClass of the host behind it."""
    host_volume_mode: str = ""
    """Block or Filesystem on the host."""
    bus: str = "scsi"
    """How the disk appears in the machine: scsi, virtio or sata."""


class CsiKubeVirt(base.Section):
    """Disks for private nodes that are KubeVirt machines."""

    enabled: bool = False
    """Install the driver."""
    image: str = ""
    """The image."""
    image_pull_policy: str = ""
    """Always, IfNotPresent or Never."""
    host_labels: dict[str, str] = pydantic.Field(default={})
    """Labels for the objects on the host."""
    storage_class: base.Part[CsiStorageClass] = base.part(CsiStorageClass)


class Csi(base.Section):
    """Storage drivers on private nodes."""

    kube_virt: base.Part[CsiKubeVirt] = base.part(CsiKubeVirt)


class LocalPathProvisioner(base.Section):
    """Volumes in a folder of a private node."""

    enabled: bool = True
    """Install it."""
    image: str | None = None
    """The image."""
    image_pull_policy: str | None = None
    """Always, IfNotPresent or Never."""
    node_path: str | None = None
    """The folder on the node."""


class IngressNginx(base.Section):
    """ingress-nginx inside the virtual cluster."""

    enabled: bool = False
    """Install it."""
    default_ingress_class: bool = True
    """Make its class the default."""


class Template(base.Section):
    """An application from a template of the platform."""

    name: str | None = None
    """Name of the template."""
    parameters: base.Absent[dict[str, Any]] = pydantic.Field(default={})
    """Values for its parameters."""


class Application(base.Section):
    """One application that Argo CD deploys."""

    name: str | None = None
    """Its name."""
    display_name: str | None = None
    """Its name for people."""
    target: str | None = None
    """Where it is deployed."""
    inline: base.Absent[dict[str, Any]] = pydantic.Field(default={})
    """The Application itself."""
    template: base.Part[Template] | None = None


class DeployArgoCD(base.Section):
    """Applications by Argo CD."""

    applications: base.Absent[list[base.Part[Application]]] = pydantic.Field(default=[])
    """The applications."""


class Deploy(base.Section):
    """What is installed inside the virtual cluster."""

    kube_proxy: base.Part[KubeProxy] = base.part(KubeProxy)
    metallb: base.Part[Metallb] = base.part(Metallb)
    cni: base.Part[Cni] = base.part(Cni)
    csi: base.Part[Csi] = base.part(Csi)
    local_path_provisioner: base.Part[LocalPathProvisioner] = base.part(LocalPathProvisioner)
    ingress_nginx: base.Part[IngressNginx] = base.part(IngressNginx)
    metrics_server: base.Part[common.DisabledByDefault] = base.part(common.DisabledByDefault)
    """metrics-server inside the virtual cluster."""
    volume_snapshot_controller: base.Part[common.Toggle] | None = None
    """No longer exists: the snapshot controller is not installed."""
    argo_cd: base.Part[DeployArgoCD] | None = pydantic.Field(default=None, alias="argoCD")
