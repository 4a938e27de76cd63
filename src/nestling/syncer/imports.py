"""ConfigMaps and Secrets of host namespaces that tenants see: ``mappings.byName`` (spec §2.9).

The host decides, as for classes (``mirror``). What was copied carries our marks; an object of the tenant's own under
the same name is left alone, and the tenant is told.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from nestling.config import model
from nestling.config.models import common
from nestling.kube import cache, sources
from nestling.kube.resource import NAMESPACES, Obj, Resource
from nestling.naming import annotations as naming_annotations
from nestling.naming import host_objects, labels, names
from nestling.naming.tenant import HostKey, Tenant, VirtualKey
from nestling.syncer import fields, rules
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import (
    NOTHING,
    Action,
    Delete,
    Pair,
    Replace,
    SideName,
    SyncSpec,
    Waiting,
    Wanted,
    Warn,
    Watch,
)
from nestling.syncer.verbs import existing

#: Notes of kubectl about whoever applied the host object: the whole object again, with its host namespace.
_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_STRINGS: Final = ("labels", "annotations")
#: A token of the host cluster; the virtual cluster's token controller would delete it.
_TOKEN_TYPE: Final = "kubernetes.io/service-account-token"  # noqa: S105 - a type, not a secret

Settings = Callable[[model.VClusterConfig], common.SyncMapped]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One kind."""

    name: str
    resource: Resource
    settings: Settings

    def spec(self) -> SyncSpec:
        """The kind's declaration."""
        return SyncSpec(
            name=self.name,
            virtual=self.resource,
            host=self.view,
            naming=_Naming(self),
            enabled=self._is_on,
            host_sources=self._sources,
            # nothing is ever written to the host: no object there can be in the way
            selected=lambda _ctx, _obj: False,
            watches=(Watch(side=SideName.VIRTUAL, resource=NAMESPACES, keys=self._of_namespace),),
            to_host=self._to_host,
            sync=self._sync,
            to_virtual=self._to_virtual,
            mirror_host_deletion=False,
            replace_on_uid_mismatch=False,
            has_status=False,
            more_host_rules=self._rules,
        )

    @property
    def view(self) -> Resource:
        """The objects of other namespaces, in a cache apart from that of the synced ones."""
        return dataclasses.replace(self.resource, view="from host")

    def mappings(self, ctx: SyncContext) -> host_objects.Mappings:
        """What is shown where."""
        by_name = self.settings(ctx.config).mappings.by_name
        return ctx.memo.get(("mappings", self.name), None, lambda: host_objects.parse(by_name, ctx.tenant.namespace))

    def is_shown(self, ctx: SyncContext, host: Obj) -> bool:
        """Does a mapping name this host object, and may it be shown?"""
        key = _key(host)
        row = self.mappings(ctx).row(key)
        return row is not None and not _is_kept_back(host, is_named=row.is_exact)

    def _is_on(self, config: model.VClusterConfig) -> bool:
        settings = self.settings(config)
        return settings.enabled and bool(settings.mappings.by_name)

    def _sources(self, config: model.VClusterConfig, tenant: Tenant) -> Iterable[sources.Source]:
        rows = host_objects.parse(self.settings(config).mappings.by_name, tenant.namespace).rows
        return [sources.Source(row.namespace, row.name) for row in rows]

    def _rules(self, config: model.VClusterConfig) -> tuple[rules.PolicyRule, ...]:
        """Of a host object that is named, reading that one; of a whole namespace, which may not exist yet, the kind."""
        found: set[rules.PolicyRule] = set()
        for row in host_objects.parse(self.settings(config).mappings.by_name, "").rows:
            resource_names = (row.name,) if row.is_exact else ()
            found.add(
                rules.PolicyRule(
                    api_groups=(self.resource.group,),
                    resources=(self.resource.plural,),
                    verbs=rules.READ,
                    resource_names=resource_names,
                    cluster=bool(row.namespace),
                )
            )
        return tuple(sorted(found, key=lambda rule: (rule.cluster, rule.resource_names)))

    def _of_namespace(self, ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
        """A namespace has gone: what is shown there needs it again."""
        if change.new is not None:
            return ()
        mappings = self.mappings(ctx)
        shown = (mappings.to_virtual(HostKey(*key)) for key in ctx.host.stores[self.view].keys())  # noqa: SIM118
        return {key for key in shown if key is not None and key.namespace == change.key[1]}

    async def _to_host(self, ctx: SyncContext, pair: Pair) -> Wanted:
        """Only the virtual object exists: what was copied goes, what is the tenant's own stays."""
        return Wanted(delete_virtual=Delete()) if _is_copy(pair) else NOTHING

    async def _to_virtual(self, ctx: SyncContext, pair: Pair) -> Wanted:
        namespace = ctx.virtual.meta(NAMESPACES, VirtualKey("", pair.key.namespace))
        if namespace is None:
            body = {"metadata": {"name": pair.key.namespace}}
            create = Action(
                side=SideName.VIRTUAL, resource=NAMESPACES, namespace="", name="", subresource=None, body=body
            )
            return Wanted(virtual=_copy(existing(pair.host), pair.key), actions=(create,))
        return Wanted(virtual=_copy(existing(pair.host), pair.key))

    async def _sync(self, ctx: SyncContext, pair: Pair) -> Wanted:
        virtual, host = existing(pair.virtual), existing(pair.host)
        if virtual["metadata"].get("deletionTimestamp"):
            raise Waiting(f"{pair.key} is being deleted")
        if not _is_copy(pair):
            message = (
                f"A {self.resource.kind} of the host is to be shown under this name (sync.fromHost), and this one was "
                "not made from it: it is left as it is. Rename or delete it to see the one of the host"
            )
            return Wanted(warnings=(Warn(message=message),))
        wanted = _copy(host, pair.key)
        if _needs_replacement(virtual, wanted):
            return Wanted(replace_virtual=Replace(wanted, is_noted=False))
        own = {field: value for field, value in virtual["metadata"].items() if field not in _STRINGS}
        return Wanted(virtual={**wanted, "metadata": {**own, **wanted["metadata"]}})


@dataclasses.dataclass(frozen=True, slots=True)
class _Naming:
    """As the mappings say; of several host objects that would be shown under one name, the first that exists."""

    kind: Import

    def to_host(self, ctx: SyncContext, key: VirtualKey) -> HostKey:
        candidates = list(self.kind.mappings(ctx).to_host(key))
        for host_key in candidates:
            host = ctx.host.get(self.kind.view, host_key)
            if host is not None and self.kind.is_shown(ctx, host):
                return host_key
        return candidates[0] if candidates else HostKey("", "")

    def to_virtual(self, ctx: SyncContext, host: cache.Entry) -> VirtualKey | None:
        if not self.kind.is_shown(ctx, host.obj):
            return None
        return self.kind.mappings(ctx).to_virtual(HostKey(host.meta.namespace or "", host.meta.name))

    def claims(self, ctx: SyncContext, host: Obj, key: VirtualKey) -> bool:
        return self.kind.is_shown(ctx, host) and self.kind.mappings(ctx).to_virtual(_key(host)) == key


def _key(host: Obj) -> HostKey:
    return HostKey(host["metadata"].get("namespace", ""), host["metadata"]["name"])


def _is_kept_back(host: Obj, *, is_named: bool) -> bool:
    """What no tenant is shown: copies of tenants' objects, whosever, and tokens of the host.

    Of a whole namespace neither what belongs to a control plane in it (certificates with their keys, kubeconfigs) nor
    the releases of Helm.
    """
    meta = host["metadata"]
    marks: Mapping[str, str] = meta.get("labels") or {}
    if labels.MANAGED_BY in marks or meta["name"] == names.ROOT_CA or host.get("type") == _TOKEN_TYPE:
        return True
    return not is_named and (marks.get("app") == "vcluster" or marks.get(labels.OWNER) == labels.HELM)


def _marks(key: VirtualKey) -> dict[str, str]:
    """What says that an object is a copy. Its own name is in it: a tenant's copy of the copy is the tenant's."""
    return {labels.OBJECT_IMPORTED: "true", labels.OBJECT_NAME: key.name, labels.OBJECT_NAMESPACE: key.namespace}


def _is_copy(pair: Pair) -> bool:
    """Was the virtual object made from a host object, by its marks or because it was when both last agreed?"""
    virtual = existing(pair.virtual)
    notes = virtual["metadata"].get("annotations") or {}
    return pair.agreed is not None or all(notes.get(name) == value for name, value in _marks(pair.key).items())


def _copy(host: Obj, key: VirtualKey) -> Obj:
    meta = host["metadata"]
    notes = naming_annotations.to_virtual(meta.get("annotations"), excluded=(_APPLIED,))
    shown = {name: value for name, value in (meta.get("labels") or {}).items() if not name.startswith(labels.PREFIX)}
    return {
        **fields.body(host),
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            **({"labels": shown} if shown else {}),
            "annotations": {**notes, **_marks(key)},
        },
    }


def _needs_replacement(virtual: Obj, wanted: Obj) -> bool:
    """Is there a difference that the API server lets nobody write?"""
    if virtual.get("type") != wanted.get("type"):
        return True
    if not virtual.get("immutable"):
        return False
    return any(virtual.get(field) != wanted.get(field) for field in ("data", "binaryData", "immutable"))
