"""Models of deploy_keys."""

from __future__ import annotations

from typing import Any

import pydantic

from nestling.config.models import base, common


class KubeProxy(base.Section):
    """TODO class deploy.kubeProxy"""

    enabled: bool = True
    """TODO deploy.kubeProxy.enabled"""
    image: str = ""
    """TODO deploy.kubeProxy.image"""
    image_pull_policy: str = ""
    """TODO deploy.kubeProxy.imagePullPolicy"""
    node_selector: dict[str, str] = pydantic.Field(default={})
    """TODO deploy.kubeProxy.nodeSelector"""
    priority_class_name: str | None = None
    """TODO deploy.kubeProxy.priorityClassName"""
    tolerations: list[Any] = pydantic.Field(default=[])
    """TODO deploy.kubeProxy.tolerations"""
    extra_env: list[Any] = pydantic.Field(default=[])
    """TODO deploy.kubeProxy.extraEnv"""
    extra_args: list[str] = pydantic.Field(default=[])
    """TODO deploy.kubeProxy.extraArgs"""
    config: dict[str, Any] = pydantic.Field(default={})
    """TODO deploy.kubeProxy.config"""


class IpAddressPool(base.Section):
    """TODO class deploy.metallb.ipAddressPool"""

    addresses: list[str] = pydantic.Field(default=[])
    """TODO deploy.metallb.ipAddressPool.addresses"""
    l2_advertisement: bool = True
    """TODO deploy.metallb.ipAddressPool.l2Advertisement"""


class Metallb(base.Section):
    """TODO class deploy.metallb"""

    enabled: bool = False
    """TODO deploy.metallb.enabled"""
    controller_image: str | None = None
    """TODO deploy.metallb.controllerImage"""
    speaker_image: str | None = None
    """TODO deploy.metallb.speakerImage"""
    ip_address_pool: base.Part[IpAddressPool] = base.part(IpAddressPool)
    """TODO deploy.metallb.ipAddressPool"""


class Flannel(base.Section):
    """TODO class deploy.cni.flannel"""

    enabled: bool = True
    """TODO deploy.cni.flannel.enabled"""
    image: str | None = None
    """TODO deploy.cni.flannel.image"""
    init_image: str | None = None
    """TODO deploy.cni.flannel.initImage"""
    image_pull_policy: str | None = None
    """TODO deploy.cni.flannel.imagePullPolicy"""


class Cni(base.Section):
    """TODO class deploy.cni"""

    flannel: base.Part[Flannel] = base.part(Flannel)
    """TODO deploy.cni.flannel"""


class StorageClass(base.Section):
    """TODO class deploy.csi.kubeVirt.storageClass"""

    enabled: bool = True
    """TODO deploy.csi.kubeVirt.storageClass.enabled"""
    name: str = "kubevirt"
    """TODO deploy.csi.kubeVirt.storageClass.name"""
    default: bool = True
    """TODO deploy.csi.kubeVirt.storageClass.default"""
    host_storage_class_name: str = ""
    """TODO deploy.csi.kubeVirt.storageClass.hostStorageClassName"""
    host_volume_mode: str = ""
    """TODO deploy.csi.kubeVirt.storageClass.hostVolumeMode"""
    bus: str = "scsi"
    """TODO deploy.csi.kubeVirt.storageClass.bus"""


class KubeVirt(base.Section):
    """TODO class deploy.csi.kubeVirt"""

    enabled: bool = False
    """TODO deploy.csi.kubeVirt.enabled"""
    image: str = ""
    """TODO deploy.csi.kubeVirt.image"""
    image_pull_policy: str = ""
    """TODO deploy.csi.kubeVirt.imagePullPolicy"""
    host_labels: dict[str, str] = pydantic.Field(default={})
    """TODO deploy.csi.kubeVirt.hostLabels"""
    storage_class: base.Part[StorageClass] = base.part(StorageClass)
    """TODO deploy.csi.kubeVirt.storageClass"""


class Csi(base.Section):
    """TODO class deploy.csi"""

    kube_virt: base.Part[KubeVirt] = base.part(KubeVirt)
    """TODO deploy.csi.kubeVirt"""


class LocalPathProvisioner(base.Section):
    """TODO class deploy.localPathProvisioner"""

    enabled: bool = True
    """TODO deploy.localPathProvisioner.enabled"""
    image: str | None = None
    """TODO deploy.localPathProvisioner.image"""
    image_pull_policy: str | None = None
    """TODO deploy.localPathProvisioner.imagePullPolicy"""
    node_path: str | None = None
    """TODO deploy.localPathProvisioner.nodePath"""


class IngressNginx(base.Section):
    """TODO class deploy.ingressNginx"""

    enabled: bool = False
    """TODO deploy.ingressNginx.enabled"""
    default_ingress_class: bool = True
    """TODO deploy.ingressNginx.defaultIngressClass"""


class Template(base.Section):
    """TODO class deploy.argoCD.applications[].template"""

    name: str | None = None
    """TODO deploy.argoCD.applications[].template.name"""
    parameters: base.Absent[dict[str, Any]] = pydantic.Field(default={})
    """TODO deploy.argoCD.applications[].template.parameters"""


class Application(base.Section):
    """TODO class deploy.argoCD.applications[]"""

    name: str | None = None
    """TODO deploy.argoCD.applications[].name"""
    display_name: str | None = None
    """TODO deploy.argoCD.applications[].displayName"""
    target: str | None = None
    """TODO deploy.argoCD.applications[].target"""
    inline: base.Absent[dict[str, Any]] = pydantic.Field(default={})
    """TODO deploy.argoCD.applications[].inline"""
    template: base.Part[Template] | None = None
    """TODO deploy.argoCD.applications[].template"""


class ArgoCD(base.Section):
    """TODO class deploy.argoCD"""

    applications: base.Absent[list[base.Part[Application]]] = pydantic.Field(default=[])
    """TODO deploy.argoCD.applications"""


class Deploy(base.Section):
    """TODO class deploy"""

    kube_proxy: base.Part[KubeProxy] = base.part(KubeProxy)
    """TODO deploy.kubeProxy"""
    metallb: base.Part[Metallb] = base.part(Metallb)
    """TODO deploy.metallb"""
    cni: base.Part[Cni] = base.part(Cni)
    """TODO deploy.cni"""
    csi: base.Part[Csi] = base.part(Csi)
    """TODO deploy.csi"""
    local_path_provisioner: base.Part[LocalPathProvisioner] = base.part(LocalPathProvisioner)
    """TODO deploy.localPathProvisioner"""
    ingress_nginx: base.Part[IngressNginx] = base.part(IngressNginx)
    """TODO deploy.ingressNginx"""
    metrics_server: base.Part[common.DisabledByDefault] = base.part(common.DisabledByDefault)
    """TODO deploy.metricsServer"""
    volume_snapshot_controller: base.Part[common.Toggle] | None = None
    """TODO deploy.volumeSnapshotController"""
    argo_cd: base.Part[ArgoCD] | None = pydantic.Field(default=None, alias="argoCD")
    """TODO deploy.argoCD"""
