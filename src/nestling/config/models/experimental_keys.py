"""Models of experimental_keys."""

from __future__ import annotations

from typing import Any

import pydantic

from nestling.config.models import base, docker_keys


class Host(base.Section):
    """TODO class experimental.deploy.host"""

    manifests: str = ""
    """TODO experimental.deploy.host.manifests"""
    manifests_template: str = ""
    """TODO experimental.deploy.host.manifestsTemplate"""


class Chart(base.Section):
    """TODO class experimental.deploy.vcluster.helm[].chart"""

    name: str | None = None
    """TODO experimental.deploy.vcluster.helm[].chart.name"""
    repo: str | None = None
    """TODO experimental.deploy.vcluster.helm[].chart.repo"""
    insecure: bool | None = None
    """TODO experimental.deploy.vcluster.helm[].chart.insecure"""
    version: str | None = None
    """TODO experimental.deploy.vcluster.helm[].chart.version"""
    username: str | None = None
    """TODO experimental.deploy.vcluster.helm[].chart.username"""
    password: str | None = None
    """TODO experimental.deploy.vcluster.helm[].chart.password"""


class Release(base.Section):
    """TODO class experimental.deploy.vcluster.helm[].release"""

    name: str | None = None
    """TODO experimental.deploy.vcluster.helm[].release.name"""
    namespace: str | None = None
    """TODO experimental.deploy.vcluster.helm[].release.namespace"""


class HelmRelease(base.Section):
    """TODO class experimental.deploy.vcluster.helm[]"""

    chart: base.Part[Chart] | None = None
    """TODO experimental.deploy.vcluster.helm[].chart"""
    release: base.Part[Release] | None = None
    """TODO experimental.deploy.vcluster.helm[].release"""
    values: str | None = None
    """TODO experimental.deploy.vcluster.helm[].values"""
    timeout: str | None = None
    """TODO experimental.deploy.vcluster.helm[].timeout"""
    bundle: str | None = None
    """TODO experimental.deploy.vcluster.helm[].bundle"""


class Vcluster(base.Section):
    """TODO class experimental.deploy.vcluster"""

    manifests: str = ""
    """TODO experimental.deploy.vcluster.manifests"""
    manifests_template: str = ""
    """TODO experimental.deploy.vcluster.manifestsTemplate"""
    helm: list[base.Part[HelmRelease]] = pydantic.Field(default=[])
    """TODO experimental.deploy.vcluster.helm"""


class Deploy(base.Section):
    """TODO class experimental.deploy"""

    host: base.Part[Host] = base.part(Host)
    """TODO experimental.deploy.host"""
    vcluster: base.Part[Vcluster] = base.part(Vcluster)
    """TODO experimental.deploy.vcluster"""


class SyncSettings(base.Section):
    """TODO class experimental.syncSettings"""

    set_owner: bool = True
    """TODO experimental.syncSettings.setOwner"""
    host_metrics_bind_address: str | None = None
    """TODO experimental.syncSettings.hostMetricsBindAddress"""
    virtual_metrics_bind_address: str | None = None
    """TODO experimental.syncSettings.virtualMetricsBindAddress"""


class VirtualClusterKubeConfig(base.Section):
    """TODO class experimental.virtualClusterKubeConfig"""

    kube_config: str | None = None
    """TODO experimental.virtualClusterKubeConfig.kubeConfig"""
    server_ca_key: str | None = pydantic.Field(default=None, alias="serverCAKey")
    """TODO experimental.virtualClusterKubeConfig.serverCAKey"""
    server_ca_cert: str | None = pydantic.Field(default=None, alias="serverCACert")
    """TODO experimental.virtualClusterKubeConfig.serverCACert"""
    client_ca_cert: str | None = pydantic.Field(default=None, alias="clientCACert")
    """TODO experimental.virtualClusterKubeConfig.clientCACert"""
    client_ca_key: str | None = pydantic.Field(default=None, alias="clientCAKey")
    """TODO experimental.virtualClusterKubeConfig.clientCAKey"""
    request_header_ca_cert: str | None = pydantic.Field(default=None, alias="requestHeaderCACert")
    """TODO experimental.virtualClusterKubeConfig.requestHeaderCACert"""


class DenyRule(base.Section):
    """TODO class experimental.denyProxyRequests[].rules[]"""

    api_groups: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO experimental.denyProxyRequests[].rules[].apiGroups"""
    api_versions: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO experimental.denyProxyRequests[].rules[].apiVersions"""
    resources: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO experimental.denyProxyRequests[].rules[].resources"""
    scope: str | None = None
    """TODO experimental.denyProxyRequests[].rules[].scope"""
    operations: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO experimental.denyProxyRequests[].rules[].operations"""


