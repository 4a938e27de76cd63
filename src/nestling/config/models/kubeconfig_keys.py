"""Models of kubeconfig_keys."""

from __future__ import annotations

import pydantic

from nestling.config.models import base


class KubeConfigServiceAccount(base.Section):
    """TODO class exportKubeConfig.serviceAccount"""

    name: str = ""
    """TODO exportKubeConfig.serviceAccount.name"""
    namespace: str = ""
    """TODO exportKubeConfig.serviceAccount.namespace"""
    cluster_role: str = ""
    """TODO exportKubeConfig.serviceAccount.clusterRole"""


class KubeConfigSecret(base.Section):
    """TODO class exportKubeConfig.secret"""

    name: str = ""
    """TODO exportKubeConfig.secret.name"""
    namespace: str = ""
    """TODO exportKubeConfig.secret.namespace"""


class AdditionalServiceAccount(base.Section):
    """TODO class exportKubeConfig.additionalSecrets[].serviceAccount"""

    name: str | None = None
    """TODO exportKubeConfig.additionalSecrets[].serviceAccount.name"""
    namespace: str | None = None
    """TODO exportKubeConfig.additionalSecrets[].serviceAccount.namespace"""
    cluster_role: str | None = None
    """TODO exportKubeConfig.additionalSecrets[].serviceAccount.clusterRole"""


class AdditionalSecret(base.Section):
    """TODO class exportKubeConfig.additionalSecrets[]"""

    context: str | None = None
    """TODO exportKubeConfig.additionalSecrets[].context"""
    server: str | None = None
    """TODO exportKubeConfig.additionalSecrets[].server"""
    insecure: bool | None = None
    """TODO exportKubeConfig.additionalSecrets[].insecure"""
    service_account: base.Part[AdditionalServiceAccount] | None = None
    """TODO exportKubeConfig.additionalSecrets[].serviceAccount"""
    name: str | None = None
    """TODO exportKubeConfig.additionalSecrets[].name"""
    namespace: str | None = None
    """TODO exportKubeConfig.additionalSecrets[].namespace"""


class ExportKubeConfig(base.Section):
    """TODO class exportKubeConfig"""

    context: str = ""
    """TODO exportKubeConfig.context"""
    server: str = ""
    """TODO exportKubeConfig.server"""
    insecure: bool = False
    """TODO exportKubeConfig.insecure"""
    service_account: base.Part[KubeConfigServiceAccount] = base.part(KubeConfigServiceAccount)
    """TODO exportKubeConfig.serviceAccount"""
    secret: base.Part[KubeConfigSecret] = base.part(KubeConfigSecret)
    """TODO exportKubeConfig.secret"""
    additional_secrets: list[base.Part[AdditionalSecret]] = pydantic.Field(default=[])
    """TODO exportKubeConfig.additionalSecrets"""
