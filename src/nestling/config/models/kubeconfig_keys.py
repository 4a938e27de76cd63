"""How to reach the virtual cluster: the kubeconfig Secrets written on the host."""

import pydantic

from nestling.config.models import base


class KubeConfigServiceAccount(base.Section):
    """A service account of the virtual cluster whose token the kubeconfig holds instead of a client certificate."""

    name: str = ""
    """The service account; it is created when it is missing."""
    namespace: str = ""
    """Its namespace in the virtual cluster; kube-system when empty."""
    cluster_role: str = ""
    """A ClusterRole of the virtual cluster to bind it to, for example cluster-admin."""


class KubeConfigSecret(base.Section):
    """One further Secret with the kubeconfig. Older form of additionalSecrets; the two exclude each other."""

    name: str = ""
    """Name of the Secret."""
    namespace: str = ""
    """Host namespace of the Secret; that of the control plane when empty."""


class AdditionalServiceAccount(base.Section):
    """A service account of the virtual cluster whose token this kubeconfig holds."""

    name: str | None = None
    """The service account; it is created when it is missing."""
    namespace: str | None = None
    """Its namespace in the virtual cluster; kube-system when empty."""
    cluster_role: str | None = None
    """A ClusterRole of the virtual cluster to bind it to."""


class AdditionalSecret(base.Section):
    """One more Secret with a kubeconfig; it needs a name, a namespace or both."""

    context: str | None = None
    """Name of the context, the cluster and the user in this kubeconfig."""
    server: str | None = None
    """Address of the API server in this kubeconfig, such as https://my-vc.example.com."""
    insecure: bool | None = None
    """Leave the CA out and do not verify the server's certificate."""
    service_account: base.Part[AdditionalServiceAccount] | None = None
    name: str | None = None
    """Name of the Secret; vc-NAME when empty."""
    namespace: str | None = None
    """Host namespace of the Secret; that of the control plane when empty."""


class ExportKubeConfig(base.Section):
    """The kubeconfig that is written to the Secret vc-NAME next to the control plane."""

    context: str = ""
    """Name of the context, the cluster and the user in the kubeconfig."""
    server: str = ""
    """Address of the API server in the kubeconfig; https://localhost:8443 when empty."""
    insecure: bool = False
    """Leave the CA out and do not verify the server's certificate."""
    service_account: base.Part[KubeConfigServiceAccount] = base.part(KubeConfigServiceAccount)
    secret: base.Part[KubeConfigSecret] = base.part(KubeConfigSecret)
    additional_secrets: list[base.Part[AdditionalSecret]] = pydantic.Field(default=[])
    """Further Secrets with a kubeconfig, each with settings of its own."""
