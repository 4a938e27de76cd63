"""Models of advanced_keys."""

from __future__ import annotations

from typing import Any

import pydantic

from nestling.config.models import base, common


class PullSecret(base.Section):
    """TODO class controlPlane.advanced.serviceAccount.imagePullSecrets[]"""

    name: str | None = None
    """TODO controlPlane.advanced.serviceAccount.imagePullSecrets[].name"""


class ServiceAccount(base.Section):
    """TODO class controlPlane.advanced.serviceAccount"""

    enabled: bool = True
    """TODO controlPlane.advanced.serviceAccount.enabled"""
    name: str = ""
    """TODO controlPlane.advanced.serviceAccount.name"""
    image_pull_secrets: list[base.Part[PullSecret]] = pydantic.Field(default=[])
    """TODO controlPlane.advanced.serviceAccount.imagePullSecrets"""
    annotations: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.advanced.serviceAccount.annotations"""
    labels: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.advanced.serviceAccount.labels"""


class Server(base.Section):
    """TODO class controlPlane.advanced.konnectivity.server"""

    enabled: bool = True
    """TODO controlPlane.advanced.konnectivity.server.enabled"""
    extra_args: list[str] = pydantic.Field(default=[])
    """TODO controlPlane.advanced.konnectivity.server.extraArgs"""


class Agent(base.Section):
    """TODO class controlPlane.advanced.konnectivity.agent"""

    enabled: bool = True
    """TODO controlPlane.advanced.konnectivity.agent.enabled"""
    replicas: int = 1
    """TODO controlPlane.advanced.konnectivity.agent.replicas"""
    image: str = ""
    """TODO controlPlane.advanced.konnectivity.agent.image"""
    image_pull_policy: str = ""
    """TODO controlPlane.advanced.konnectivity.agent.imagePullPolicy"""
    node_selector: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.advanced.konnectivity.agent.nodeSelector"""
    priority_class_name: str | None = None
    """TODO controlPlane.advanced.konnectivity.agent.priorityClassName"""
    tolerations: list[Any] = pydantic.Field(default=[])
    """TODO controlPlane.advanced.konnectivity.agent.tolerations"""
    extra_env: list[Any] = pydantic.Field(default=[])
    """TODO controlPlane.advanced.konnectivity.agent.extraEnv"""
    extra_args: list[str] = pydantic.Field(default=[])
    """TODO controlPlane.advanced.konnectivity.agent.extraArgs"""


class Konnectivity(base.Section):
    """TODO class controlPlane.advanced.konnectivity"""

    server: base.Part[Server] = base.part(Server)
    """TODO controlPlane.advanced.konnectivity.server"""
    agent: base.Part[Agent] = base.part(Agent)
    """TODO controlPlane.advanced.konnectivity.agent"""


class Registry(base.Section):
    """TODO class controlPlane.advanced.registry"""

    enabled: bool = False
    """TODO controlPlane.advanced.registry.enabled"""
    anonymous_pull: bool = True
    """TODO controlPlane.advanced.registry.anonymousPull"""
    config: Any = pydantic.Field(default={})
    """TODO controlPlane.advanced.registry.config"""


class KubeOvnLoadBalancers(base.Section):
    """TODO class controlPlane.advanced.cloudControllerManager.kubeOvn.loadBalancers"""

    external_subnet: str | None = None
    """TODO controlPlane.advanced.cloudControllerManager.kubeOvn.loadBalancers.externalSubnet"""
    backend_subnet: str | None = None
    """TODO controlPlane.advanced.cloudControllerManager.kubeOvn.loadBalancers.backendSubnet"""


class KubeOvn(base.Section):
    """TODO class controlPlane.advanced.cloudControllerManager.kubeOvn"""

    enabled: bool | None = None
    """TODO controlPlane.advanced.cloudControllerManager.kubeOvn.enabled"""
    vpc: str | None = None
    """TODO controlPlane.advanced.cloudControllerManager.kubeOvn.vpc"""
    load_balancers: base.Part[KubeOvnLoadBalancers] | None = None
    """TODO controlPlane.advanced.cloudControllerManager.kubeOvn.loadBalancers"""
    pod_routes: base.Part[common.Toggle] | None = None
    """TODO controlPlane.advanced.cloudControllerManager.kubeOvn.podRoutes"""


class CloudControllerManager(base.Section):
    """TODO class controlPlane.advanced.cloudControllerManager"""

    enabled: bool = True
    """TODO controlPlane.advanced.cloudControllerManager.enabled"""
    kube_ovn: base.Part[KubeOvn] | None = None
    """TODO controlPlane.advanced.cloudControllerManager.kubeOvn"""


class KubeVip(base.Section):
    """TODO class controlPlane.advanced.kubeVip"""

    enabled: bool = False
    """TODO controlPlane.advanced.kubeVip.enabled"""
    interface: str | None = None
    """TODO controlPlane.advanced.kubeVip.interface"""
    gateway: str | None = None
    """TODO controlPlane.advanced.kubeVip.gateway"""


class PodDisruptionBudget(base.Section):
    """TODO class controlPlane.advanced.podDisruptionBudget"""

    enabled: bool = False
    """TODO controlPlane.advanced.podDisruptionBudget.enabled"""
    min_available: Any = None
    """TODO controlPlane.advanced.podDisruptionBudget.minAvailable"""
    max_unavailable: Any = None
    """TODO controlPlane.advanced.podDisruptionBudget.maxUnavailable"""
    unhealthy_pod_eviction_policy: str | None = None
    """TODO controlPlane.advanced.podDisruptionBudget.unhealthyPodEvictionPolicy"""


class Advanced(base.Section):
    """TODO class controlPlane.advanced"""

    default_image_registry: str = ""
    """TODO controlPlane.advanced.defaultImageRegistry"""
    virtual_scheduler: base.Part[common.DisabledByDefault] = base.part(common.DisabledByDefault)
    """TODO controlPlane.advanced.virtualScheduler"""
    service_account: base.Part[ServiceAccount] = base.part(ServiceAccount)
    """TODO controlPlane.advanced.serviceAccount"""
    workload_service_account: base.Part[ServiceAccount] = base.part(ServiceAccount)
    """TODO controlPlane.advanced.workloadServiceAccount"""
    headless_service: base.Part[common.Metadata] = base.part(common.Metadata)
    """TODO controlPlane.advanced.headlessService"""
    konnectivity: base.Part[Konnectivity] = base.part(Konnectivity)
    """TODO controlPlane.advanced.konnectivity"""
    registry: base.Part[Registry] = base.part(Registry)
    """TODO controlPlane.advanced.registry"""
    cloud_controller_manager: base.Part[CloudControllerManager] = base.part(CloudControllerManager)
    """TODO controlPlane.advanced.cloudControllerManager"""
    global_metadata: base.Part[common.Annotations] = base.part(common.Annotations)
    """TODO controlPlane.advanced.globalMetadata"""
    kube_vip: base.Part[KubeVip] = base.part(KubeVip)
    """TODO controlPlane.advanced.kubeVip"""
    pod_disruption_budget: base.Part[PodDisruptionBudget] = base.part(PodDisruptionBudget)
    """TODO controlPlane.advanced.podDisruptionBudget"""
