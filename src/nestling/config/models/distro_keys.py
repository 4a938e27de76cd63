"""The Kubernetes that a virtual cluster runs."""

from typing import Any

import pydantic

from nestling.config.models import base


class Component(base.Section):
    """One process of the control plane."""

    enabled: bool = True
    """Start it."""
    command: list[str] = pydantic.Field(default=[])
    """The whole command line, instead of ours."""
    extra_args: list[str] = pydantic.Field(default=[])
    """Further arguments, as --name=value; one that we set too is replaced."""


class Scheduler(base.Section):
    """The scheduler of the virtual cluster."""

    enabled: bool = False
    """Start it; without it the host places the pods."""
    command: list[str] = pydantic.Field(default=[])
    """The whole command line, instead of ours."""
    extra_args: list[str] = pydantic.Field(default=[])
    """Further arguments, as --name=value; one that we set too is replaced."""


class K8sImage(base.Section):
    """Image with the Kubernetes binaries. Its tag also selects the version."""

    registry: str = "ghcr.io"
    """Registry of the image."""
    repository: str = "loft-sh/kubernetes"
    """Repository of the image."""
    tag: str = "v1.36.0"
    """Tag of the image."""


class K8s(base.Section):
    """Stock Kubernetes."""

    enabled: bool = False
    """Has no effect: there is no other distribution."""
    version: str = ""
    """Version of Kubernetes, such as v1.34.4 or 1.34."""
    api_server: base.Part[Component] = base.part(Component)
    """kube-apiserver."""
    controller_manager: base.Part[Component] = base.part(Component)
    """kube-controller-manager."""
    scheduler: base.Part[Scheduler] = base.part(Scheduler)
    image: base.Part[K8sImage] = base.part(K8sImage)
    image_pull_policy: str = ""
    """Always, IfNotPresent or Never."""
    env: list[dict[str, Any]] = pydantic.Field(default=[])
    """Further environment variables, as in a container."""
    resources: dict[str, Any] = pydantic.Field(
        default={"limits": {"cpu": "100m", "memory": "256Mi"}, "requests": {"cpu": "40m", "memory": "64Mi"}}
    )
    """Resources of the container that brings the binaries."""
    security_context: dict[str, Any] = pydantic.Field(default={})
    """Security context of the container that brings the binaries."""


class Distro(base.Section):
    """The Kubernetes that the virtual cluster runs."""

    k8s: base.Part[K8s] = base.part(K8s)
