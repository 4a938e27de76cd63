"""Deletes a virtual object and creates it anew, for fields that cannot be changed: the ClusterIP of a Service, the
volume of a claim (spec §2.3, §2.5).

Between the two steps the object exists nowhere but in a note on its host object, which says what to create and in
place of which UID. The steps, after each of which the process may die:

1. Ask the API server whether it would take the new object. What it would not take is never deleted for.
2. Write the note. From now on this virtual object is replaced, whatever is found of it later: gone, or held by a
   finalizer while it is being deleted.
3. Delete the virtual object, in the version that was seen. A refusal at the first try means that somebody else was
   faster, perhaps with a deletion that is to stand: the note goes again.
4. Take off the finalizers, which the new object has again. What they protect is not taken away.
5. Create the new object. When an address is taken that the host object has, the new one gets another address, and
   the host object goes: else both would be exchanged for ever, as a dry run does not look whether an address is free.
6. Take off the note.

One thing cannot be told apart: the object may be gone because we deleted it and died before step 5, or because the
tenant deleted it after we had died between 2 and 3 or between 5 and 6. It is created then: nothing is lost on a guess.
"""

from __future__ import annotations

import dataclasses
from typing import Final

import msgspec

from nestling.kube import errors, requests
from nestling.kube.resource import Obj
from nestling.naming import labels
from nestling.naming.tenant import VirtualKey
from nestling.syncer import writes
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import Pair, Replace, SyncSpec, Wanted

#: The annotation on the host object.
NOTE: Final = labels.PREFIX + "replacement"
#: How the API server begins to say that only a quota is in the way: room is made by the deletion.
_QUOTA: Final = "exceeded quota"
_ENCODE: Final = msgspec.json.Encoder(order="sorted").encode


@dataclasses.dataclass(frozen=True, slots=True)
class Note:
    """What to create, in place of which virtual object."""

    uid: str
    virtual: Obj


_DECODE: Final = msgspec.json.Decoder(Note).decode


def noted(host: Obj | None, key: VirtualKey) -> Note | None:
    """The note about this key on its host object, None when there is none that can be believed."""
    meta = host["metadata"] if host is not None else {}
    text = (meta.get("annotations") or {}).get(NOTE)
    if text is None or meta.get("deletionTimestamp"):
        return None
    try:
        found = _DECODE(text)
        named = found.virtual["metadata"]
        return found if VirtualKey(named.get("namespace", ""), named["name"]) == key else None
    except (msgspec.MsgspecError, KeyError, AttributeError, TypeError):
        return None


def resumed(pair: Pair) -> Wanted | None:
    """The rest of a replacement that was begun and not ended, None when none was."""
    note = noted(pair.host, pair.key)
    if note is None:
        return None
    meta = pair.virtual["metadata"] if pair.virtual is not None else None
    if meta is None or (meta.get("deletionTimestamp") and meta["uid"] == note.uid):
        return Wanted(replace_virtual=Replace(note.virtual))
    return None


async def replace(ctx: SyncContext, spec: SyncSpec, pair: Pair, wanted: Replace) -> None:
    """Do it, or the rest of it.

    Raises:
        errors.ApiError, errors.ConnectionFailed: try again; nothing is lost.
    """
    virtual = pair.virtual
    if virtual is not None and not virtual["metadata"].get("deletionTimestamp"):
        try:
            await _rehearse(ctx, spec, wanted)
        except errors.Invalid:
            if not await _host_goes(ctx, spec, pair, wanted):
                raise
            return
        pair = await _begin(ctx, spec, pair, virtual, wanted)
    if virtual is not None:
        await _take_off_finalizers(ctx, spec, virtual)
    try:
        is_as_wanted = await _create(ctx, spec, wanted.virtual)
    except (errors.NotFound, errors.AlreadyExists):
        # its namespace is gone, or there is a new object of that name already: the tenant's word counts
        await _take_off(ctx, spec, pair)
        raise
    except errors.Forbidden as error:
        if any(cause.get("reason") == "NamespaceTerminating" for cause in error.causes):
            await _take_off(ctx, spec, pair)
        raise
    if is_as_wanted or not await _host_goes(ctx, spec, pair, wanted):
        await _take_off(ctx, spec, pair)


