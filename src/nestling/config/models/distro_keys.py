"""Models of distro_keys."""

from __future__ import annotations

from typing import Any

import pydantic

from nestling.config.models import base


class Component(base.Section):
    """TODO class controlPlane.distro.k8s.apiServer"""

    enabled: bool = True
    """TODO controlPlane.distro.k8s.apiServer.enabled"""
    command: list[str] = pydantic.Field(default=[])
    """TODO controlPlane.distro.k8s.apiServer.command"""
    extra_args: list[str] = pydantic.Field(default=[])
    """TODO controlPlane.distro.k8s.apiServer.extraArgs"""


class Scheduler(base.Section):
    """TODO class controlPlane.distro.k8s.scheduler"""

    enabled: bool = False
    """TODO controlPlane.distro.k8s.scheduler.enabled"""
    command: list[str] = pydantic.Field(default=[])
    """TODO controlPlane.distro.k8s.scheduler.command"""
    extra_args: list[str] = pydantic.Field(default=[])
    """TODO controlPlane.distro.k8s.scheduler.extraArgs"""


class K8sImage(base.Section):
    """TODO class controlPlane.distro.k8s.image"""

    registry: str = "ghcr.io"
    """TODO controlPlane.distro.k8s.image.registry"""
    repository: str = "loft-sh/kubernetes"
    """TODO controlPlane.distro.k8s.image.repository"""
    tag: str = "v1.36.0"
    """TODO controlPlane.distro.k8s.image.tag"""


class K8s(base.Section):
    """TODO class controlPlane.distro.k8s"""

    enabled: bool = False
    """TODO controlPlane.distro.k8s.enabled"""
    version: str = ""
    """TODO controlPlane.distro.k8s.version"""
    api_server: base.Part[Component] = base.part(Component)
    """TODO controlPlane.distro.k8s.apiServer"""
    controller_manager: base.Part[Component] = base.part(Component)
    """TODO controlPlane.distro.k8s.controllerManager"""
    scheduler: base.Part[Scheduler] = base.part(Scheduler)
    """TODO controlPlane.distro.k8s.scheduler"""
    image: base.Part[K8sImage] = base.part(K8sImage)
    """TODO controlPlane.distro.k8s.image"""
    image_pull_policy: str = ""
    """TODO controlPlane.distro.k8s.imagePullPolicy"""
    env: list[dict[str, Any]] = pydantic.Field(default=[])
    """TODO controlPlane.distro.k8s.env"""
    resources: dict[str, Any] = pydantic.Field(
        default={"limits": {"cpu": "100m", "memory": "256Mi"}, "requests": {"cpu": "40m", "memory": "64Mi"}}
    )
    """TODO controlPlane.distro.k8s.resources"""
    security_context: dict[str, Any] = pydantic.Field(default={})
    """TODO controlPlane.distro.k8s.securityContext"""


class Distro(base.Section):
    """TODO class controlPlane.distro"""

    k8s: base.Part[K8s] = base.part(K8s)
    """TODO controlPlane.distro.k8s"""
