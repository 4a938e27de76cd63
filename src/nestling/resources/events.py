"""Host events about tenants' objects, shown in the virtual cluster in the tenant's names (spec §1.1, §2.1)."""

from __future__ import annotations

from typing import Final

from nestling.kube import cache
from nestling.kube.resource import (
    CONFIG_MAPS,
    ENDPOINTS,
    EVENTS,
    NAMESPACES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SECRETS,
    SERVICES,
    Obj,
    Resource,
)
from nestling.naming import labels, names, ownership
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.syncer import fields, rules
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import NOTHING, Pair, Scope, SideName, SyncSpec, Wanted, Watch
from nestling.syncer.verbs import existing

#: Events about these kinds are shown; one about a claim is what a tenant with a pending volume needs most.
_SHOWN: Final[dict[str, Resource]] = {
    resource.kind: resource for resource in (PODS, SERVICES, ENDPOINTS, SECRETS, CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS)
}

#: Where an event is shown that somebody on the host marked to be shown: it is about no object of the tenant.
_FORCED_INTO: Final = "default"


class _Naming:
    """``web-x-default-x-NAME.17ab`` is ``web.17ab`` in ``default``."""

    def to_host(self, ctx: SyncContext, key: VirtualKey) -> HostKey:
        forced = HostKey(ctx.tenant.namespace, key.name)
        if key.namespace == _FORCED_INTO and _is_forced(ctx.host.meta(EVENTS, forced)):
            return forced
        about, _, suffix = key.name.rpartition(".")
        host = names.host_name(VirtualKey(key.namespace, about), ctx.tenant)
        return HostKey(host.namespace, f"{host.name}.{suffix}")

    def to_virtual(self, ctx: SyncContext, host: cache.Entry) -> VirtualKey | None:
        if _is_forced(host.meta):
            return VirtualKey(_FORCED_INTO, host.meta.name)
        about = involved(ctx, host.obj)
        if about is None:
            return None
        return VirtualKey(
            about.namespace, names.event_name(host.meta.name, host.obj["involvedObject"]["name"], about.name)
        )

    def claims(self, ctx: SyncContext, host: Obj, key: VirtualKey) -> bool:
        """Events outlive what they are about. One that nobody can be found for any more is no reason to complain: it
        changes nothing.
        """
        if (host["metadata"].get("annotations") or {}).get(labels.FORCE_SYNC) == "true":
            return key == VirtualKey(_FORCED_INTO, host["metadata"]["name"])
        about = involved(ctx, host)
        return about is None or about.namespace == key.namespace


def _is_forced(meta: cache.Meta | None) -> bool:
    """Does somebody on the host want the tenant to see this event, whatever it is about? (spec §1.2)"""
    return meta is not None and (meta.annotations or {}).get(labels.FORCE_SYNC) == "true"


def involved(ctx: SyncContext, event: Obj) -> VirtualKey | None:
    """The virtual object that a host event is about, if it is one of ours."""
    about = event["involvedObject"]
    resource = _SHOWN.get(about.get("kind", ""))
    if resource is None or resource not in ctx.host.stores:
        return None
    host = ctx.host.meta(resource, HostKey(about.get("namespace", ""), about.get("name", "")))
    key = ownership.virtual_key(host) if host is not None else None
    return key if key is not None and host is not None and ownership.claims(host, key, ctx.tenant) else None


def translate(ctx: SyncContext, host: Obj, key: VirtualKey) -> Obj | None:
    """The event in the tenant's names, None when its object or namespace is gone."""
    namespace = ctx.virtual.meta(NAMESPACES, VirtualKey("", key.namespace))
    if namespace is None or namespace.deletion_timestamp:
        return None
    if (host["metadata"].get("annotations") or {}).get(labels.FORCE_SYNC) == "true":
        return {**_body(host), "metadata": {"name": key.name, "namespace": key.namespace}, "involvedObject": {}}
    about = involved(ctx, host)
    if about is None:
        return None
    origin = host["involvedObject"]
    resource = _SHOWN[origin["kind"]]
    seen = ctx.virtual.meta(resource, about) if resource in ctx.virtual.stores else None
    event = _body(host)
    host_name = origin["name"]
    message = str(event.get("message", ""))
    event["message"] = message.replace(f"{origin.get('namespace', '')}/{host_name}", str(about)).replace(
        host_name, about.name
    )
    event["involvedObject"] = {**origin, "name": about.name, "namespace": about.namespace}
    for field in ("uid", "resourceVersion"):
        event["involvedObject"].pop(field, None)
    if seen is not None:
        event["involvedObject"]["uid"] = seen.uid
    meta = host["metadata"]
    return {
        "metadata": {"name": key.name, "namespace": key.namespace, **{f: meta[f] for f in ("labels",) if meta.get(f)}},
        **fields.clone(event),
    }


def _body(host: Obj) -> Obj:
    return {field: value for field, value in host.items() if field not in ("metadata", "involvedObject", "related")}


async def _to_virtual(ctx: SyncContext, pair: Pair) -> Wanted:
    event = translate(ctx, existing(pair.host), pair.key)
    return Wanted(virtual=event) if event else NOTHING


async def _sync(ctx: SyncContext, pair: Pair) -> Wanted:
    virtual, event = existing(pair.virtual), translate(ctx, existing(pair.host), pair.key)
    if event is None:
        return NOTHING
    event.pop("involvedObject")
    return Wanted(virtual={**virtual, **event, "metadata": virtual["metadata"]})


async def _to_host(_ctx: SyncContext, _pair: Pair) -> Wanted:
    """Events of the virtual cluster itself stay there."""
    return NOTHING


SPEC: Final = SyncSpec(
    name="events",
    virtual=EVENTS,
    host=EVENTS,
    naming=_Naming(),
    enabled=lambda config: config.sync.from_host.events.enabled,
    host_scope=Scope.NAMESPACE,
    watches=(Watch(side=SideName.VIRTUAL, resource=NAMESPACES, keys=lambda _ctx, _change: ()),),
    to_host=_to_host,
    sync=_sync,
    to_virtual=_to_virtual,
    mirror_host_deletion=False,
    replace_on_uid_mismatch=False,
    has_status=False,
    is_done_when_created=True,
    # events tell of what happened; they are not to hold it up
    workers=2,
    host_rules=(rules.PolicyRule(api_groups=("",), resources=("events",), verbs=rules.WATCH),),
)
