"""Models of policies_keys."""

from __future__ import annotations

from typing import Any

import pydantic

from nestling.config.models import admission_keys, base, network_policy_keys


class ResourceQuota(base.Section):
    """TODO class policies.resourceQuota"""

    enabled: base.StrBool = "auto"
    """TODO policies.resourceQuota.enabled"""
    quota: dict[str, Any] = pydantic.Field(
        default={
            "requests.cpu": 10,
            "requests.memory": "20Gi",
            "requests.storage": "100Gi",
            "requests.ephemeral-storage": "60Gi",
            "limits.cpu": 20,
            "limits.memory": "40Gi",
            "limits.ephemeral-storage": "160Gi",
            "services.nodeports": 0,
            "services.loadbalancers": 1,
            "count/endpoints": 40,
            "count/pods": 20,
            "count/services": 20,
            "count/secrets": 100,
            "count/configmaps": 100,
            "count/persistentvolumeclaims": 20,
        }
    )
    """TODO policies.resourceQuota.quota"""
    scope_selector: dict[str, Any] = pydantic.Field(default={"matchExpressions": []})
    """TODO policies.resourceQuota.scopeSelector"""
    scopes: list[str] = pydantic.Field(default=[])
    """TODO policies.resourceQuota.scopes"""
    annotations: dict[str, str] = pydantic.Field(default={})
    """TODO policies.resourceQuota.annotations"""
    labels: dict[str, str] = pydantic.Field(default={})
    """TODO policies.resourceQuota.labels"""


class LimitRange(base.Section):
    """TODO class policies.limitRange"""

    enabled: base.StrBool = "auto"
    """TODO policies.limitRange.enabled"""
    default: dict[str, Any] = pydantic.Field(default={"ephemeral-storage": "8Gi", "memory": "512Mi", "cpu": "1"})
    """TODO policies.limitRange.default"""
    default_request: dict[str, Any] = pydantic.Field(
        default={"ephemeral-storage": "3Gi", "memory": "128Mi", "cpu": "100m"}
    )
    """TODO policies.limitRange.defaultRequest"""
    max: dict[str, Any] = pydantic.Field(default={})
    """TODO policies.limitRange.max"""
    min: dict[str, Any] = pydantic.Field(default={})
    """TODO policies.limitRange.min"""
    annotations: dict[str, str] = pydantic.Field(default={})
    """TODO policies.limitRange.annotations"""
    labels: dict[str, str] = pydantic.Field(default={})
    """TODO policies.limitRange.labels"""


class Policies(base.Section):
    """TODO class policies"""

    network_policy: base.Part[network_policy_keys.NetworkPolicy] = base.part(network_policy_keys.NetworkPolicy)
    """TODO policies.networkPolicy"""
    pod_security_standard: str | None = None
    """TODO policies.podSecurityStandard"""
    resource_quota: base.Part[ResourceQuota] = base.part(ResourceQuota)
    """TODO policies.resourceQuota"""
    limit_range: base.Part[LimitRange] = base.part(LimitRange)
    """TODO policies.limitRange"""
    central_admission: base.Part[admission_keys.CentralAdmission] = base.part(admission_keys.CentralAdmission)
    """TODO policies.centralAdmission"""
