"""DNS inside a virtual cluster."""

from typing import Any

import pydantic

from nestling.config.models import base, common


class Service(base.Section):
    """The Service kube-dns of the virtual cluster."""

    spec: dict[str, Any] = pydantic.Field(default={"type": "ClusterIP"})
    """Specification, merged over ours."""
    annotations: dict[str, str] = pydantic.Field(default={})
    """Annotations of it."""
    labels: dict[str, str] = pydantic.Field(default={})
    """Labels of it."""


class Resources(base.Section):
    """Resources of CoreDNS."""

    limits: dict[str, Any] = pydantic.Field(default={"cpu": "1000m", "memory": "170Mi"})
    """Most that it may use."""
    requests: dict[str, Any] = pydantic.Field(default={"cpu": "20m", "memory": "64Mi"})
    """What is reserved for it."""


class Deployment(base.Section):
    """The Deployment of CoreDNS."""

    image: str = ""
    """The image; one that fits the Kubernetes version when empty."""
    replicas: int = 1
    """How many pods."""
    node_selector: dict[str, str] = pydantic.Field(default={})
    """Labels that a node must have."""
    affinity: dict[str, Any] = pydantic.Field(default={})
    """Affinity of the pods, as in a pod."""
    tolerations: list[dict[str, Any]] = pydantic.Field(default=[])
    """Taints that the pods tolerate, as in a pod."""
    resources: base.Part[Resources] = base.part(Resources)
    pods: base.Part[common.Metadata] = base.part(common.Metadata)
    annotations: dict[str, str] = pydantic.Field(default={})
    """Annotations of it."""
    labels: dict[str, str] = pydantic.Field(default={})
    """Labels of it."""
    topology_spread_constraints: list[Any] = pydantic.Field(
        default=[
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"k8s-app": "vcluster-kube-dns"}},
            }
        ]
    )
    """How the pods spread over zones and nodes, as in a pod."""


class Coredns(base.Section):
    """CoreDNS: names inside the virtual cluster."""

    enabled: bool = True
    """Install CoreDNS."""
    embedded: bool = False
    """Run it in the control plane instead of as a Deployment."""
    security: base.Part[common.Security] = base.part(common.Security)
    service: base.Part[Service] = base.part(Service)
    deployment: base.Part[Deployment] = base.part(Deployment)
    overwrite_config: str = ""
    """A whole Corefile, instead of ours."""
    overwrite_manifests: str = ""
    """All manifests, instead of ours."""
    priority_class_name: str = ""
    """PriorityClass of the pods."""
