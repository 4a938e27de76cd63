"""What of a changed virtual pod goes to its host pod (spec §2.2, "Update").

A pod's spec is immutable but for a few fields, each in its own way: some by a normal update, others through a
subresource.
"""

from __future__ import annotations

from typing import Any, Final

from nestling.kube import quantity
from nestling.kube.resource import Obj
from nestling.resources.pods import env, keys, scheduling
from nestling.resources.pods.context import PodContext

_RESIZABLE: Final = ("cpu", "memory")


def host_spec(ctx: PodContext, virtual: Obj, host: Obj, old_virtual: Obj | None = None) -> Obj:
    """The host pod's spec with what a normal update may change: deadline, images, scheduling gates, tolerations.

    Everything else, and containers that are on the host alone, stay as they are. With ``old_virtual``, the virtual
    pod as it last agreed with the host, only images that changed since then are carried over: one that a webhook of
    the host pinned stays pinned.
    """
    ours, theirs = virtual["spec"], host["spec"]
    out = dict(theirs)
    if ours.get("activeDeadlineSeconds") is not None:
        # it can be set, never unset
        out["activeDeadlineSeconds"] = ours["activeDeadlineSeconds"]
    for kind in ("initContainers", "containers"):
        if theirs.get(kind):
            before = _by_name(old_virtual, kind) if old_virtual is not None else {}
            out[kind] = [
                _image(ctx, _by_name(virtual, kind).get(one["name"]), one, before.get(one["name"]))
                for one in theirs[kind]
            ]
    _set(out, "schedulingGates", _gates(virtual, host))
    # the API server allows additions only, so that nothing is ever taken away here
    wanted = scheduling.union(theirs.get("tolerations") or (), ours.get("tolerations") or ())
    _set(out, "tolerations", scheduling.union(wanted, ctx.options.tolerations))
    return out


def ephemeral_containers(ctx: PodContext, virtual: Obj, host: Obj) -> list[Obj] | None:
    """All ephemeral containers of the host pod, when the virtual pod has some that it does not have; None otherwise.

    For the subresource ``ephemeralcontainers``. Those that are there cannot be changed.
    """
    present: list[Obj] = host["spec"].get("ephemeralContainers") or []
    taken = {one["name"] for one in present}
    missing = [one for one in virtual["spec"].get("ephemeralContainers") or () if one["name"] not in taken]
    if not missing:
        return None
    injected = env.variables(ctx, virtual)
    return [*(dict(one) for one in present), *(env.container(ctx, virtual, one, injected) for one in missing)]


def resize_patch(virtual: Obj, host: Obj, old_virtual: Obj | None = None) -> Obj | None:
    """A strategic merge patch for the subresource ``resize`` when the tenant changed resources; None otherwise.

    Only amounts that the virtual pod names are compared: what a LimitRange of the host added is its own. With
    ``old_virtual``, the virtual pod as it last agreed with the host, only amounts that changed since then are carried
    over, so that an autoscaler on the host is not fought.
    """
    lists = {}
    for kind in ("initContainers", "containers"):
        theirs = _by_name(host, kind)
        before = _by_name(old_virtual, kind) if old_virtual is not None else {}
        resizable = [
            one
            for one in virtual["spec"].get(kind) or ()
            if kind == "containers" or one.get("restartPolicy") == "Always"
        ]
        differences = {
            one["name"]: _difference(one, theirs[one["name"]], before.get(one["name"]))
            for one in resizable
            if one["name"] in theirs
        }
        changes = [{"name": name, "resources": difference} for name, difference in differences.items() if difference]
        if changes:
            lists[kind] = changes
    return {"spec": lists} if lists else None


def _difference(ours: Obj, theirs: Obj, before: Obj | None) -> Obj:
    found: Obj = {}
    for part in ("requests", "limits"):
        amounts = {
            name: amount
            for name, amount in _amounts(ours, part).items()
            if name in _RESIZABLE
            and not _same(amount, _amounts(theirs, part).get(name))
            and (before is None or not _same(amount, _amounts(before, part).get(name)))
        }
        if amounts:
            found[part] = amounts
    return found


def _amounts(container: Obj, part: str) -> dict[str, Any]:
    amounts: dict[str, Any] = (container.get("resources") or {}).get(part) or {}
    return amounts


def _same(first: Any, second: Any) -> bool:
    if first == second:
        return True
    if first is None or second is None:
        return False
    value = quantity.parse(first)
    return value is not None and value == quantity.parse(second)


def _image(ctx: PodContext, ours: Obj | None, theirs: Obj, before: Obj | None) -> Obj:
    """The host container with the image of the virtual one, if there is one and it is news."""
    image = (ours or {}).get("image")
    if not image or (before or {}).get("image") == image:
        return theirs
    return {**theirs, "image": ctx.options.image_map.get(image, image)}


def _by_name(pod: Obj, kind: str) -> dict[str, Obj]:
    return {one["name"]: one for one in pod["spec"].get(kind) or ()}


def _gates(virtual: Obj, host: Obj) -> list[Obj]:
    """The host pod's gates without those that the tenant has lifted; one that the host set is for the host to lift."""
    annotations = host["metadata"].get("annotations") or {}
    from_tenant = set(filter(None, annotations.get(keys.SCHEDULING_GATES, "").split("\n")))
    left = {gate["name"] for gate in virtual["spec"].get("schedulingGates") or ()}
    lifted = from_tenant - left
    return [gate for gate in host["spec"].get("schedulingGates") or () if gate["name"] not in lifted]


def _set(out: Obj, field: str, value: list[Obj]) -> None:
    """Set a list, or leave the field out when it is empty, as the API server does."""
    if value:
        out[field] = value
    else:
        out.pop(field, None)