class DenyProxyRequest(base.Section):
    """TODO class experimental.denyProxyRequests[]"""

    name: str | None = None
    """TODO experimental.denyProxyRequests[].name"""
    namespaces: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO experimental.denyProxyRequests[].namespaces"""
    rules: base.Absent[list[base.Part[DenyRule]]] = pydantic.Field(default=[])
    """TODO experimental.denyProxyRequests[].rules"""
    excluded_users: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO experimental.denyProxyRequests[].excludedUsers"""


class TargetVirtualCluster(base.Section):
    """TODO class experimental.proxy.customResources.<name>.targetVirtualCluster"""

    name: str | None = None
    """TODO experimental.proxy.customResources.<name>.targetVirtualCluster.name"""
    project: str | None = None
    """TODO experimental.proxy.customResources.<name>.targetVirtualCluster.project"""


class ProxiedResource(base.Section):
    """TODO class experimental.proxy.customResources.<name>"""

    enabled: bool | None = None
    """TODO experimental.proxy.customResources.<name>.enabled"""
    target_virtual_cluster: base.Part[TargetVirtualCluster] | None = None
    """TODO experimental.proxy.customResources.<name>.targetVirtualCluster"""
    access_resources: str | None = None
    """TODO experimental.proxy.customResources.<name>.accessResources"""


class Proxy(base.Section):
    """TODO class experimental.proxy"""

    custom_resources: dict[str, base.Part[ProxiedResource]] = pydantic.Field(default={})
    """TODO experimental.proxy.customResources"""


class NodeMonitorEndpoint(base.Section):
    """TODO class experimental.nodeMonitors[].endpoints[]"""

    path: str | None = None
    """TODO experimental.nodeMonitors[].endpoints[].path"""
    params: base.Absent[dict[str, list[str]]] = pydantic.Field(default={})
    """TODO experimental.nodeMonitors[].endpoints[].params"""
    extra_relabelings: base.Absent[list[dict[str, Any]]] = pydantic.Field(default=[])
    """TODO experimental.nodeMonitors[].endpoints[].extraRelabelings"""
    metrics_relabelings: base.Absent[list[dict[str, Any]]] = pydantic.Field(default=[])
    """TODO experimental.nodeMonitors[].endpoints[].metricsRelabelings"""
    interval: str | None = None
    """TODO experimental.nodeMonitors[].endpoints[].interval"""
    scrape_timeout: str | None = None
    """TODO experimental.nodeMonitors[].endpoints[].scrapeTimeout"""


class NodeMonitor(base.Section):
    """TODO class experimental.nodeMonitors[]"""

    name: str | None = None
    """TODO experimental.nodeMonitors[].name"""
    node_selector: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """TODO experimental.nodeMonitors[].nodeSelector"""
    endpoints: base.Absent[list[base.Part[NodeMonitorEndpoint]]] = pydantic.Field(default=[])
    """TODO experimental.nodeMonitors[].endpoints"""
    spec: base.Absent[dict[str, Any]] = pydantic.Field(default={})
    """TODO experimental.nodeMonitors[].spec"""
    annotations: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """TODO experimental.nodeMonitors[].annotations"""
    labels: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """TODO experimental.nodeMonitors[].labels"""


class Experimental(base.Section):
    """TODO class experimental"""

    deploy: base.Part[Deploy] = base.part(Deploy)
    """TODO experimental.deploy"""
    sync_settings: base.Part[SyncSettings] = base.part(SyncSettings)
    """TODO experimental.syncSettings"""
    virtual_cluster_kube_config: base.Part[VirtualClusterKubeConfig] | None = None
    """TODO experimental.virtualClusterKubeConfig"""
    deny_proxy_requests: base.Absent[list[base.Part[DenyProxyRequest]]] = pydantic.Field(default=[])
    """TODO experimental.denyProxyRequests"""
    proxy: base.Part[Proxy] = base.part(Proxy)
    """TODO experimental.proxy"""
    docker: base.Part[docker_keys.Docker] = base.part(docker_keys.Docker)
    """TODO experimental.docker"""
    node_monitors: list[base.Part[NodeMonitor]] = pydantic.Field(default=[])
    """TODO experimental.nodeMonitors"""
