"""Models of integrations_keys."""

from __future__ import annotations

import pydantic

from nestling.config.models import base, common


class ApiServiceTarget(base.Section):
    """TODO class integrations.metricsServer.apiService.service"""

    name: str | None = None
    """TODO integrations.metricsServer.apiService.service.name"""
    namespace: str | None = None
    """TODO integrations.metricsServer.apiService.service.namespace"""
    port: int | None = None
    """TODO integrations.metricsServer.apiService.service.port"""


class ApiService(base.Section):
    """TODO class integrations.metricsServer.apiService"""

    service: base.Part[ApiServiceTarget] | None = None
    """TODO integrations.metricsServer.apiService.service"""


class MetricsServer(base.Section):
    """TODO class integrations.metricsServer"""

    enabled: bool = False
    """TODO integrations.metricsServer.enabled"""
    api_service: base.Part[ApiService] | None = None
    """TODO integrations.metricsServer.apiService"""
    nodes: bool = True
    """TODO integrations.metricsServer.nodes"""
    pods: bool = True
    """TODO integrations.metricsServer.pods"""


class Sync(base.Section):
    """TODO class integrations.kubeVirt.sync"""

    data_volumes: base.Part[common.DisabledByDefault] = base.part(common.DisabledByDefault)
    """TODO integrations.kubeVirt.sync.dataVolumes"""
    virtual_machine_instance_migrations: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """TODO integrations.kubeVirt.sync.virtualMachineInstanceMigrations"""
    virtual_machine_instances: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """TODO integrations.kubeVirt.sync.virtualMachineInstances"""
    virtual_machines: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """TODO integrations.kubeVirt.sync.virtualMachines"""
    virtual_machine_clones: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """TODO integrations.kubeVirt.sync.virtualMachineClones"""
    virtual_machine_pools: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """TODO integrations.kubeVirt.sync.virtualMachinePools"""


class KubeVirt(base.Section):
    """TODO class integrations.kubeVirt"""

    enabled: bool = False
    """TODO integrations.kubeVirt.enabled"""
    api_service: base.Part[ApiService] | None = None
    """TODO integrations.kubeVirt.apiService"""
    webhook: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """TODO integrations.kubeVirt.webhook"""
    sync: base.Part[Sync] = base.part(Sync)
    """TODO integrations.kubeVirt.sync"""


class ExternalSecrets(base.Section):
    """TODO class integrations.externalSecrets.sync.toHost.externalSecrets"""

    selector: base.Part[common.LabelSelector] = base.part(common.LabelSelector)
    """TODO integrations.externalSecrets.sync.toHost.externalSecrets.selector"""


class SelectedStores(base.Section):
    """TODO class integrations.externalSecrets.sync.toHost.stores"""

    selector: base.Part[common.LabelSelector] = base.part(common.LabelSelector)
    """TODO integrations.externalSecrets.sync.toHost.stores.selector"""
    enabled: bool = False
    """TODO integrations.externalSecrets.sync.toHost.stores.enabled"""


class ToHost(base.Section):
    """TODO class integrations.externalSecrets.sync.toHost"""

    external_secrets: base.Part[ExternalSecrets] = base.part(ExternalSecrets)
    """TODO integrations.externalSecrets.sync.toHost.externalSecrets"""
    stores: base.Part[SelectedStores] = base.part(SelectedStores)
    """TODO integrations.externalSecrets.sync.toHost.stores"""


class FromHost(base.Section):
    """TODO class integrations.externalSecrets.sync.fromHost"""

    cluster_stores: base.Part[SelectedStores] = base.part(SelectedStores)
    """TODO integrations.externalSecrets.sync.fromHost.clusterStores"""


class ExternalSecretsSync(base.Section):
    """TODO class integrations.externalSecrets.sync"""

    to_host: base.Part[ToHost] = base.part(ToHost)
    """TODO integrations.externalSecrets.sync.toHost"""
    from_host: base.Part[FromHost] = base.part(FromHost)
    """TODO integrations.externalSecrets.sync.fromHost"""


class IntegrationsExternalSecrets(base.Section):
    """TODO class integrations.externalSecrets"""

    enabled: bool = False
    """TODO integrations.externalSecrets.enabled"""
    version: str | None = None
    """TODO integrations.externalSecrets.version"""
    webhook: base.Part[common.DisabledByDefault] = base.part(common.DisabledByDefault)
    """TODO integrations.externalSecrets.webhook"""
    sync: base.Part[ExternalSecretsSync] = base.part(ExternalSecretsSync)
    """TODO integrations.externalSecrets.sync"""


