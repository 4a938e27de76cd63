"""Admission webhooks that tenants cannot change."""

from typing import Any

import pydantic

from nestling.config.models import base


class WebhookMetadata(base.Section):
    """Name, labels and annotations of the webhook configuration."""

    name: str | None = None
    """Its name."""
    labels: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """Labels of it."""
    annotations: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """Annotations of it."""


class WebhookService(base.Section):
    """The Service on the host that answers."""

    namespace: str | None = None
    """Namespace of the Service."""
    name: str | None = None
    """Name of the Service."""
    path: str | None = None
    """Path of the request."""
    port: int | None = None
    """Port of the Service."""


class WebhookClientConfig(base.Section):
    """How the webhook is reached."""

    url: str | None = None
    """Address, instead of a Service."""
    service: base.Part[WebhookService] | None = None
    ca_bundle: str | None = None
    """Certificates to trust, in base64."""


class ValidatingWebhook(base.Section):
    """A webhook that may refuse."""

    name: str | None = None
    """Its name."""
    client_config: base.Part[WebhookClientConfig] | None = None
    rules: base.Absent[list[Any]] = pydantic.Field(default=[])
    """Requests that it sees, as in a webhook."""
    failure_policy: str | None = None
    """Fail or Ignore when it cannot be reached."""
    match_policy: str | None = None
    """Exact or Equivalent."""
    namespace_selector: Any = None
    """Namespaces that it covers."""
    object_selector: Any = None
    """Objects that it covers."""
    side_effects: str | None = None
    """None or NoneOnDryRun."""
    timeout_seconds: int | None = None
    """Seconds until a check counts as failed."""
    admission_review_versions: base.Absent[list[str]] = pydantic.Field(default=[])
    """Versions of AdmissionReview that it understands."""
    match_conditions: base.Absent[list[Any]] = pydantic.Field(default=[])
    """CEL conditions that must hold."""


class ValidatingWebhookConfiguration(base.Section):
    """A validating webhook of the host that also covers the virtual cluster."""

    kind: str | None = None
    """ValidatingWebhookConfiguration."""
    api_version: str | None = None
    """admissionregistration.k8s.io/v1."""
    metadata: base.Part[WebhookMetadata] | None = None
    webhooks: base.Absent[list[base.Part[ValidatingWebhook]]] = pydantic.Field(default=[])
    """The webhooks."""


class MutatingWebhook(base.Section):
    """A webhook that may change objects."""

    reinvocation_policy: str | None = None
    """Never or IfNeeded."""
    name: str | None = None
    """Its name."""
    client_config: base.Part[WebhookClientConfig] | None = None
    rules: base.Absent[list[Any]] = pydantic.Field(default=[])
    """Requests that it sees, as in a webhook."""
    failure_policy: str | None = None
    """Fail or Ignore when it cannot be reached."""
    match_policy: str | None = None
    """Exact or Equivalent."""
    namespace_selector: Any = None
    """Namespaces that it covers."""
    object_selector: Any = None
    """Objects that it covers."""
    side_effects: str | None = None
    """None or NoneOnDryRun."""
    timeout_seconds: int | None = None
    """Seconds until a check counts as failed."""
    admission_review_versions: base.Absent[list[str]] = pydantic.Field(default=[])
    """Versions of AdmissionReview that it understands."""
    match_conditions: base.Absent[list[Any]] = pydantic.Field(default=[])
    """CEL conditions that must hold."""


class MutatingWebhookConfiguration(base.Section):
    """A mutating webhook of the host that also covers the virtual cluster."""

    kind: str | None = None
    """MutatingWebhookConfiguration."""
    api_version: str | None = None
    """admissionregistration.k8s.io/v1."""
    metadata: base.Part[WebhookMetadata] | None = None
    webhooks: base.Absent[list[base.Part[MutatingWebhook]]] = pydantic.Field(default=[])
    """The webhooks."""


class CentralAdmission(base.Section):
    """Admission webhooks of the host that cover the virtual cluster; tenants cannot change them."""

    validating_webhooks: list[base.Part[ValidatingWebhookConfiguration]] = pydantic.Field(default=[])
    """Webhooks that may refuse."""
    mutating_webhooks: list[base.Part[MutatingWebhookConfiguration]] = pydantic.Field(default=[])
    """Webhooks that may change objects."""
