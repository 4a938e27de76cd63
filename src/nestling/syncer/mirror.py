"""Cluster-scoped kinds of the host that tenants see under the same names: classes of all sorts (spec §2.1, fromHost).

The host decides: what a tenant changes is changed back, what the host does not have is removed, and with a selector
the tenant sees only what it selects.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Final

from nestling.config import model
from nestling.config.models import common
from nestling.kube import cache
from nestling.kube.resource import Obj, Resource
from nestling.naming import selectors
from nestling.naming.tenant import VirtualKey
from nestling.syncer import fields, mapping, rules
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import NOTHING, Delete, Naming, Pair, Replace, Scope, SyncSpec, Wanted, Watch
from nestling.syncer.verbs import existing

#: Metadata that the host decides.
_MIRRORED: Final = ("labels", "annotations")
_SAME_NAME: Final = mapping.Mirrored()

Selector = common.LabelSelector | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """One kind."""

    resource: Resource
    enabled: Callable[[model.VClusterConfig], bool]
    #: Which objects of the host tenants see; None: all.
    selector: Callable[[model.VClusterConfig], Selector]
    #: Top-level fields that the API server does not let anyone change: the object is made anew.
    immutable: tuple[str, ...] = ()
    #: Objects that every cluster has by itself.
    built_in: frozenset[str] = frozenset()
    #: What else must hold for an object to be shown, and whose changes can alter that.
    fits: Callable[[SyncContext, Obj], bool] = lambda _ctx, _host: True
    watches: tuple[Watch, ...] = ()
    naming: Naming = _SAME_NAME

    def spec(self) -> SyncSpec:
        """The kind's declaration."""
        reads = rules.PolicyRule(
            api_groups=(self.resource.group,), resources=(self.resource.plural,), verbs=rules.READ, cluster=True
        )
        return SyncSpec(
            name=self.resource.plural,
            virtual=self.resource,
            host=self.resource,
            naming=self.naming,
            enabled=self.enabled,
            host_scope=Scope.CLUSTER,
            to_host=self._to_host,
            sync=self._sync,
            to_virtual=self._to_virtual,
            mirror_host_deletion=False,
            replace_on_uid_mismatch=False,
            has_status=False,
            watches=self.watches,
            host_rules=(reads,),
        )

    def _is_offered(self, ctx: SyncContext, host: Obj) -> bool:
        meta = host["metadata"]
        chosen = meta["name"] in self.built_in or selects(self.selector(ctx.config), meta.get("labels") or {})
        return chosen and self.fits(ctx, host)

    async def _to_host(self, _ctx: SyncContext, pair: Pair) -> Wanted:
        """What the host does not have is not offered: nothing there could honour it."""
        return NOTHING if pair.key.name in self.built_in else Wanted(delete_virtual=Delete())

    async def _to_virtual(self, ctx: SyncContext, pair: Pair) -> Wanted:
        host = existing(pair.host)
        return Wanted(virtual=_copy(host, pair.key)) if self._is_offered(ctx, host) else NOTHING

    async def _sync(self, ctx: SyncContext, pair: Pair) -> Wanted:
        virtual, host = existing(pair.virtual), existing(pair.host)
        if not self._is_offered(ctx, host):
            return Wanted(delete_virtual=Delete())
        wanted = _copy(host, pair.key)
        if any(virtual.get(field) != wanted.get(field) for field in self.immutable):
            return Wanted(replace_virtual=Replace(wanted, is_noted=False))
        own = {field: value for field, value in virtual["metadata"].items() if field not in _MIRRORED}
        return Wanted(virtual={**wanted, "metadata": {**own, **_strings(wanted)}})


def selects(selector: Selector, labels: dict[str, str]) -> bool:
    """Does the selector of a configuration select an object with these labels? None selects all."""
    return selector is None or selectors.matches(selector.model_dump(by_alias=True, exclude_none=True), labels)


def offered(ctx: SyncContext, resource: Resource, selector: Selector) -> frozenset[str] | None:
    """The names of the host's objects that tenants may use; None when there is no limit (spec §2.1, last paragraph)."""
    store: cache.Store | None = ctx.host.stores.get(resource)
    if selector is None or store is None:
        return None
    metas = (store.meta(key) for key in store.keys())  # noqa: SIM118 - a store is no dict
    return frozenset(meta.name for meta in metas if meta is not None and selects(selector, meta.labels or {}))


def refusal(ctx: SyncContext, resource: Resource, selector: Selector, name: str | None) -> str | None:
    """Why an object that uses this class is not synced, None when it may."""
    allowed = offered(ctx, resource, selector)
    if not name or allowed is None or name in allowed:
        return None
    kind = resource.kind
    choice = ", ".join(sorted(allowed)) or "none"
    return (
        f'{kind} "{name}" is not offered here: the selector of sync.fromHost.{kind[0].lower()}{kind[1:]}es leaves it '
        f"out; use one of: {choice}"
    )


def _copy(host: Obj, key: VirtualKey) -> Obj:
    place = {"namespace": key.namespace} if key.namespace else {}
    return {**fields.body(host), "metadata": {"name": key.name, **place, **_strings(host)}}


def _strings(obj: Obj) -> Obj:
    meta = obj["metadata"]
    return {field: meta[field] for field in _MIRRORED if meta.get(field)}
