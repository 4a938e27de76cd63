"""Models of docker_keys."""

from __future__ import annotations

import pydantic

from nestling.config.models import base, common


class DockerNode(base.Section):
    """TODO class experimental.docker.nodes[]"""

    image: str | None = None
    """TODO experimental.docker.nodes[].image"""
    ports: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO experimental.docker.nodes[].ports"""
    volumes: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO experimental.docker.nodes[].volumes"""
    env: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO experimental.docker.nodes[].env"""
    args: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO experimental.docker.nodes[].args"""
    name: str | None = None
    """TODO experimental.docker.nodes[].name"""


class LoadBalancer(base.Section):
    """TODO class experimental.docker.loadBalancer"""

    enabled: bool = True
    """TODO experimental.docker.loadBalancer.enabled"""
    forward_ports: bool = True
    """TODO experimental.docker.loadBalancer.forwardPorts"""


class Docker(base.Section):
    """TODO class experimental.docker"""

    image: str | None = None
    """TODO experimental.docker.image"""
    ports: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO experimental.docker.ports"""
    volumes: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO experimental.docker.volumes"""
    env: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO experimental.docker.env"""
    args: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO experimental.docker.args"""
    enabled: bool | None = None
    """TODO experimental.docker.enabled"""
    network: str | None = None
    """TODO experimental.docker.network"""
    nodes: base.Absent[list[base.Part[DockerNode]]] = pydantic.Field(default=[])
    """TODO experimental.docker.nodes"""
    registry_proxy: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """TODO experimental.docker.registryProxy"""
    load_balancer: base.Part[LoadBalancer] = base.part(LoadBalancer)
    """TODO experimental.docker.loadBalancer"""
