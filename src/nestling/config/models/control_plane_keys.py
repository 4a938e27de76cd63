"""Models of control_plane_keys."""

from __future__ import annotations

from typing import Any

import pydantic

from nestling.config.models import (
    advanced_keys,
    backing_store_keys,
    base,
    coredns_keys,
    distro_keys,
    standalone_keys,
    stateful_set_keys,
)


class Proxy(base.Section):
    """TODO class controlPlane.proxy"""

    bind_address: str = "0.0.0.0"  # noqa: S104  # the API server of a virtual cluster is there to be reached
    """TODO controlPlane.proxy.bindAddress"""
    port: int = 8443
    """TODO controlPlane.proxy.port"""
    extra_sans: list[str] = pydantic.Field(default=[], alias="extraSANs")
    """TODO controlPlane.proxy.extraSANs"""


class HostPathMapper(base.Section):
    """TODO class controlPlane.hostPathMapper"""

    enabled: bool | None = None
    """TODO controlPlane.hostPathMapper.enabled"""
    central: bool | None = None
    """TODO controlPlane.hostPathMapper.central"""


class Ingress(base.Section):
    """TODO class controlPlane.ingress"""

    enabled: bool = False
    """TODO controlPlane.ingress.enabled"""
    host: str = "my-host.com"
    """TODO controlPlane.ingress.host"""
    path_type: str = "ImplementationSpecific"
    """TODO controlPlane.ingress.pathType"""
    spec: dict[str, Any] = pydantic.Field(default={"tls": []})
    """TODO controlPlane.ingress.spec"""
    annotations: dict[str, str] = pydantic.Field(
        default={
            "nginx.ingress.kubernetes.io/backend-protocol": "HTTPS",
            "nginx.ingress.kubernetes.io/ssl-passthrough": "true",
            "nginx.ingress.kubernetes.io/ssl-redirect": "true",
        }
    )
    """TODO controlPlane.ingress.annotations"""
    labels: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.ingress.labels"""


class TlsRoute(base.Section):
    """TODO class controlPlane.tlsRoute"""

    enabled: bool = False
    """TODO controlPlane.tlsRoute.enabled"""
    api_version: str = "gateway.networking.k8s.io/v1"
    """TODO controlPlane.tlsRoute.apiVersion"""
    host: str = "my-host.com"
    """TODO controlPlane.tlsRoute.host"""
    parent_refs: list[dict[str, Any]] = pydantic.Field(default=[])
    """TODO controlPlane.tlsRoute.parentRefs"""
    spec: dict[str, Any] = pydantic.Field(default={})
    """TODO controlPlane.tlsRoute.spec"""
    annotations: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.tlsRoute.annotations"""
    labels: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.tlsRoute.labels"""


class Service(base.Section):
    """TODO class controlPlane.service"""

    enabled: bool = True
    """TODO controlPlane.service.enabled"""
    spec: dict[str, Any] = pydantic.Field(default={"type": "ClusterIP"})
    """TODO controlPlane.service.spec"""
    kubelet_node_port: int = 0
    """TODO controlPlane.service.kubeletNodePort"""
    https_node_port: int = 0
    """TODO controlPlane.service.httpsNodePort"""
    annotations: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.service.annotations"""
    labels: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.service.labels"""


class ServiceMonitor(base.Section):
    """TODO class controlPlane.serviceMonitor"""

    enabled: bool = False
    """TODO controlPlane.serviceMonitor.enabled"""
    labels: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.serviceMonitor.labels"""
    annotations: dict[str, str] = pydantic.Field(default={})
    """TODO controlPlane.serviceMonitor.annotations"""


class ControlPlane(base.Section):
    """TODO class controlPlane"""

    endpoint: str | None = None
    """TODO controlPlane.endpoint"""
    distro: base.Part[distro_keys.Distro] = base.part(distro_keys.Distro)
    """TODO controlPlane.distro"""
    standalone: base.Part[standalone_keys.Standalone] = base.part(standalone_keys.Standalone)
    """TODO controlPlane.standalone"""
    backing_store: base.Part[backing_store_keys.BackingStore] = base.part(backing_store_keys.BackingStore)
    """TODO controlPlane.backingStore"""
    coredns: base.Part[coredns_keys.Coredns] = base.part(coredns_keys.Coredns)
    """TODO controlPlane.coredns"""
    proxy: base.Part[Proxy] = base.part(Proxy)
    """TODO controlPlane.proxy"""
    host_path_mapper: base.Part[HostPathMapper] | None = None
    """TODO controlPlane.hostPathMapper"""
    ingress: base.Part[Ingress] = base.part(Ingress)
    """TODO controlPlane.ingress"""
    tls_route: base.Part[TlsRoute] = base.part(TlsRoute)
    """TODO controlPlane.tlsRoute"""
    service: base.Part[Service] = base.part(Service)
    """TODO controlPlane.service"""
    stateful_set: base.Part[stateful_set_keys.StatefulSet] = base.part(stateful_set_keys.StatefulSet)
    """TODO controlPlane.statefulSet"""
    service_monitor: base.Part[ServiceMonitor] = base.part(ServiceMonitor)
    """TODO controlPlane.serviceMonitor"""
    advanced: base.Part[advanced_keys.Advanced] = base.part(advanced_keys.Advanced)
    """TODO controlPlane.advanced"""
