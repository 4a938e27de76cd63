"""The verbs that most kinds share: driven by the spec's rows, naming and translation (spec §1.7)."""

from __future__ import annotations

import dataclasses

from nestling.kube.resource import Obj
from nestling.naming import ownership
from nestling.syncer import fields, metadata
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import NOTHING, Agreed, Delete, Pair, SyncSpec, Wanted, Warn


async def reconcile(ctx: SyncContext, spec: SyncSpec, pair: Pair) -> Wanted:
    """Choose the verb by which of the two objects exist."""
    pair = _remembering(pair)
    if pair.virtual is not None and not pair.virtual["metadata"].get("deletionTimestamp"):
        refusal = spec.refusal(ctx, pair.virtual)
        if refusal is not None:
            return Wanted(warnings=(Warn(message=refusal),))
    if pair.virtual is not None and pair.host is not None:
        return await spec.sync(ctx, pair) if spec.sync else sync(ctx, spec, pair)
    if pair.virtual is not None:
        if pair.agreed is not None and spec.mirror_host_deletion and spec.host is not None:
            # the host object vanished while we were looking: the tenant sees it go, as the user on the host wanted
            return Wanted(delete_virtual=Delete())
        return await spec.to_host(ctx, pair) if spec.to_host else to_host(ctx, spec, pair)
    if pair.host is not None:
        return await spec.to_virtual(ctx, pair) if spec.to_virtual else to_virtual(ctx, spec, pair)
    return await spec.absent(ctx, pair) if spec.absent else NOTHING


def _remembering(pair: Pair) -> Pair:
    """What was agreed about an earlier object of this name says nothing about this one."""
    if pair.virtual is None or pair.agreed is None or pair.agreed.uid in ("", pair.virtual["metadata"].get("uid")):
        return pair
    return dataclasses.replace(pair, agreed=None)


def to_host(ctx: SyncContext, spec: SyncSpec, pair: Pair) -> Wanted:
    """Only the virtual object exists: create the host object."""
    virtual = existing(pair.virtual)
    if virtual["metadata"].get("deletionTimestamp") or not spec.selected(ctx, virtual):
        return NOTHING
    return Wanted(host=host_object(ctx, spec, pair))


def sync(ctx: SyncContext, spec: SyncSpec, pair: Pair) -> Wanted:
    """Both exist: give each side what the other owns."""
    virtual, host = existing(pair.virtual), existing(pair.host)
    if not spec.selected(ctx, virtual):
        return Wanted(delete_host=Delete())
    agreed = pair.agreed
    wanted_virtual, wanted_host = fields.merge(
        spec.fields,
        virtual=fields.Versions(virtual, agreed.virtual if agreed else None),
        translated=spec.translate(ctx, virtual),
        host=fields.Versions(host, agreed.host if agreed else None),
    )
    meta_virtual, meta_host = metadata.for_update(ctx, spec, virtual, host, pair.host_key, agreed)
    return Wanted(virtual={**wanted_virtual, "metadata": meta_virtual}, host={**wanted_host, "metadata": meta_host})


def to_virtual(ctx: SyncContext, spec: SyncSpec, pair: Pair) -> Wanted:
    """Only the host object exists: it is an orphan, deleted only when it is certainly ours (spec §1.5)."""
    host = existing(pair.host)
    if not ownership.may_delete_orphan(
        host, known=pair.agreed is not None, gvk=spec.virtual.gvk, tenant=ctx.tenant, host_key=pair.host_key
    ):
        return NOTHING
    return Wanted(delete_host=Delete())


def host_object(ctx: SyncContext, spec: SyncSpec, pair: Pair) -> Obj:
    """A whole host object for a virtual one."""
    virtual = existing(pair.virtual)
    return {**spec.translate(ctx, virtual), "metadata": metadata.for_create(ctx, spec, virtual, pair.host_key)}


def existing(obj: Obj | None) -> Obj:
    """The object that a verb was promised."""
    if obj is None:
        message = "a verb was called for an object that does not exist"
        raise AssertionError(message)
    return obj


def agreement(spec: SyncSpec, pair: Pair, wanted: Wanted) -> Agreed | None:
    """What both sides agree on once ``wanted`` has been written.

    The objects are remembered as we sent them: what a server adds on its own (an allocated port) then counts as its
    change. A verb that wanted neither object to change (only a binding, say) has not compared them: what was agreed
    before still holds, and no more.
    """
    if wanted.replace_virtual is not None:
        return None
    if wanted.virtual is None and wanted.host is None and not wanted.delete_host and not wanted.delete_virtual:
        return pair.agreed if pair.virtual is not None and pair.host is not None else None
    virtual = wanted.virtual if wanted.virtual is not None else pair.virtual
    host = wanted.host if wanted.host is not None else pair.host
    if virtual is None or host is None or wanted.delete_host or wanted.delete_virtual:
        return None
    uid = (pair.virtual or virtual)["metadata"].get("uid", "")
    ours = fields.extract(spec.fields, virtual, is_virtual=True)
    return Agreed(ours, fields.extract(spec.fields, host, is_virtual=False), uid)