class SyncToHost(base.Section):
    """TODO class integrations.certManager.sync.toHost"""

    certificates: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """TODO integrations.certManager.sync.toHost.certificates"""
    issuers: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """TODO integrations.certManager.sync.toHost.issuers"""


class Selector(base.Section):
    """TODO class integrations.certManager.sync.fromHost.clusterIssuers.selector"""

    labels: dict[str, str] = pydantic.Field(default={})
    """TODO integrations.certManager.sync.fromHost.clusterIssuers.selector.labels"""


class ClusterIssuers(base.Section):
    """TODO class integrations.certManager.sync.fromHost.clusterIssuers"""

    enabled: bool = True
    """TODO integrations.certManager.sync.fromHost.clusterIssuers.enabled"""
    selector: base.Part[Selector] = base.part(Selector)
    """TODO integrations.certManager.sync.fromHost.clusterIssuers.selector"""


class SyncFromHost(base.Section):
    """TODO class integrations.certManager.sync.fromHost"""

    cluster_issuers: base.Part[ClusterIssuers] = base.part(ClusterIssuers)
    """TODO integrations.certManager.sync.fromHost.clusterIssuers"""


class CertManagerSync(base.Section):
    """TODO class integrations.certManager.sync"""

    to_host: base.Part[SyncToHost] = base.part(SyncToHost)
    """TODO integrations.certManager.sync.toHost"""
    from_host: base.Part[SyncFromHost] = base.part(SyncFromHost)
    """TODO integrations.certManager.sync.fromHost"""


class CertManager(base.Section):
    """TODO class integrations.certManager"""

    enabled: bool = False
    """TODO integrations.certManager.enabled"""
    sync: base.Part[CertManagerSync] = base.part(CertManagerSync)
    """TODO integrations.certManager.sync"""


class IstioSyncToHost(base.Section):
    """TODO class integrations.istio.sync.toHost"""

    destination_rules: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """TODO integrations.istio.sync.toHost.destinationRules"""
    gateways: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """TODO integrations.istio.sync.toHost.gateways"""
    virtual_services: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """TODO integrations.istio.sync.toHost.virtualServices"""


class IstioSync(base.Section):
    """TODO class integrations.istio.sync"""

    to_host: base.Part[IstioSyncToHost] = base.part(IstioSyncToHost)
    """TODO integrations.istio.sync.toHost"""


class Istio(base.Section):
    """TODO class integrations.istio"""

    enabled: bool = False
    """TODO integrations.istio.enabled"""
    sync: base.Part[IstioSync] = base.part(IstioSync)
    """TODO integrations.istio.sync"""


class KubeVip(base.Section):
    """TODO class integrations.netris.kubeVip"""

    server_cluster: str | None = None
    """TODO integrations.netris.kubeVip.serverCluster"""
    bridge: str | None = None
    """TODO integrations.netris.kubeVip.bridge"""
    ip_range: str | None = None
    """TODO integrations.netris.kubeVip.ipRange"""


class Netris(base.Section):
    """TODO class integrations.netris"""

    enabled: bool | None = None
    """TODO integrations.netris.enabled"""
    connector: str | None = None
    """TODO integrations.netris.connector"""
    kube_vip: base.Part[KubeVip] | None = None
    """TODO integrations.netris.kubeVip"""


class ArgoCD(base.Section):
    """TODO class integrations.argoCD"""

    enabled: bool | None = None
    """TODO integrations.argoCD.enabled"""
    connector: str | None = None
    """TODO integrations.argoCD.connector"""


class Integrations(base.Section):
    """TODO class integrations"""

    metrics_server: base.Part[MetricsServer] = base.part(MetricsServer)
    """TODO integrations.metricsServer"""
    kube_virt: base.Part[KubeVirt] = base.part(KubeVirt)
    """TODO integrations.kubeVirt"""
    external_secrets: base.Part[IntegrationsExternalSecrets] = base.part(IntegrationsExternalSecrets)
    """TODO integrations.externalSecrets"""
    cert_manager: base.Part[CertManager] = base.part(CertManager)
    """TODO integrations.certManager"""
    istio: base.Part[Istio] = base.part(Istio)
    """TODO integrations.istio"""
    netris: base.Part[Netris] | None = None
    """TODO integrations.netris"""
    argo_cd: base.Part[ArgoCD] | None = pydantic.Field(default=None, alias="argoCD")
    """TODO integrations.argoCD"""
