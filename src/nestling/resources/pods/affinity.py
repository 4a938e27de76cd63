"""Pod affinity, anti-affinity and topology spread in host terms (spec §2.2).

All pods of a virtual cluster live in one host namespace, so a term that selects pods there must say by labels which
tenant and which virtual namespace it means: namespaces and namespace selectors become labels of the pods themselves.
A term without these marks would see the pods of others, so every selector gets them, whatever the tenant wrote.

``matchLabelKeys`` and ``mismatchLabelKeys`` are written out: the virtual API server has already merged them into the
selector, and the host's, doing it again, would refuse the pod because the keys are there twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from nestling.kube.resource import Obj
from nestling.naming import selectors
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
    return {"topologySpreadConstraints": [_constraint(ctx, pod, one) for one in constraints]}


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
    out["labelSelector"] = selectors.term_selector(
        _written_out(term, pod),
        namespace=pod["metadata"]["namespace"],
        tenant=ctx.tenant,
        namespaces=term.get("namespaces") or (),
        namespace_selector=term.get("namespaceSelector"),
    )
    return out


def _constraint(ctx: PodContext, pod: Obj, constraint: Obj) -> Obj:
    out = {key: value for key, value in constraint.items() if key != "matchLabelKeys"}
    if constraint.get("labelSelector") is not None:
        selector = _written_out(constraint, pod)
        out["labelSelector"] = selectors.pod_selector(selector, pod["metadata"]["namespace"], ctx.tenant)
    return out


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
