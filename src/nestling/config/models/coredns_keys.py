"""Models of coredns_keys."""

from __future__ import annotations

from typing import Any

import pydantic

from nestling.config.models import base, common


class Service(base.Section):
    """TODO class controlPlane.coredns.service"""

    spec: dict[str, Any] = pydantic.Field(default={"type": "ClusterIP"})
    """TODO controlPlane.coredns.service.spec"""
    annotations: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.coredns.service.annotations"""
    labels: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.coredns.service.labels"""


class Resources(base.Section):
    """TODO class controlPlane.coredns.deployment.resources"""

    limits: dict[str, Any] = pydantic.Field(default={"cpu": "1000m", "memory": "170Mi"})
    """TODO controlPlane.coredns.deployment.resources.limits"""
    requests: dict[str, Any] = pydantic.Field(default={"cpu": "20m", "memory": "64Mi"})
    """TODO controlPlane.coredns.deployment.resources.requests"""


class Deployment(base.Section):
    """TODO class controlPlane.coredns.deployment"""

    image: str = ""
    """TODO controlPlane.coredns.deployment.image"""
    replicas: int = 1
    """TODO controlPlane.coredns.deployment.replicas"""
    node_selector: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.coredns.deployment.nodeSelector"""
    affinity: dict[str, Any] = pydantic.Field(default={})
    """TODO controlPlane.coredns.deployment.affinity"""
    tolerations: list[dict[str, Any]] = pydantic.Field(default=[])
    """TODO controlPlane.coredns.deployment.tolerations"""
    resources: base.Part[Resources] = base.part(Resources)
    """TODO controlPlane.coredns.deployment.resources"""
    pods: base.Part[common.Metadata] = base.part(common.Metadata)
    """TODO controlPlane.coredns.deployment.pods"""
    annotations: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.coredns.deployment.annotations"""
    labels: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.coredns.deployment.labels"""
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
    """TODO controlPlane.coredns.deployment.topologySpreadConstraints"""


class Coredns(base.Section):
    """TODO class controlPlane.coredns"""

    enabled: bool = True
    """TODO controlPlane.coredns.enabled"""
    embedded: bool = False
    """TODO controlPlane.coredns.embedded"""
    security: base.Part[common.Security] = base.part(common.Security)
    """TODO controlPlane.coredns.security"""
    service: base.Part[Service] = base.part(Service)
    """TODO controlPlane.coredns.service"""
    deployment: base.Part[Deployment] = base.part(Deployment)
    """TODO controlPlane.coredns.deployment"""
    overwrite_config: str = ""
    """TODO controlPlane.coredns.overwriteConfig"""
    overwrite_manifests: str = ""
    """TODO controlPlane.coredns.overwriteManifests"""
    priority_class_name: str = ""
    """TODO controlPlane.coredns.priorityClassName"""
