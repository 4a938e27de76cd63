"""The control plane and how it is reached."""

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
    """The address at which the API server listens."""

    bind_address: str = "0.0.0.0"  # noqa: S104  # the API server of a virtual cluster is there to be reached
    """Address to listen on."""
    port: int = 8443
    """Port to listen on."""
    extra_sans: list[str] = pydantic.Field(default=[], alias="extraSANs")
    """Further names and addresses for the serving certificate."""


class HostPathMapper(base.Section):
    """Makes paths of container logs on host nodes fit virtual pods."""

    enabled: bool | None = None
    """Rewrite the host paths."""
    central: bool | None = None
    """One mapper for the whole host."""


class Ingress(base.Section):
    """An Ingress to the API server. The controller must pass TLS through."""

    enabled: bool = False
    """Create it."""
    host: str = "my-host.com"
    """Its host name."""
    path_type: str = "ImplementationSpecific"
    """Path type of its rule."""
    spec: dict[str, Any] = pydantic.Field(default={"tls": []})
    """Specification, merged over ours."""
    annotations: dict[str, str] = pydantic.Field(
        default={
            "nginx.ingress.kubernetes.io/backend-protocol": "HTTPS",
            "nginx.ingress.kubernetes.io/ssl-passthrough": "true",
            "nginx.ingress.kubernetes.io/ssl-redirect": "true",
        }
    )
    """Annotations of it."""
    labels: dict[str, str] = pydantic.Field(default={})
    """Labels of it."""


class TlsRoute(base.Section):
    """A TLSRoute of the Gateway API to the API server."""

    enabled: bool = False
    """Create it."""
    api_version: str = "gateway.networking.k8s.io/v1"
    """API version of the TLSRoute."""
    host: str = "my-host.com"
    """Its host name."""
    parent_refs: list[dict[str, Any]] = pydantic.Field(default=[])
    """Gateways that it attaches to."""
    spec: dict[str, Any] = pydantic.Field(default={})
    """Specification, merged over ours."""
    annotations: dict[str, str] = pydantic.Field(default={})
    """Annotations of it."""
    labels: dict[str, str] = pydantic.Field(default={})
    """Labels of it."""


class Service(base.Section):
    """The Service of the control plane."""

    enabled: bool = True
    """Create it."""
    spec: dict[str, Any] = pydantic.Field(default={"type": "ClusterIP"})
    """Specification, merged over ours; type: LoadBalancer makes the API reachable from outside."""
    kubelet_node_port: int = 0
    """Node port of the kubelet port; 0 lets the host choose."""
    https_node_port: int = 0
    """Node port of the API; 0 lets the host choose."""
    annotations: dict[str, str] = pydantic.Field(default={})
    """Annotations of it."""
    labels: dict[str, str] = pydantic.Field(default={})
    """Labels of it."""


class ServiceMonitor(base.Section):
    """A ServiceMonitor, for Prometheus."""

    enabled: bool = False
    """Create it."""
    labels: dict[str, str] = pydantic.Field(default={})
    """Labels of it."""
    annotations: dict[str, str] = pydantic.Field(default={})
    """Annotations of it."""


class ControlPlane(base.Section):
    """The control plane and how it is reached."""

    endpoint: str | None = None
    """Address at which private nodes reach the API server."""
    distro: base.Part[distro_keys.Distro] = base.part(distro_keys.Distro)
    standalone: base.Part[standalone_keys.Standalone] = base.part(standalone_keys.Standalone)
    backing_store: base.Part[backing_store_keys.BackingStore] = base.part(backing_store_keys.BackingStore)
    coredns: base.Part[coredns_keys.Coredns] = base.part(coredns_keys.Coredns)
    proxy: base.Part[Proxy] = base.part(Proxy)
    host_path_mapper: base.Part[HostPathMapper] | None = None
    ingress: base.Part[Ingress] = base.part(Ingress)
    tls_route: base.Part[TlsRoute] = base.part(TlsRoute)
    service: base.Part[Service] = base.part(Service)
    stateful_set: base.Part[stateful_set_keys.StatefulSet] = base.part(stateful_set_keys.StatefulSet)
    service_monitor: base.Part[ServiceMonitor] = base.part(ServiceMonitor)
    advanced: base.Part[advanced_keys.Advanced] = base.part(advanced_keys.Advanced)
