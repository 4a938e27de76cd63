"""Things installed on the host that tenants can use."""

import pydantic

from nestling.config.models import base, common


class ApiServiceTarget(base.Section):
    """The Service of the host that answers."""

    name: str | None = None
    """Name of the Service."""
    namespace: str | None = None
    """Namespace of the Service."""
    port: int | None = None
    """Port of the Service."""


class ApiService(base.Section):
    """Where the host serves this API, when it is not the usual place."""

    service: base.Part[ApiServiceTarget] | None = None


class MetricsServer(base.Section):
    """kubectl top and autoscaling, answered by the host's metrics-server."""

    enabled: bool = False
    """Offer metrics.k8s.io in the virtual cluster."""
    api_service: base.Part[ApiService] | None = None
    nodes: bool = True
    """Offer metrics of nodes."""
    pods: bool = True
    """Offer metrics of pods."""


class KubeVirtSync(base.Section):
    """Kinds of KubeVirt that are synced."""

    data_volumes: base.Part[common.DisabledByDefault] = base.part(common.DisabledByDefault)
    """DataVolumes."""
    virtual_machine_instance_migrations: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """VirtualMachineInstanceMigrations."""
    virtual_machine_instances: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """VirtualMachineInstances."""
    virtual_machines: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """VirtualMachines."""
    virtual_machine_clones: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """VirtualMachineClones."""
    virtual_machine_pools: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """VirtualMachinePools."""


class KubeVirt(base.Section):
    """Virtual machines by the host's KubeVirt."""

    enabled: bool = False
    """Let tenants create virtual machines."""
    api_service: base.Part[ApiService] | None = None
    webhook: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """Check objects with the host's webhooks."""
    sync: base.Part[KubeVirtSync] = base.part(KubeVirtSync)


class SelectedExternalSecrets(base.Section):
    """ExternalSecrets that go to the host."""

    selector: base.Part[common.LabelSelector] = base.part(common.LabelSelector)
    """Take only objects with these labels."""


class SelectedStores(base.Section):
    """Secret stores that are synced."""

    selector: base.Part[common.LabelSelector] = base.part(common.LabelSelector)
    """Take only objects with these labels."""
    enabled: bool = False
    """Sync them."""


class ExternalSecretsToHost(base.Section):
    """Kinds of External Secrets that go to the host."""

    external_secrets: base.Part[SelectedExternalSecrets] = base.part(SelectedExternalSecrets)
    stores: base.Part[SelectedStores] = base.part(SelectedStores)
    """SecretStores of the virtual cluster."""


class ExternalSecretsFromHost(base.Section):
    """Kinds of External Secrets that tenants see."""

    cluster_stores: base.Part[SelectedStores] = base.part(SelectedStores)
    """ClusterSecretStores of the host."""


class ExternalSecretsSync(base.Section):
    """Kinds of External Secrets that are synced."""

    to_host: base.Part[ExternalSecretsToHost] = base.part(ExternalSecretsToHost)
    from_host: base.Part[ExternalSecretsFromHost] = base.part(ExternalSecretsFromHost)


class ExternalSecrets(base.Section):
    """Secrets by the host's External Secrets operator."""

    enabled: bool = False
    """Let tenants create ExternalSecrets."""
    version: str | None = None
    """API version of the operator's kinds."""
    webhook: base.Part[common.DisabledByDefault] = base.part(common.DisabledByDefault)
    """Check objects with the host's webhooks."""
    sync: base.Part[ExternalSecretsSync] = base.part(ExternalSecretsSync)


class CertManagerToHost(base.Section):
    """Kinds of cert-manager that go to the host."""

    certificates: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """Certificates."""
    issuers: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """Issuers."""


class ClusterIssuerSelector(base.Section):
    """Which ClusterIssuers tenants see."""

    labels: dict[str, str] = pydantic.Field(default={})
    """Labels that a ClusterIssuer must have."""


class ClusterIssuers(base.Section):
    """ClusterIssuers of the host."""

    enabled: bool = True
    """Show them to tenants."""
    selector: base.Part[ClusterIssuerSelector] = base.part(ClusterIssuerSelector)


class CertManagerFromHost(base.Section):
    """Kinds of cert-manager that tenants see."""

    cluster_issuers: base.Part[ClusterIssuers] = base.part(ClusterIssuers)


class CertManagerSync(base.Section):
    """Kinds of cert-manager that are synced."""

    to_host: base.Part[CertManagerToHost] = base.part(CertManagerToHost)
    from_host: base.Part[CertManagerFromHost] = base.part(CertManagerFromHost)


class CertManager(base.Section):
    """Certificates by the host's cert-manager."""

    enabled: bool = False
    """Let tenants create Certificates and Issuers."""
    sync: base.Part[CertManagerSync] = base.part(CertManagerSync)


class IstioToHost(base.Section):
    """Kinds of Istio that go to the host."""

    destination_rules: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """DestinationRules."""
    gateways: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """Gateways of Istio."""
    virtual_services: base.Part[common.EnabledByDefault] = base.part(common.EnabledByDefault)
    """VirtualServices."""


class IstioSync(base.Section):
    """Kinds of Istio that are synced."""

    to_host: base.Part[IstioToHost] = base.part(IstioToHost)


class Istio(base.Section):
    """Traffic rules for the host's Istio."""

    enabled: bool = False
    """Let tenants create Istio's kinds."""
    sync: base.Part[IstioSync] = base.part(IstioSync)


class NetrisKubeVip(base.Section):
    """kube-vip in a Netris network."""

    server_cluster: str | None = None
    """Server cluster in Netris."""
    bridge: str | None = None
    """Network bridge."""
    ip_range: str | None = None
    """Addresses to take from."""


class Netris(base.Section):
    """Networks by Netris."""

    enabled: bool | None = None
    """Connect to Netris."""
    connector: str | None = None
    """Secret that says how to connect."""
    kube_vip: base.Part[NetrisKubeVip] | None = None


class IntegrationArgoCD(base.Section):
    """Deployment by Argo CD."""

    enabled: bool | None = None
    """Register the virtual cluster with Argo CD."""
    connector: str | None = None
    """Secret that says how to connect."""


class Integrations(base.Section):
    """Things installed on the host that tenants can use."""

    metrics_server: base.Part[MetricsServer] = base.part(MetricsServer)
    kube_virt: base.Part[KubeVirt] = base.part(KubeVirt)
    external_secrets: base.Part[ExternalSecrets] = base.part(ExternalSecrets)
    cert_manager: base.Part[CertManager] = base.part(CertManager)
    istio: base.Part[Istio] = base.part(Istio)
    netris: base.Part[Netris] | None = None
    argo_cd: base.Part[IntegrationArgoCD] | None = pydantic.Field(default=None, alias="argoCD")
