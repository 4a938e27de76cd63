"""Makes both API servers what a verb wanted: with ``writes`` and ``replacement`` the only writes of the syncer.

Since every write says what it was decided on, a Conflict or NotFound only means that the cache was behind: try again.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Final

import msgspec

from nestling.kube import errors, requests
from nestling.kube.resource import Obj, Resource
from nestling.naming import ownership
from nestling.naming.tenant import VirtualKey
from nestling.syncer import replacement, writes
from nestling.syncer.context import Side, SyncContext
from nestling.syncer.spec import Action, Pair, SideName, SyncSpec, Waiting, Wanted

_DECODE: Final = msgspec.json.Decoder().decode


class Refused(Exception):
    """The host object that we would write belongs to somebody else; it is left alone and the tenant is told."""


@dataclasses.dataclass(frozen=True, slots=True)
class Listener:
    """Hears of what is written, as soon as it was."""

    #: This side was written to.
    wrote: Callable[[SideName], None] = lambda _side: None
    #: In this version the object of this side is just as it was wanted, and there is nothing to add to it.
    as_wanted: Callable[[SideName, str], None] = lambda _side, _version: None

    def of(self, side: SideName) -> writes.AsWanted:
        """The same for one side."""
        return functools.partial(self.as_wanted, side)


_NOBODY: Final = Listener()


async def apply(ctx: SyncContext, spec: SyncSpec, pair: Pair, wanted: Wanted, *, listener: Listener = _NOBODY) -> None:
    """Write what differs, host first: what the tenant sees must be true on the host.

    Nothing is written while the host has no Service NAME, the owner of all that is ours there: the release is being
    removed, and what would be written now would stay behind, or be taken from the tenant because the host's collector
    took it.
    """
    if ctx.owner_uid is None:
        raise Waiting(f"the host has no Service {ctx.tenant.name} in namespace {ctx.tenant.namespace}")
    await _make_sure_that_it_is_gone(ctx, spec, pair, wanted)
    for warning in wanted.warnings:
        about = pair.virtual or wanted.virtual
        if about is not None:
            await ctx.recorder.record(about, reason=warning.reason, action=_action(spec), message=warning.message)
    if wanted.delete_host and pair.host is not None and spec.host is not None:
        heard = listener.of(SideName.HOST)
        if await writes.delete(ctx.host, spec.host, pair.host, wanted.delete_host, as_wanted=heard):
            listener.wrote(SideName.HOST)
    elif wanted.host is not None and await _write_host(ctx, spec, pair, wanted.host, heard=listener.of(SideName.HOST)):
        listener.wrote(SideName.HOST)
    for action in wanted.actions:
        await _act(ctx.virtual if action.side is SideName.VIRTUAL else ctx.host, action)
        listener.wrote(action.side)
    if await _write_virtual(ctx, spec, pair, wanted, heard=listener.of(SideName.VIRTUAL)):
        listener.wrote(SideName.VIRTUAL)


async def _write_virtual(
    ctx: SyncContext, spec: SyncSpec, pair: Pair, wanted: Wanted, *, heard: writes.AsWanted
) -> bool:
    """Was anything written?"""
    has_written = False
    if wanted.replace_virtual is not None:
        await replacement.replace(ctx, spec, pair, wanted.replace_virtual)
        has_written = True
    elif wanted.virtual is not None and pair.virtual is None:
        await writes.create(
            ctx.virtual,
            spec.virtual,
            wanted.virtual,
            with_status=spec.has_status,
            as_wanted=heard if spec.is_done_when_created else None,
        )
        has_written = True
    elif wanted.virtual is not None and pair.virtual is not None:
        has_written = await writes.update(
            ctx.virtual, spec.virtual, pair.virtual, wanted.virtual, with_status=spec.has_status, as_wanted=heard
        )
    if wanted.delete_virtual and pair.virtual is not None:
        has_written |= await writes.delete(ctx.virtual, spec.virtual, pair.virtual, wanted.delete_virtual)
    return has_written


async def _write_host(ctx: SyncContext, spec: SyncSpec, pair: Pair, wanted: Obj, *, heard: writes.AsWanted) -> bool:
    """Was anything written?"""
    resource = spec.host
    if resource is None:
        return False
    if pair.host is not None:
        return await _update_host(ctx, spec, pair.host, wanted, heard=heard)
    try:
        await _create_host(ctx, spec, wanted, as_wanted=heard if spec.is_done_when_created else None)
    except errors.AlreadyExists:
        await _adopt_or_refuse(ctx, spec, resource, pair)
        raise
    return True


async def _create_host(ctx: SyncContext, spec: SyncSpec, wanted: Obj, *, as_wanted: writes.AsWanted | None) -> None:
    """Create it, or as much of what was wanted as the host has to give."""
    resource = spec.host
    if resource is None:
        return
    try:
        await writes.create(ctx.host, resource, wanted, with_status=False, as_wanted=as_wanted)
    except errors.ApiError as error:
        weaker = spec.fallback(wanted) if _is_taken(error) else None
        if weaker is None:
            raise
        await _create_host(ctx, spec, weaker, as_wanted=None)


async def _update_host(
    ctx: SyncContext, spec: SyncSpec, host: Obj, wanted: Obj, *, heard: writes.AsWanted | None
) -> bool:
    """Was anything written? A port that the host has given to somebody else may come with a change, too."""
    resource = spec.host
    if resource is None:
        return False
    try:
        return await writes.update(ctx.host, resource, host, wanted, with_status=False, as_wanted=heard)
    except errors.ApiError as error:
        weaker = spec.fallback(wanted) if _is_taken(error) else None
        if weaker is None:
            raise
        return await _update_host(ctx, spec, host, weaker, heard=None)


def _is_taken(error: errors.ApiError) -> bool:
    """May the server take another form of the object? For a health check port it says so as an internal error."""
    return isinstance(error, errors.Invalid) or "already allocated" in error.message


async def _adopt_or_refuse(ctx: SyncContext, spec: SyncSpec, resource: Resource, pair: Pair) -> None:
    """The name is taken: by our own object that the cache does not have yet, or by somebody else's."""
    key, host_key = pair.key, pair.host_key
    raw = await ctx.host.client.send(requests.get(resource, host_key.name, host_key.namespace or None))
    live: Obj = _DECODE(raw)
    if not is_ours(ctx, spec, live, key, pair.virtual):
        message = (
            f'the host already has a {resource.kind} "{host_key.name}" in namespace "{host_key.namespace}" that does '
            f"not belong to {key}; rename this object or remove the one on the host"
        )
        raise Refused(message)
    ctx.host.stores[resource].upsert(raw)


