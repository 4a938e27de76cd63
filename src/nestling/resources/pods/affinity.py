"""Pod affinity, anti-affinity and topology spread in host terms (spec §2.2).

All pods of a virtual cluster live in one host namespace, so a term that selects pods there must say by labels which
tenant and which virtual namespace it means: namespaces and namespace selectors become labels of the pods themselves.
A term without these marks would see the pods of others, so every selector gets them, whatever the tenant wrote.

``matchLabelKeys`` and ``mismatchLabelKeys`` are written out: the virtual API server has already merged them into the
selector, and the host's, doing it again, would refuse the pod because the keys are there twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nestling.kube.resource import Obj
from nestling.naming import labels, selectors
from nestling.resources.pods.context import Changes, PodContext

_KINDS: Final = ("podAffinity", "podAntiAffinity")
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
_DROPPED: Final = ("namespaces", "namespaceSelector", "matchLabelKeys", "mismatchLabelKeys")


def step(ctx: PodContext, pod: Obj, spec: Obj) -> Changes:
    """Affinity between pods; node affinity is the same on both sides."""
    affinity = spec.get("affinity")
    if not affinity:
        return {}
    out = dict(affinity)
    for kind in _KINDS:
        if out.get(kind):
            out[kind] = _terms(ctx, pod, out[kind])
    return {"affinity": out}


def spread(ctx: PodContext, pod: Obj, spec: Obj) -> Changes:
    """Topology spread: only pods of the same virtual namespace count."""
    constraints = spec.get("topologySpreadConstraints")
    if not constraints:
        return {}
    own = {labels.NAMESPACE: pod["metadata"]["namespace"]}
    return {"topologySpreadConstraints": [_constraint(ctx, pod, one, own) for one in constraints]}


def warnings(pod: Obj) -> tuple[str, ...]:
    """What of the pod's affinity cannot be carried to the host; for an event on the virtual pod."""
    return tuple(
        f"spec.affinity.{kind}: a term has both namespaces and namespaceSelector; namespaceSelector is ignored"
        for kind in _KINDS
        for term in _all_terms((pod["spec"].get("affinity") or {}).get(kind) or {})
        if term.get("namespaces") and term.get("namespaceSelector") is not None
    )


def _terms(ctx: PodContext, pod: Obj, affinity: Obj) -> Obj:
    out = dict(affinity)
    if out.get(_REQUIRED):
        out[_REQUIRED] = [_term(ctx, pod, term) for term in out[_REQUIRED]]
    if out.get(_PREFERRED):
        out[_PREFERRED] = [
            {**one, "podAffinityTerm": _term(ctx, pod, one["podAffinityTerm"])} for one in out[_PREFERRED]
        ]
    return out


def _term(ctx: PodContext, pod: Obj, term: Obj) -> Obj:
    out = {key: value for key, value in term.items() if key not in _DROPPED}
    if term.get("labelSelector") is None:
        # selects no pod; marks would make it select all
        return out
    selector = _marked(ctx, _written_out(term, pod), {})
    requirements: list[Obj] = []
    if term.get("namespaces"):
        requirements.append({"key": labels.NAMESPACE, "operator": "In", "values": sorted(set(term["namespaces"]))})
    elif term.get("namespaceSelector") is not None:
        requirements += _namespace_requirements(ctx, term["namespaceSelector"])
    else:
        selector["matchLabels"][labels.NAMESPACE] = pod["metadata"]["namespace"]
    if requirements:
        selector["matchExpressions"] = [*selector.get("matchExpressions", []), *requirements]
    return {**out, "labelSelector": selector}


def _constraint(ctx: PodContext, pod: Obj, constraint: Obj, own: Mapping[str, str]) -> Obj:
    out = {key: value for key, value in constraint.items() if key != "matchLabelKeys"}
    if constraint.get("labelSelector") is not None:
        out["labelSelector"] = _marked(ctx, _written_out(constraint, pod), own)
    return out


def _marked(ctx: PodContext, selector: Obj, extra: Mapping[str, str]) -> Obj:
    """The selector in host terms, for this tenant's pods only."""
    translated: Any = selectors.label_selector(selector, ctx.tenant)
    out: Obj = dict(translated or {})
    out["matchLabels"] = {**(out.get("matchLabels") or {}), labels.MANAGED_BY: ctx.tenant.name, **extra}
    return out


def _namespace_requirements(ctx: PodContext, selector: Obj) -> list[Obj]:
    """A selector of Namespaces as requirements on labels that pods have from theirs; none when it selects all."""
    found = [
        {"key": labels.namespace_label_key(key, ctx.tenant), "operator": "In", "values": [value]}
        for key, value in sorted((selector.get("matchLabels") or {}).items())
    ]
    found += [
        {**expression, "key": labels.namespace_label_key(expression["key"], ctx.tenant)}
        for expression in selector.get("matchExpressions") or ()
    ]
    return found


def _written_out(term: Obj, pod: Obj) -> Obj:
    """The label selector with the requirements that (mis)matchLabelKeys stand for, if they are not in it yet."""
    selector: Obj = dict(term["labelSelector"])
    own: Mapping[str, str] = pod["metadata"].get("labels") or {}
    expressions: list[Obj] = list(selector.get("matchExpressions") or ())
    for field, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")):
        for key in term.get(field) or ():
            merged = any(one.get("key") == key and one.get("operator") == operator for one in expressions)
            if key in own and not merged:
                expressions.append({"key": key, "operator": operator, "values": [own[key]]})
    if expressions:
        selector["matchExpressions"] = expressions
    return selector


def _all_terms(affinity: Obj) -> list[Obj]:
    return [*(affinity.get(_REQUIRED) or ()), *(one["podAffinityTerm"] for one in affinity.get(_PREFERRED) or ())]
