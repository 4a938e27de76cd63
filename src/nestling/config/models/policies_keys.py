"""Limits for a virtual cluster on the host."""

from typing import Any

import pydantic

from nestling.config.models import admission_keys, base, network_policy_keys


class ResourceQuota(base.Section):
    """The ResourceQuota vc-NAME in the host namespace."""

    enabled: base.StrBool = "auto"
    """Create it; auto means when limitRange is true."""
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
    """Hard limits; yours are merged over the defaults."""
    scope_selector: dict[str, Any] = pydantic.Field(default={"matchExpressions": []})
    """Which pods count, by scope."""
    scopes: list[str] = pydantic.Field(default=[])
    """Which pods count, by simple scope."""
    annotations: dict[str, str] = pydantic.Field(default={})
    """Annotations of it."""
    labels: dict[str, str] = pydantic.Field(default={})
    """Labels of it."""


class LimitRange(base.Section):
    """The LimitRange vc-NAME in the host namespace."""

    enabled: base.StrBool = "auto"
    """Create it; auto means when resourceQuota is true."""
    default: dict[str, Any] = pydantic.Field(default={"ephemeral-storage": "8Gi", "memory": "512Mi", "cpu": "1"})
    """Limits of containers that have none."""
    default_request: dict[str, Any] = pydantic.Field(
        default={"ephemeral-storage": "3Gi", "memory": "128Mi", "cpu": "100m"}
    )
    """Requests of containers that have none."""
    max: dict[str, Any] = pydantic.Field(default={})
    """Most that a container may ask for."""
    min: dict[str, Any] = pydantic.Field(default={})
    """Least that a container must ask for."""
    annotations: dict[str, str] = pydantic.Field(default={})
    """Annotations of it."""
    labels: dict[str, str] = pydantic.Field(default={})
    """Labels of it."""


class Policies(base.Section):
    """Limits for the virtual cluster on the host."""

    network_policy: base.Part[network_policy_keys.NetworkPolicy] = base.part(network_policy_keys.NetworkPolicy)
    pod_security_standard: str | None = None
    """privileged, baseline or restricted: pods that violate it are not synced."""
    resource_quota: base.Part[ResourceQuota] = base.part(ResourceQuota)
    limit_range: base.Part[LimitRange] = base.part(LimitRange)
    central_admission: base.Part[admission_keys.CentralAdmission] = base.part(admission_keys.CentralAdmission)
