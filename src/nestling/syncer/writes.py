"""One object on one API server: create, change, delete.

Every change carries the resourceVersion that it was decided on, every delete the UID; what was written goes into the
cache at once, so that the next reconcile of the key sees it. ``as_wanted`` hears of the version of an object that is
now just as it was wanted: whoever wanted it need not look at it again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from nestling.kube import errors, merge, requests
from nestling.kube.resource import Obj, Resource
from nestling.syncer.context import Side
from nestling.syncer.spec import Delete

_DECODE: Final = msgspec.json.Decoder().decode
_ENCODE: Final = msgspec.json.Encoder(order="sorted").encode
#: What an API server changes with every write.
_BOOKKEEPING: Final = frozenset({"resourceVersion", "managedFields", "generation"})
#: What it gives to a new object.
_BIRTH: Final = _BOOKKEEPING | {"uid", "creationTimestamp"}
#: What it changes in an object that is given time to end.
_MARKED: Final = _BOOKKEEPING | {"deletionTimestamp", "deletionGracePeriodSeconds"}

#: Hears of a resourceVersion.
AsWanted = Callable[[str], None]


async def create(
    side: Side, resource: Resource, wanted: Obj, *, with_status: bool, as_wanted: AsWanted | None = None
) -> None:
    """Create an object, and give it its status."""
    body = {key: value for key, value in wanted.items() if key != "status"}
    body = {"apiVersion": resource.api_version, "kind": resource.kind, **body}
    raw = await side.client.send(requests.create(resource, body, wanted["metadata"].get("namespace")))
    side.stores[resource].upsert(raw)
    needs_status = with_status and wanted.get("status")
    if not needs_status and as_wanted is None:
        return
    created: Obj = _DECODE(raw)
    if as_wanted is not None and _is_same(created, body, _BIRTH):
        as_wanted(created["metadata"]["resourceVersion"])
    if needs_status:
        await patch(
            side, resource, created, {"status": merge.diff(created.get("status") or {}, wanted["status"])}, "status"
        )


async def update(
    side: Side,
    resource: Resource,
    current: Obj,
    wanted: Obj,
    *,
    with_status: bool,
    as_wanted: AsWanted | None = None,
) -> bool:
    """Was there a difference?"""
    difference = merge.diff(current, wanted)
    status = difference.pop("status", None)
    if difference:
        current = await patch(side, resource, current, difference, as_wanted=as_wanted)
    if status and with_status:
        await patch(side, resource, current, {"status": status}, "status", as_wanted=as_wanted)
    return bool(difference) or bool(status and with_status)


async def patch(
    side: Side,
    resource: Resource,
    current: Obj,
    difference: Obj,
    subresource: str | None = None,
    *,
    as_wanted: AsWanted | None = None,
) -> Obj:
    """The object as it is after this change."""
    meta = current["metadata"]
    body = {**difference, "metadata": {**difference.get("metadata", {}), "resourceVersion": meta["resourceVersion"]}}
    request = requests.patch(resource, meta["name"], body, meta.get("namespace"), subresource=subresource)
    raw = await side.client.send(request)
    side.stores[resource].upsert(raw)
    patched: Obj = _DECODE(raw)
    if as_wanted is not None and _is_same(patched, merge.apply(current, difference), _BOOKKEEPING):
        as_wanted(patched["metadata"]["resourceVersion"])
    return patched


def _is_same(answer: Obj, wanted: Obj, ignored: frozenset[str]) -> bool:
    """Is this what was wanted, but for metadata that the API server sees to?"""
    found, expected = (
        {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key not in ignored}}
        for obj in (answer, wanted)
    )
    return _ENCODE(found) == _ENCODE(expected)


async def delete(
    side: Side, resource: Resource, current: Obj, how: Delete, *, as_wanted: AsWanted | None = None
) -> bool:
    """Was it there to be deleted? What is given time to end stays, marked: there is nothing to do until it is gone."""
    meta = current["metadata"]
    if meta.get("deletionTimestamp") and how.grace_period_seconds is None:
        return False
    request = requests.delete(
        resource,
        meta["name"],
        meta.get("namespace"),
        uid=meta["uid"],
        grace_period_seconds=how.grace_period_seconds,
    )
    try:
        raw = await side.client.send(request)
    except errors.NotFound:
        # the watch will say so too; saying it now keeps the next reconcile from trying again
        side.stores[resource].remove((meta.get("namespace", ""), meta["name"]), uid=meta["uid"])
        return False
    if how.grace_period_seconds:
        answer: Obj = _DECODE(raw)
        if answer.get("kind") == resource.kind and answer["metadata"].get("deletionGracePeriodSeconds"):
            side.stores[resource].upsert(raw)
            if as_wanted is not None and _is_same(answer, current, _MARKED):
                as_wanted(answer["metadata"]["resourceVersion"])
    return True