async def _rehearse(ctx: SyncContext, spec: SyncSpec, wanted: Replace) -> None:
    """Raises what the API server has against the new object, but for the old one."""
    body = wanted.rehearsal if wanted.rehearsal is not None else wanted.virtual
    request = requests.create(spec.virtual, body, body["metadata"].get("namespace"), dry_run=True)
    try:
        await ctx.virtual.client.send(request)
    except (errors.AlreadyExists, errors.BadRequest):
        # the name is the last thing to be looked at; and a webhook may refuse all rehearsals
        return
    except errors.Forbidden as error:
        if _QUOTA not in error.message:
            raise


async def _host_goes(ctx: SyncContext, spec: SyncSpec, pair: Pair, wanted: Replace) -> bool:
    """Delete the host object, where that is the other way to an agreement; was it?"""
    if wanted.otherwise is None or pair.host is None or spec.host is None:
        return False
    await writes.delete(ctx.host, spec.host, pair.host, wanted.otherwise)
    return True


async def _begin(ctx: SyncContext, spec: SyncSpec, pair: Pair, virtual: Obj, wanted: Replace) -> Pair:
    """Steps 2 and 3; the pair with its host object as it is then."""
    if pair.host is None or spec.host is None or not wanted.is_noted:
        await _delete(ctx, spec, virtual)
        return pair
    note, before = Note(virtual["metadata"]["uid"], wanted.virtual), noted(pair.host, pair.key)
    if before != note:
        difference = {"metadata": {"annotations": {NOTE: _ENCODE(note).decode()}}}
        pair = dataclasses.replace(pair, host=await writes.patch(ctx.host, spec.host, pair.host, difference))
    try:
        await _delete(ctx, spec, virtual)
    except errors.ApiError as error:
        # at a later try the first one may have been done, though nobody heard of it
        is_first = before is None or before.uid != note.uid
        if is_first and not isinstance(error, errors.ServerError):
            await _take_off(ctx, spec, pair)
        raise
    return pair


async def _delete(ctx: SyncContext, spec: SyncSpec, virtual: Obj) -> None:
    meta = virtual["metadata"]
    version = meta["resourceVersion"]
    await ctx.virtual.client.send(
        requests.delete(spec.virtual, meta["name"], meta.get("namespace"), uid=meta["uid"], resource_version=version)
    )


async def _take_off_finalizers(ctx: SyncContext, spec: SyncSpec, virtual: Obj) -> None:
    meta = virtual["metadata"]
    if not meta.get("finalizers"):
        return
    # the UID says that it still is the one in the note
    bare = {"metadata": {"uid": meta["uid"], "finalizers": None}}
    try:
        await ctx.virtual.client.send(requests.patch(spec.virtual, meta["name"], bare, meta.get("namespace")))
    except errors.NotFound:
        return


async def _create(ctx: SyncContext, spec: SyncSpec, wanted: Obj) -> bool:
    """Is it just as wanted? Somebody may have the address, which no dry run tells: another one is better than none."""
    try:
        await writes.create(ctx.virtual, spec.virtual, wanted, with_status=spec.has_status)
    except errors.Invalid:
        second = spec.fallback(wanted)
        if second is None:
            raise
        await writes.create(ctx.virtual, spec.virtual, second, with_status=spec.has_status)
        return False
    return True


async def _take_off(ctx: SyncContext, spec: SyncSpec, pair: Pair) -> None:
    """No note any more. Should the host object have changed, the next reconcile takes it off."""
    if pair.host is None or spec.host is None or NOTE not in (pair.host["metadata"].get("annotations") or {}):
        return
    try:
        await writes.patch(ctx.host, spec.host, pair.host, {"metadata": {"annotations": {NOTE: None}}})
    except (errors.Conflict, errors.NotFound):
        return
