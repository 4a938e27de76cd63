"""Selectors in host terms (spec §1.4, §2.2 affinity, §2.7).

All pods of a virtual cluster, and its control plane, are in one host namespace. A selector that was written for one
virtual namespace therefore gets labels that say which tenant and which virtual namespace it means; one of Namespaces
becomes requirements on the labels that pods have from their Namespace.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from nestling.naming import labels
from nestling.naming.tenant import Tenant

#: A LabelSelector of the Kubernetes API.
Selector = Mapping[str, Any]
#: A comma between requirements of a selector in text form, not one between the values of ``in (a, b)``.
_COMMA: Final = re.compile(r",(?![^(]*\))")
#: A requirement that something is there: ``key``, ``key=value``, ``key in (a, b)``.
_POSITIVE: Final = re.compile(r"\s*([^\s!=<>(),]+)\s*(|==?[^=!<>]*|\s+in\s*\([^()]*\))\s*")


def label_selector(selector: Selector | None, tenant: Tenant) -> dict[str, Any] | None:
    """The same selector with the keys that labels have on the host. None, which selects nothing, stays None."""
    if selector is None:
        return None
    out = dict(selector)
    if selector.get("matchLabels"):
        out["matchLabels"] = _map(selector["matchLabels"], tenant)
    if selector.get("matchExpressions"):
        out["matchExpressions"] = [
            {**one, "key": labels.label_key_to_host(one["key"], tenant)} for one in selector["matchExpressions"]
        ]
    return out


def narrowing(text: str, namespace: str, tenant: Tenant) -> str:
    """A selector of host pods, in text form, that selects at least those which ``text`` selects of the tenant's pods.

    An empty namespace means all. Requirements that something is absent are left out, because the host adds labels.
    """
    own = labels.marks(namespace, tenant) if namespace else {labels.MANAGED_BY: tenant.name}
    found = [f"{key}={value}" for key, value in own.items()]
    for one in _COMMA.split(text):
        match = _POSITIVE.fullmatch(one)
        if match is not None:
            condition = f" {match[2].strip()}" if match[2].strip().startswith("in") else match[2].strip()
            found.append(f"{labels.label_key_to_host(match[1], tenant)}{condition}")
    return ",".join(found)


def service_selector(selector: Mapping[str, str] | None, namespace: str, tenant: Tenant) -> dict[str, str] | None:
    """The selector of a Service: only this tenant's pods of the Service's virtual namespace.

    A Service without selector stays one: its endpoints are written by hand.
    """
    if not selector:
        return None
    return {**_map(selector, tenant), **labels.marks(namespace, tenant)}


def pod_selector(selector: Selector | None, namespace: str, tenant: Tenant) -> dict[str, Any] | None:
    """A selector of pods in one virtual namespace: of topology spread, a NetworkPolicy, a disruption budget."""
    return term_selector(selector, namespace=namespace, tenant=tenant)


def term_selector(
    selector: Selector | None,
    *,
    namespace: str,
    tenant: Tenant,
    namespaces: Collection[str] = (),
    namespace_selector: Selector | None = None,
) -> dict[str, Any] | None:
    """A selector of pods in some virtual namespaces, as an affinity term says it.

    Without ``namespaces`` and ``namespace_selector`` the pod's own ``namespace`` is meant; an empty
    ``namespace_selector`` means all namespaces of this virtual cluster. Where both are given, ``namespaces`` counts:
    on the host there is no "or" between them.
    """
    out = label_selector(selector, tenant)
    if out is None:
        return None
    more: list[dict[str, Any]] = []
    match = {**(out.get("matchLabels") or {}), labels.MANAGED_BY: tenant.name}
    if namespaces:
        more = [{"key": labels.NAMESPACE, "operator": "In", "values": sorted(set(namespaces))}]
    elif namespace_selector is not None:
        more = namespace_requirements(namespace_selector, tenant)
    else:
        match[labels.NAMESPACE] = namespace
    out["matchLabels"] = match
    if more:
        out["matchExpressions"] = [*(out.get("matchExpressions") or ()), *more]
    return out


def namespace_requirements(selector: Selector, tenant: Tenant) -> list[dict[str, Any]]:
    """A selector of Namespaces as requirements on pods; none for the selector of all.

    Always as expressions: as ``matchLabels`` they could meet a label that the tenant asks for itself.
    """
    exact = [
        {"key": labels.namespace_label_key(key, tenant), "operator": "In", "values": [value]}
        for key, value in sorted((selector.get("matchLabels") or {}).items())
    ]
    expressions = [
        {**one, "key": labels.namespace_label_key(one["key"], tenant)} for one in selector.get("matchExpressions") or ()
    ]
    return exact + expressions


def network_policy_peer(peer: Mapping[str, Any], namespace: str, tenant: Tenant) -> dict[str, Any]:
    """A peer of a NetworkPolicy of ``namespace``: addresses as they are, else one selector of pods.

    A ``namespaceSelector`` is never emitted: on the host it would open the policy to other tenants' namespaces.
    """
    if peer.get("ipBlock"):
        return {"ipBlock": peer["ipBlock"]}
    selector = term_selector(
        peer.get("podSelector") or {},
        namespace=namespace,
        tenant=tenant,
        namespace_selector=peer.get("namespaceSelector"),
    )
    return {"podSelector": selector}


def matches(selector: Selector, own: Mapping[str, str]) -> bool:
    """Does a label selector select an object with these labels? The empty one selects everything.

    Raises:
        ValueError: an operator that Kubernetes does not know.
    """
    exact: Mapping[str, str] = selector.get("matchLabels") or {}
    return all(own.get(key) == value for key, value in exact.items()) and all(
        _holds(one, own) for one in selector.get("matchExpressions") or ()
    )


def _holds(requirement: Selector, own: Mapping[str, str]) -> bool:
    key, values = requirement["key"], requirement.get("values") or ()
    match requirement.get("operator"):
        case "In":
            return key in own and own[key] in values
        case "NotIn":
            return key not in own or own[key] not in values
        case "Exists":
            return key in own
        case "DoesNotExist":
            return key not in own
        case unknown:
            raise ValueError(f'operator "{unknown}" is none of In, NotIn, Exists, DoesNotExist')


def _map(match: Mapping[str, str], tenant: Tenant) -> dict[str, str]:
    return {labels.label_key_to_host(key, tenant): value for key, value in match.items()}
