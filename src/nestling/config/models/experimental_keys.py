"""Settings that may change."""

from typing import Any

import pydantic

from nestling.config.models import base, docker_keys


class DeployHost(base.Section):
    """Manifests for the host."""

    manifests: str = ""
    """Manifests, as YAML text."""
    manifests_template: str = ""
    """Manifests as a Go template with .Values and .Release."""


class HelmChart(base.Section):
    """The chart."""

    name: str | None = None
    """Name of the chart."""
    repo: str | None = None
    """Address of the repository."""
    insecure: bool | None = None
    """Do not verify the repository's certificate."""
    version: str | None = None
    """Version of the chart."""
    username: str | None = None
    """User name for the repository."""
    password: str | None = None
    """Password for the repository."""


class HelmReleaseName(base.Section):
    """Name and place of the release."""

    name: str | None = None
    """Name of the release."""
    namespace: str | None = None
    """Namespace of the release."""


class HelmRelease(base.Section):
    """A Helm release in the virtual cluster."""

    chart: base.Part[HelmChart] | None = None
    release: base.Part[HelmReleaseName] | None = None
    values: str | None = None
    """Its values, as YAML text."""
    timeout: str | None = None
    """How long to wait, such as 180s."""
    bundle: str | None = None
    """The chart itself, packed and in base64."""


class DeployVcluster(base.Section):
    """Manifests and charts for the virtual cluster."""

    manifests: str = ""
    """Manifests, as YAML text."""
    manifests_template: str = ""
    """Manifests as a Go template with .Values and .Release."""
    helm: list[base.Part[HelmRelease]] = pydantic.Field(default=[])
    """Helm releases."""


class DeployManifests(base.Section):
    """What is deployed once the control plane is up."""

    host: base.Part[DeployHost] = base.part(DeployHost)
    vcluster: base.Part[DeployVcluster] = base.part(DeployVcluster)


class SyncSettings(base.Section):
    """Settings of the sync."""

    set_owner: bool = True
    """Make host objects belong to the Service of the control plane, so that they vanish with it."""
    host_metrics_bind_address: str | None = None
    """Address of metrics about the host side."""
    virtual_metrics_bind_address: str | None = None
    """Address of metrics about the virtual side."""


class VirtualClusterKubeConfig(base.Section):
    """Where the control plane's own files are, when they are not ours."""

    kube_config: str | None = None
    """The kubeconfig."""
    server_ca_key: str | None = pydantic.Field(default=None, alias="serverCAKey")
    """Key of the server CA."""
    server_ca_cert: str | None = pydantic.Field(default=None, alias="serverCACert")
    """Certificate of the server CA."""
    client_ca_cert: str | None = pydantic.Field(default=None, alias="clientCACert")
    """Certificate of the client CA."""
    client_ca_key: str | None = pydantic.Field(default=None, alias="clientCAKey")
    """Key of the client CA."""
    request_header_ca_cert: str | None = pydantic.Field(default=None, alias="requestHeaderCACert")
    """Certificate of the front proxy CA."""


class DenyRule(base.Section):
    """Requests that a rule covers."""

    api_groups: base.Absent[list[str]] = pydantic.Field(default=[])
    """API groups."""
    api_versions: base.Absent[list[str]] = pydantic.Field(default=[])
    """API versions."""
    resources: base.Absent[list[str]] = pydantic.Field(default=[])
    """Resources."""
    scope: str | None = None
    """Cluster, Namespaced or *."""
    operations: base.Absent[list[str]] = pydantic.Field(default=[])
    """Verbs."""


class DenyProxyRequest(base.Section):
    """Requests that are refused."""

    name: str | None = None
    """Name of the rule."""
    namespaces: base.Absent[list[str]] = pydantic.Field(default=[])
    """Namespaces it holds in."""
    rules: base.Absent[list[base.Part[DenyRule]]] = pydantic.Field(default=[])
    """The requests."""
    excluded_users: base.Absent[list[str]] = pydantic.Field(default=[])
    """Users it does not hold for."""


class TargetVirtualCluster(base.Section):
    """The other virtual cluster."""

    name: str | None = None
    """Its name."""
    project: str | None = None
    """Its project."""


class ProxiedResource(base.Section):
    """Requests for this kind are answered by another virtual cluster."""

    enabled: bool | None = None
    """Pass the requests on."""
    target_virtual_cluster: base.Part[TargetVirtualCluster] | None = None
    access_resources: str | None = None
    """Which objects are visible: owned or all."""


class ExperimentalProxy(base.Section):
    """Kinds that other virtual clusters answer for."""

    custom_resources: dict[str, base.Part[ProxiedResource]] = pydantic.Field(default={})
    """By plural.group/version."""


class NodeMonitorEndpoint(base.Section):
    """One place to scrape."""

    path: str | None = None
    """Path of the metrics."""
    params: base.Absent[dict[str, list[str]]] = pydantic.Field(default={})
    """Parameters of the request."""
    extra_relabelings: base.Absent[list[dict[str, Any]]] = pydantic.Field(default=[])
    """Further rules for target labels."""
    metrics_relabelings: base.Absent[list[dict[str, Any]]] = pydantic.Field(default=[])
    """Further rules for metric labels."""
    interval: str | None = None
    """How often to scrape."""
    scrape_timeout: str | None = None
    """How long a scrape may take."""


class NodeMonitor(base.Section):
    """Metrics of private nodes for the host's Prometheus."""

    name: str | None = None
    """Its name."""
    node_selector: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """Labels of the nodes."""
    endpoints: base.Absent[list[base.Part[NodeMonitorEndpoint]]] = pydantic.Field(default=[])
    """What to scrape."""
    spec: base.Absent[dict[str, Any]] = pydantic.Field(default={})
    """Specification, merged over ours."""
    annotations: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """Annotations of it."""
    labels: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """Labels of it."""


class Experimental(base.Section):
    """Settings that may change."""

    deploy: base.Part[DeployManifests] = base.part(DeployManifests)
    sync_settings: base.Part[SyncSettings] = base.part(SyncSettings)
    virtual_cluster_kube_config: base.Part[VirtualClusterKubeConfig] | None = None
    deny_proxy_requests: base.Absent[list[base.Part[DenyProxyRequest]]] = pydantic.Field(default=[])
    """Requests that are refused whatever RBAC says."""
    proxy: base.Part[ExperimentalProxy] = base.part(ExperimentalProxy)
    docker: base.Part[docker_keys.Docker] = base.part(docker_keys.Docker)
    node_monitors: list[base.Part[NodeMonitor]] = pydantic.Field(default=[])
    """Metrics of private nodes for the host's Prometheus."""
