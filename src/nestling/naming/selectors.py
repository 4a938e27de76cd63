"""Label selectors in host terms (spec §1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nestling.naming import labels
from nestling.naming.tenant import Tenant

Selector = dict[str, Any]


def label_selector(selector: Mapping[str, Any] | None, tenant: Tenant) -> Selector | None:
    """The same selector with reserved keys translated; None stays None."""
    if selector is None:
        return None
    translated: Selector = {
        key: value for key, value in selector.items() if key not in ("matchLabels", "matchExpressions")
    }
    if "matchLabels" in selector:
        own = selector["matchLabels"] or {}
        translated["matchLabels"] = {labels.label_key_to_host(key, tenant): value for key, value in own.items()}
    if "matchExpressions" in selector:
        translated["matchExpressions"] = [
            {**expression, "key": labels.label_key_to_host(expression["key"], tenant)}
            for expression in selector["matchExpressions"] or ()
        ]
    return translated


def service_selector(selector: Mapping[str, str] | None, namespace: str, tenant: Tenant) -> dict[str, str] | None:
    """A Service's selector, which then only finds this tenant's pods of that virtual namespace; None stays None."""
    if selector is None:
        return None
    own = {labels.label_key_to_host(key, tenant): value for key, value in selector.items()}
    return {**own, labels.MANAGED_BY: tenant.name, labels.NAMESPACE: namespace}
