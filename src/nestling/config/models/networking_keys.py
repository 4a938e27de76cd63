"""Models of networking_keys."""

from __future__ import annotations

import pydantic

from nestling.config.models import base


class ReplicatedService(base.Section):
    """TODO class networking.replicateServices.toHost[]"""

    from_: str | None = None
    """TODO networking.replicateServices.toHost[].from"""
    to: str | None = None
    """TODO networking.replicateServices.toHost[].to"""


class ReplicateServices(base.Section):
    """TODO class networking.replicateServices"""

    to_host: list[base.Part[ReplicatedService]] = pydantic.Field(default=[])
    """TODO networking.replicateServices.toHost"""
    from_host: list[base.Part[ReplicatedService]] = pydantic.Field(default=[])
    """TODO networking.replicateServices.fromHost"""


class DnsTarget(base.Section):
    """TODO class networking.resolveDNS[].target"""

    hostname: str | None = None
    """TODO networking.resolveDNS[].target.hostname"""
    ip: str | None = None
    """TODO networking.resolveDNS[].target.ip"""
    host_service: str | None = None
    """TODO networking.resolveDNS[].target.hostService"""
    host_namespace: str | None = None
    """TODO networking.resolveDNS[].target.hostNamespace"""
    v_cluster_service: str | None = None
    """TODO networking.resolveDNS[].target.vClusterService"""


class DnsRule(base.Section):
    """TODO class networking.resolveDNS[]"""

    hostname: str | None = None
    """TODO networking.resolveDNS[].hostname"""
    service: str | None = None
    """TODO networking.resolveDNS[].service"""
    namespace: str | None = None
    """TODO networking.resolveDNS[].namespace"""
    target: base.Part[DnsTarget] | None = None
    """TODO networking.resolveDNS[].target"""


class ProxyKubelets(base.Section):
    """TODO class networking.advanced.proxyKubelets"""

    by_hostname: bool = True
    """TODO networking.advanced.proxyKubelets.byHostname"""
    by_ip: bool = pydantic.Field(default=True, alias="byIP")
    """TODO networking.advanced.proxyKubelets.byIP"""


class Advanced(base.Section):
    """TODO class networking.advanced"""

    cluster_domain: str = "cluster.local"
    """TODO networking.advanced.clusterDomain"""
    fallback_host_cluster: bool = False
    """TODO networking.advanced.fallbackHostCluster"""
    proxy_kubelets: base.Part[ProxyKubelets] = base.part(ProxyKubelets)
    """TODO networking.advanced.proxyKubelets"""


class Networking(base.Section):
    """TODO class networking"""

    service_cidr: str | None = pydantic.Field(default=None, alias="serviceCIDR")
    """TODO networking.serviceCIDR"""
    pod_cidr: str = pydantic.Field(default="10.244.0.0/16", alias="podCIDR")
    """TODO networking.podCIDR"""
    replicate_services: base.Part[ReplicateServices] = base.part(ReplicateServices)
    """TODO networking.replicateServices"""
    resolve_dns: list[base.Part[DnsRule]] = pydantic.Field(default=[], alias="resolveDNS")
    """TODO networking.resolveDNS"""
    advanced: base.Part[Advanced] = base.part(Advanced)
    """TODO networking.advanced"""