async def _make_sure_that_it_is_gone(ctx: SyncContext, spec: SyncSpec, pair: Pair, wanted: Wanted) -> None:
    """A tenant's object is deleted because its host object is gone. Gone it is when the host says so, not the cache:

    a label that somebody has taken off hides a host object from a watch by labels as well as its deletion does.
    """
    if not wanted.delete_virtual or pair.host is not None or spec.host is None or pair.virtual is None:
        return
    if pair.virtual["metadata"].get("deletionTimestamp") or not pair.host_key.name:
        return
    try:
        raw = await ctx.host.client.send(requests.get(spec.host, pair.host_key.name, pair.host_key.namespace or None))
    except errors.NotFound:
        return
    if is_ours(ctx, spec, _DECODE(raw), pair.key, pair.virtual):
        ctx.host.stores[spec.host].upsert(raw)
        raise Waiting(f"{pair.host_key} is still there")


def is_ours(ctx: SyncContext, spec: SyncSpec, host: Obj, key: VirtualKey, virtual: Obj | None) -> bool:
    """Does this host object belong to the key, with all its marks or but for the label that somebody took off?"""
    if spec.naming.claims(ctx, host, key):
        return True
    uid = virtual["metadata"]["uid"] if virtual is not None else ""
    return ownership.has_lost_its_mark(host["metadata"], key, ctx.tenant, uid=uid)


async def _act(side: Side, action: Action) -> None:
    if action.subresource is None:
        request = requests.create(action.resource, action.body, action.namespace)
    elif action.method == "PATCH":
        request = requests.patch(
            action.resource,
            action.name,
            action.body,
            action.namespace,
            subresource=action.subresource,
            patch_type=requests.PatchType.STRATEGIC,
        )
    else:
        request = requests.create(
            action.resource, action.body, action.namespace, name=action.name, subresource=action.subresource
        )
    await side.client.send(request)


def _action(spec: SyncSpec) -> str:
    return f"Sync{spec.virtual.kind}"
