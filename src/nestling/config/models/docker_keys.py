"""The docker driver."""

import pydantic

from nestling.config.models import base, common


class DockerNode(base.Section):
    """A further node as a container."""

    image: str | None = None
    """Image of the node."""
    ports: base.Absent[list[str]] = pydantic.Field(default=[])
    """Ports to publish, as in docker run."""
    volumes: base.Absent[list[str]] = pydantic.Field(default=[])
    """Volumes to mount, as in docker run."""
    env: base.Absent[list[str]] = pydantic.Field(default=[])
    """Further environment variables, as in a container."""
    args: base.Absent[list[str]] = pydantic.Field(default=[])
    """Further arguments of docker run."""
    name: str | None = None
    """Name of the node."""


class LoadBalancer(base.Section):
    """A load balancer as a container."""

    enabled: bool = True
    """Start it."""
    forward_ports: bool = True
    """Publish its ports on this machine."""


class Docker(base.Section):
    """Settings of the docker driver."""

    image: str | None = None
    """Image of the control plane."""
    ports: base.Absent[list[str]] = pydantic.Field(default=[])
    """Ports to publish, as in docker run."""
    volumes: base.Absent[list[str]] = pydantic.Field(default=[])
    """Volumes to mount, as in docker run."""
    env: base.Absent[list[str]] = pydantic.Field(default=[])
    """Further environment variables, as in a container."""
    args: base.Absent[list[str]] = pydantic.Field(default=[])
    """Further arguments of docker run."""
    enabled: bool | None = None
    """Use the docker driver."""
    network: str | None = None
    """Network of the containers."""
    nodes: base.Absent[list[base.Part[DockerNode]]] = pydantic.Field(default=[])
    """Further nodes."""
    registry_proxy: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """Share the images of this machine with the nodes."""
    load_balancer: base.Part[LoadBalancer] = base.part(LoadBalancer)
