"""The host pod's status as the virtual pod's, and what of the virtual status the host must know (spec §2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nestling.kube.resource import Obj
from nestling.resources.pods import keys, messages, resources
from nestling.resources.pods.context import PodContext

#: Status list → list of the spec whose names say what the tenant may see.
_CONTAINER_STATUSES: Final[Mapping[str, str]] = {
    "containerStatuses": "containers",
    "initContainerStatuses": "initContainers",
    "ephemeralContainerStatuses": "ephemeralContainers",
}
#: Fields of the status and the first version that stores them. An older API server drops them, and would get them
#: again for ever.
_SINCE: Final[Mapping[str, int]] = {
    "observedGeneration": 34,
    "extendedResourceClaimStatus": 34,
    "allocatedResources": 35,
    "resources": 35,
}
_OBSERVED_GENERATION: Final = "observedGeneration"


def virtual_status(ctx: PodContext, virtual: Obj, host: Obj, old_virtual: Obj | None = None) -> Obj:
    """The status that the virtual pod gets: the host's, without what is the host's alone.

    The same while the host pod is being deleted. ``old_virtual`` is the virtual pod as it last agreed with the host:
    it tells which side changed the condition of a readiness gate.
    """
    out: Obj = messages.translator(ctx, virtual, host).walk(host.get("status") or {})
    own: Obj = virtual.get("status") or {}
    for field, since in _SINCE.items():
        if ctx.virtual_minor < since:
            out.pop(field, None)
    _keep(out, "qosClass", own.get("qosClass"))
    _keep(out, "resourceClaimStatuses", _claim_statuses(ctx, virtual, out.get("resourceClaimStatuses") or []))
    for field, kind in _CONTAINER_STATUSES.items():
        if field in out:
            out[field] = _visible(out[field], virtual["spec"].get(kind) or [])
    _keep(out, "conditions", _conditions(ctx, virtual, out.get("conditions") or [], old_virtual))
    return out


def host_conditions(virtual: Obj, host: Obj, old_virtual: Obj | None = None) -> list[Obj]:
    """Conditions of readiness gates that were set in the virtual cluster and that the host's status must get.

    A strategic merge patch of ``status.conditions`` with these sets them and leaves the others. Empty when there is
    nothing to do.
    """
    found = []
    theirs = _by_type((host.get("status") or {}).get("conditions") or [])
    for kind in _gates(virtual):
        chosen = _gate_condition(kind, virtual, theirs.get(kind), old_virtual)
        if chosen is not None and _essence(chosen) != _essence(theirs.get(kind)):
            found.append({key: value for key, value in chosen.items() if key != _OBSERVED_GENERATION})
    return found


def _keep(out: Obj, field: str, value: Any) -> None:
    """Set a field, or leave it out."""
    if value:
        out[field] = value
    else:
        out.pop(field, None)


def _visible(statuses: list[Obj], containers: list[Obj]) -> list[Obj]:
    """Statuses of the tenant's containers, without mounts that were injected."""
    mounts = {one["name"]: {mount["name"] for mount in one.get("volumeMounts") or ()} for one in containers}
    return [_without_injected(status, mounts[status["name"]]) for status in statuses if status["name"] in mounts]


def _without_injected(status: Obj, own: set[str]) -> Obj:
    if not status.get("volumeMounts"):
        return status
    return {
        **status,
        "volumeMounts": [mount for mount in status["volumeMounts"] if not _is_injected(mount["name"], own)],
    }


def _is_injected(name: str, own: set[str]) -> bool:
    return name not in own and (name == keys.REWRITE_HOSTS or name.endswith(keys.PHYSICAL_SUFFIX))


def _conditions(ctx: PodContext, virtual: Obj, theirs: list[Obj], old_virtual: Obj | None) -> list[Obj]:
    """The host's conditions; for readiness gates, whichever side set them last."""
    gates = {kind: _gate_condition(kind, virtual, _by_type(theirs).get(kind), old_virtual) for kind in _gates(virtual)}
    found = [gates.pop(one["type"], None) or one for one in theirs]
    found += [one for one in gates.values() if one is not None]
    if ctx.virtual_minor < _SINCE[_OBSERVED_GENERATION]:
        found = [{key: value for key, value in one.items() if key != _OBSERVED_GENERATION} for one in found]
    return found


def _gate_condition(kind: str, virtual: Obj, theirs: Obj | None, old_virtual: Obj | None) -> Obj | None:
    """The condition of a readiness gate that both sides should have."""
    ours = _by_type((virtual.get("status") or {}).get("conditions") or []).get(kind)
    if ours is None or theirs is None:
        return ours or theirs
    if old_virtual is not None:
        old = _by_type((old_virtual.get("status") or {}).get("conditions") or []).get(kind)
        return ours if _essence(ours) != _essence(old) else theirs
    newer: bool = (ours.get("lastTransitionTime") or "") >= (theirs.get("lastTransitionTime") or "")
    return ours if newer else theirs


def _essence(condition: Obj | None) -> Obj | None:
    """What counts when two conditions are compared: not when and by which generation it was seen."""
    if condition is None:
        return None
    return {key: condition.get(key) or "" for key in ("status", "reason", "message")}


def _gates(virtual: Obj) -> list[str]:
    return [gate["conditionType"] for gate in virtual["spec"].get("readinessGates") or ()]


def _by_type(conditions: list[Obj]) -> dict[str, Obj]:
    return {condition["type"]: condition for condition in conditions}


def _claim_statuses(ctx: PodContext, virtual: Obj, theirs: list[Obj]) -> list[Obj]:
    """Resource claims by their virtual names.

    A claim that the virtual cluster made is known from the virtual status, one that the pod names from its spec. A
    claim that the host made from a template has no virtual name yet, so it is not shown.
    """
    namespace: str = virtual["metadata"]["namespace"]
    own: list[Obj] = (virtual.get("status") or {}).get("resourceClaimStatuses") or []
    named = [
        claim["resourceClaimName"]
        for claim in virtual["spec"].get("resourceClaims") or ()
        if claim.get("resourceClaimName")
    ]
    candidates = [*(status["resourceClaimName"] for status in own if status.get("resourceClaimName")), *named]
    known = {ctx.host_name(resources.RESOURCE_CLAIMS, namespace, name): name for name in candidates}
    merged = {status["name"]: status for status in own}
    for status in theirs:
        name = status.get("resourceClaimName")
        if name is None:
            merged.setdefault(status["name"], status)
        elif name in known:
            merged[status["name"]] = {**status, "resourceClaimName": known[name]}
    return list(merged.values())
