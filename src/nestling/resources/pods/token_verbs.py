"""The verbs of pod tokens: a host Secret beside each host pod whose virtual pod mounts service-account tokens
(``tokens``).

A kind of its own, so that a pod is created without waiting for its tokens and tokens are renewed without touching the
pod. The Secret is owned by the host pod and goes with it.
"""

from __future__ import annotations

import datetime
from typing import Final

from nestling.kube import cache, requests
from nestling.kube.resource import PODS, SERVICE_ACCOUNTS, Obj, decode
from nestling.naming import labels, names, ownership
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.resources.pods import surroundings, tokens
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import NOTHING, Delete, Pair, Wanted
from nestling.syncer.verbs import existing

#: Look again this long after a failed or odd expiry, in seconds.
_RETRY: Final = 60.0


class Naming:
    """The Secret of pod ``web`` is called like the Secret ``web-sa-token`` would be (spec §1.1)."""

    def to_host(self, ctx: SyncContext, key: VirtualKey) -> HostKey:
        """The formula of spec §1.1 for ``<pod>-sa-token``."""
        return names.host_name(VirtualKey(key.namespace, f"{key.name}-sa-token"), ctx.tenant)

    def to_virtual(self, ctx: SyncContext, host: cache.Entry) -> VirtualKey | None:
        """The virtual pod of the host pod that owns the Secret."""
        if not tokens.is_token_secret(host.obj):
            return None
        for owner in host.obj["metadata"].get("ownerReferences") or ():
            pod = ctx.host.meta(PODS, HostKey(host.meta.namespace, owner["name"])) if owner["kind"] == "Pod" else None
            if pod is not None:
                return ownership.virtual_key(pod)
        return None

    def claims(self, ctx: SyncContext, host: Obj, key: VirtualKey) -> bool:
        """A Secret of the tenant with the same name is not touched, nor the tokens of a pod in another namespace."""
        marks = host["metadata"].get("labels") or {}
        return tokens.is_token_secret(host) and labels.marks(key.namespace, ctx.tenant).items() <= marks.items()


def selected(_ctx: SyncContext, pod: Obj) -> bool:
    """Does the pod mount any token?"""
    return any(
        "serviceAccountToken" in source
        for volume in pod["spec"].get("volumes") or ()
        for source in (volume.get("projected") or {}).get("sources") or ()
    )


def concerned(change: cache.Change) -> bool:
    """Tokens depend on what never changes in a pod: on whether it is there, and on which one it is."""
    return change.old is None or change.new is None or change.old.meta.uid != change.new.meta.uid


async def to_host(ctx: SyncContext, pair: Pair) -> Wanted:
    """The Secret is not there: request all tokens, as soon as the host pod exists to own it."""
    virtual = existing(pair.virtual)
    host_pod = ctx.host.get(PODS, names.host_name(pair.key, ctx.tenant))
    if host_pod is None or virtual["metadata"].get("deletionTimestamp") or not selected(ctx, virtual):
        return NOTHING
    return await _secret(ctx, virtual, host_pod, {})


async def sync(ctx: SyncContext, pair: Pair) -> Wanted:
    """The Secret is there: renew what is due, and start anew for a new host pod."""
    virtual, secret = existing(pair.virtual), existing(pair.host)
    host_pod = ctx.host.get(PODS, names.host_name(pair.key, ctx.tenant))
    if virtual["metadata"].get("deletionTimestamp") or host_pod is None:
        return NOTHING
    owners = {owner["uid"] for owner in secret["metadata"].get("ownerReferences") or ()}
    if host_pod["metadata"]["uid"] not in owners:
        return Wanted(delete_host=Delete(), requeue_after=0.0)
    return await _secret(ctx, virtual, host_pod, tokens.stored(secret), secret)


async def to_virtual(_ctx: SyncContext, _pair: Pair) -> Wanted:
    """The virtual pod is gone, and its tokens with it."""
    return Wanted(delete_host=Delete())


async def _secret(
    ctx: SyncContext, virtual: Obj, host_pod: Obj, held: dict[str, str], secret: Obj | None = None
) -> Wanted:
    around = surroundings.around(ctx, virtual, for_containers=False)
    now = datetime.datetime.fromtimestamp(ctx.now(), tz=datetime.UTC)
    needed = tokens.needs(around, virtual)
    fresh: dict[str, str] = {}
    for need in needed:
        token = held.get(need.key)
        fresh[need.key] = (
            await _request(ctx, need, virtual) if token is None or tokens.due(need, virtual, token, now=now) else token
        )
    wanted = tokens.token_secret(around, virtual, fresh, tokens.pod_owner(host_pod))
    if secret is not None:
        wanted = {**secret, "data": wanted["data"]}
    refresh = tokens.next_refresh(fresh)
    after = max((refresh - now).total_seconds(), 1.0) if refresh else _RETRY
    return Wanted(host=wanted, requeue_after=after)


async def _request(ctx: SyncContext, need: tokens.TokenRequestNeed, virtual: Obj) -> str:
    namespace: str = virtual["metadata"]["namespace"]
    request = requests.create(
        SERVICE_ACCOUNTS, tokens.token_request(need, virtual), namespace, name=need.service_account, subresource="token"
    )
    answer: Obj = decode(await ctx.virtual.client.send(request))
    token: str = answer["status"]["token"]
    return token
