"""Addresses, names and Services across the border."""

import pydantic

from nestling.config.models import base


class ReplicatedService(base.Section):
    """A Service that also appears on the other side."""

    from_: str | None = None
    """Where it is: namespace/name."""
    to: str | None = None
    """Where it appears: a name on the host, namespace/name in the virtual cluster."""


class ReplicateServices(base.Section):
    """Services that also appear on the other side."""

    to_host: list[base.Part[ReplicatedService]] = pydantic.Field(default=[])
    """From the virtual cluster (namespace/name) to the host (name)."""
    from_host: list[base.Part[ReplicatedService]] = pydantic.Field(default=[])
    """From the host (namespace/name, or name) to the virtual cluster (namespace/name)."""


class DnsTarget(base.Section):
    """What a name resolves to; exactly one of these."""

    hostname: str | None = None
    """Another host name."""
    ip: str | None = None
    """An address."""
    host_service: str | None = None
    """A Service of the host, namespace/name."""
    host_namespace: str | None = None
    """A namespace of the host: its Services by name."""
    v_cluster_service: str | None = None
    """A Service of another virtual cluster: hostNamespace/vcluster/namespace/name."""


class DnsRule(base.Section):
    """How one name resolves; exactly one of hostname, service and namespace says which."""

    hostname: str | None = None
    """A host name; a leading *. covers everything below it."""
    service: str | None = None
    """A Service, namespace/name."""
    namespace: str | None = None
    """All Services of a namespace."""
    target: base.Part[DnsTarget] | None = None


class ProxyKubelets(base.Section):
    """How the nodes of the virtual cluster are reached."""

    by_hostname: bool = True
    """Give nodes a host name that leads to the kubelet façade."""
    by_ip: bool = pydantic.Field(default=True, alias="byIP")
    """Give nodes an address that leads to the kubelet façade."""


class Advanced(base.Section):
    """Networking settings that are rarely needed."""

    cluster_domain: str = "cluster.local"
    """Domain of Services inside the virtual cluster."""
    fallback_host_cluster: bool = False
    """Names unknown in the virtual cluster are looked up on the host."""
    proxy_kubelets: base.Part[ProxyKubelets] = base.part(ProxyKubelets)


class Networking(base.Section):
    """Addresses, names and Services across the border."""

    service_cidr: str | None = pydantic.Field(default=None, alias="serviceCIDR")
    """Addresses of Services, with private nodes. Otherwise they are the host's."""
    pod_cidr: str = pydantic.Field(default="10.244.0.0/16", alias="podCIDR")
    """Addresses of pods, with private nodes."""
    replicate_services: base.Part[ReplicateServices] = base.part(ReplicateServices)
    resolve_dns: list[base.Part[DnsRule]] = pydantic.Field(default=[], alias="resolveDNS")
    """Names that resolve to something of your choice; needs the embedded CoreDNS."""
    advanced: base.Part[Advanced] = base.part(Advanced)
