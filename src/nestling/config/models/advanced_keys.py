"""Control plane settings that are rarely needed."""

from typing import Any

import pydantic

from nestling.config.models import base, common


class PullSecret(base.Section):
    """A Secret with registry credentials."""

    name: str | None = None
    """Name of the Secret."""


class ServiceAccount(base.Section):
    """A ServiceAccount in the host namespace."""

    enabled: bool = True
    """Create it."""
    name: str = ""
    """Its name; a name made from that of the virtual cluster when empty."""
    image_pull_secrets: list[base.Part[PullSecret]] = pydantic.Field(default=[])
    """Secrets with registry credentials."""
    annotations: dict[str, str] = pydantic.Field(default={})
    """Annotations of it."""
    labels: dict[str, str] = pydantic.Field(default={})
    """Labels of it."""


class KonnectivityServer(base.Section):
    """The server in the control plane."""

    enabled: bool = True
    """Start it."""
    extra_args: list[str] = pydantic.Field(default=[])
    """Further arguments, as --name=value; one that we set too is replaced."""


class KonnectivityAgent(base.Section):
    """The agent on private nodes."""

    enabled: bool = True
    """Install it."""
    replicas: int = 1
    """How many pods."""
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


class Konnectivity(base.Section):
    """Connections from the control plane to private nodes."""

    server: base.Part[KonnectivityServer] = base.part(KonnectivityServer)
    agent: base.Part[KonnectivityAgent] = base.part(KonnectivityAgent)


class Registry(base.Section):
    """An image registry in the control plane."""

    enabled: bool = False
    """Start it."""
    anonymous_pull: bool = True
    """Let everybody pull."""
    config: Any = pydantic.Field(default={})
    """Its configuration, merged over ours."""


class KubeOvnLoadBalancers(base.Section):
    """Load balancers by Kube-OVN."""

    external_subnet: str | None = None
    """Subnet of the outer addresses."""
    backend_subnet: str | None = None
    """Subnet of the machines behind them."""


class KubeOvn(base.Section):
    """Networks by Kube-OVN."""

    enabled: bool | None = None
    """Use it."""
    vpc: str | None = None
    """The VPC of the virtual cluster."""
    load_balancers: base.Part[KubeOvnLoadBalancers] | None = None
    pod_routes: base.Part[common.Toggle] | None = None
    """Routes to the pods of each node."""


class CloudControllerManager(base.Section):
    """Node addresses and load balancers for private nodes."""

    enabled: bool = True
    """Start it."""
    kube_ovn: base.Part[KubeOvn] | None = None


class KubeVip(base.Section):
    """A virtual address for the control plane."""

    enabled: bool = False
    """Use it."""
    interface: str | None = None
    """Network interface that carries the address."""
    gateway: str | None = None
    """Gateway of the network."""


class PodDisruptionBudget(base.Section):
    """How many replicas must stay up while nodes are drained."""

    enabled: bool = False
    """Create it."""
    min_available: Any = None
    """Replicas that must stay up: a number or a percentage. Excludes maxUnavailable."""
    max_unavailable: Any = None
    """Replicas that may be down: a number or a percentage. Excludes minAvailable."""
    unhealthy_pod_eviction_policy: str | None = None
    """IfHealthyBudget or AlwaysAllow."""


class Advanced(base.Section):
    """Control plane settings that are rarely needed."""

    default_image_registry: str = ""
    """Registry put in front of all images that we start."""
    virtual_scheduler: base.Part[common.DisabledByDefault] = base.part(common.DisabledByDefault)
    """Older name of distro.k8s.scheduler."""
    service_account: base.Part[ServiceAccount] = base.part(ServiceAccount)
    """The ServiceAccount of the control plane, vc-NAME."""
    workload_service_account: base.Part[ServiceAccount] = base.part(ServiceAccount)
    """The ServiceAccount of synced pods, vc-workload-NAME."""
    headless_service: base.Part[common.Metadata] = base.part(common.Metadata)
    """The headless Service of the control plane."""
    konnectivity: base.Part[Konnectivity] = base.part(Konnectivity)
    registry: base.Part[Registry] = base.part(Registry)
    cloud_controller_manager: base.Part[CloudControllerManager] = base.part(CloudControllerManager)
    global_metadata: base.Part[common.Annotations] = base.part(common.Annotations)
    """Annotations on everything that the chart creates."""
    kube_vip: base.Part[KubeVip] = base.part(KubeVip)
    pod_disruption_budget: base.Part[PodDisruptionBudget] = base.part(PodDisruptionBudget)
