"""Models of admission_keys."""

from __future__ import annotations

from typing import Any

import pydantic

from nestling.config.models import base


class WebhookMetadata(base.Section):
    """TODO class policies.centralAdmission.validatingWebhooks[].metadata"""

    name: str | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].metadata.name"""
    labels: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """TODO policies.centralAdmission.validatingWebhooks[].metadata.labels"""
    annotations: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """TODO policies.centralAdmission.validatingWebhooks[].metadata.annotations"""


class WebhookService(base.Section):
    """TODO class policies.centralAdmission.validatingWebhooks[].webhooks[].clientConfig.service"""

    namespace: str | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].clientConfig.service.namespace"""
    name: str | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].clientConfig.service.name"""
    path: str | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].clientConfig.service.path"""
    port: int | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].clientConfig.service.port"""


class WebhookClientConfig(base.Section):
    """TODO class policies.centralAdmission.validatingWebhooks[].webhooks[].clientConfig"""

    url: str | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].clientConfig.url"""
    service: base.Part[WebhookService] | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].clientConfig.service"""
    ca_bundle: str | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].clientConfig.caBundle"""


class ValidatingWebhook(base.Section):
    """TODO class policies.centralAdmission.validatingWebhooks[].webhooks[]"""

    name: str | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].name"""
    client_config: base.Part[WebhookClientConfig] | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].clientConfig"""
    rules: base.Absent[list[Any]] = pydantic.Field(default=[])
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].rules"""
    failure_policy: str | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].failurePolicy"""
    match_policy: str | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].matchPolicy"""
    namespace_selector: Any = None
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].namespaceSelector"""
    object_selector: Any = None
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].objectSelector"""
    side_effects: str | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].sideEffects"""
    timeout_seconds: int | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].timeoutSeconds"""
    admission_review_versions: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].admissionReviewVersions"""
    match_conditions: base.Absent[list[Any]] = pydantic.Field(default=[])
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks[].matchConditions"""


class ValidatingWebhookConfiguration(base.Section):
    """TODO class policies.centralAdmission.validatingWebhooks[]"""

    kind: str | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].kind"""
    api_version: str | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].apiVersion"""
    metadata: base.Part[WebhookMetadata] | None = None
    """TODO policies.centralAdmission.validatingWebhooks[].metadata"""
    webhooks: base.Absent[list[base.Part[ValidatingWebhook]]] = pydantic.Field(default=[])
    """TODO policies.centralAdmission.validatingWebhooks[].webhooks"""


class MutatingWebhook(base.Section):
    """TODO class policies.centralAdmission.mutatingWebhooks[].webhooks[]"""

    reinvocation_policy: str | None = None
    """TODO policies.centralAdmission.mutatingWebhooks[].webhooks[].reinvocationPolicy"""
    name: str | None = None
    """TODO policies.centralAdmission.mutatingWebhooks[].webhooks[].name"""
    client_config: base.Part[WebhookClientConfig] | None = None
    """TODO policies.centralAdmission.mutatingWebhooks[].webhooks[].clientConfig"""
    rules: base.Absent[list[Any]] = pydantic.Field(default=[])
    """TODO policies.centralAdmission.mutatingWebhooks[].webhooks[].rules"""
    failure_policy: str | None = None
    """TODO policies.centralAdmission.mutatingWebhooks[].webhooks[].failurePolicy"""
    match_policy: str | None = None
    """TODO policies.centralAdmission.mutatingWebhooks[].webhooks[].matchPolicy"""
    namespace_selector: Any = None
    """TODO policies.centralAdmission.mutatingWebhooks[].webhooks[].namespaceSelector"""
    object_selector: Any = None
    """TODO policies.centralAdmission.mutatingWebhooks[].webhooks[].objectSelector"""
    side_effects: str | None = None
    """TODO policies.centralAdmission.mutatingWebhooks[].webhooks[].sideEffects"""
    timeout_seconds: int | None = None
    """TODO policies.centralAdmission.mutatingWebhooks[].webhooks[].timeoutSeconds"""
    admission_review_versions: base.Absent[list[str]] = pydantic.Field(default=[])
    """TODO policies.centralAdmission.mutatingWebhooks[].webhooks[].admissionReviewVersions"""
    match_conditions: base.Absent[list[Any]] = pydantic.Field(default=[])
    """TODO policies.centralAdmission.mutatingWebhooks[].webhooks[].matchConditions"""


class MutatingWebhookConfiguration(base.Section):
    """TODO class policies.centralAdmission.mutatingWebhooks[]"""

    kind: str | None = None
    """TODO policies.centralAdmission.mutatingWebhooks[].kind"""
    api_version: str | None = None
    """TODO policies.centralAdmission.mutatingWebhooks[].apiVersion"""
    metadata: base.Part[WebhookMetadata] | None = None
    """TODO policies.centralAdmission.mutatingWebhooks[].metadata"""
    webhooks: base.Absent[list[base.Part[MutatingWebhook]]] = pydantic.Field(default=[])
    """TODO policies.centralAdmission.mutatingWebhooks[].webhooks"""


class CentralAdmission(base.Section):
    """TODO class policies.centralAdmission"""

    validating_webhooks: list[base.Part[ValidatingWebhookConfiguration]] = pydantic.Field(default=[])
    """TODO policies.centralAdmission.validatingWebhooks"""
    mutating_webhooks: list[base.Part[MutatingWebhookConfiguration]] = pydantic.Field(default=[])
    """TODO policies.centralAdmission.mutatingWebhooks"""
