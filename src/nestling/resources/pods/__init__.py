"""Pods: the kind that everything else is there for. ``translate`` and its neighbours are pure functions; the verbs call
them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nestling.kube import cache
from nestling.kube.resource import NAMESPACES, NODES, PODS, SECRETS, SERVICES
from nestling.naming import names, ownership
from nestling.naming.tenant import VirtualKey
from nestling.resources.pods import keys, references, surroundings, token_verbs, verbs
from nestling.syncer import fields, mapping, rules
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import Pair, Scope, SideName, SyncSpec, Wanted, Watch


def _by_node(host: cache.Entry) -> Iterable[str]:
    """The node of a host pod. A DaemonSet's pod is no reason to show its node (spec §2.4)."""
    node = host.obj["spec"].get("nodeName")
    annotations = host.meta.annotations or {}
    return (node,) if node and annotations.get(keys.OWNER_SET_KIND) != "DaemonSet" else ()


def _of_namespace(ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    """Pods carry the labels of their Namespace (spec §1.2)."""
    before, after = (entry.meta.labels if entry is not None else None for entry in (change.old, change.new))
    if change.initial or change.new is None or before == after:
        return ()
    return [VirtualKey(*key) for key in ctx.virtual.stores[PODS].keys() if key[0] == change.key[1]]  # noqa: SIM118 - a store is no dict


def _of_node(ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    """A node that has just appeared: its pods can be bound, and those that ask for it be created."""
    if change.old is not None or change.new is None:
        return ()
    store = ctx.host.stores[PODS]
    metas = (store.meta(key) for key in store.by_index("node", change.key[1]))
    placed = [key for meta in metas if meta is not None and (key := ownership.virtual_key(meta)) is not None]
    return placed if change.initial else [*placed, *_waiting(ctx)]


def _waiting(ctx: SyncContext) -> list[VirtualKey]:
    """Virtual pods that are not on the host."""
    keys_of_all = (VirtualKey(*key) for key in ctx.virtual.stores[PODS].keys())  # noqa: SIM118 - a store is no dict
    return [key for key in keys_of_all if ctx.host.meta(PODS, names.host_name(key, ctx.tenant)) is None]


def _of_host_pod(ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    """A host pod that has just appeared or gone: its tokens."""
    entry = change.new if change.old is None else change.old if change.new is None else None
    key = ownership.virtual_key(entry.meta) if entry is not None else None
    return (
        (key,)
        if key is not None and entry is not None and names.host_name(key, ctx.tenant).name == entry.meta.name
        else ()
    )


def _of_service(ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    """The addresses of DNS and of the API server go into every pod: when they come, pods that wait for them go on."""
    awaited = {ctx.tenant.name, names.host_name(surroundings.DNS, ctx.tenant).name}
    if change.initial or change.new is None or change.key[1] not in awaited:
        return ()
    return _waiting(ctx)


async def _sync(ctx: SyncContext, pair: Pair) -> Wanted:
    return await verbs.sync(ctx, SPEC, pair)


SPEC: Final = SyncSpec(
    name="pods",
    virtual=PODS,
    host=PODS,
    naming=mapping.Namespaced(),
    enabled=lambda config: config.sync.to_host.pods.enabled,
    references=references.references,
    fields=fields.remembered("spec.containers", "spec.initContainers", "status.conditions"),
    excluded_annotations=keys.EXCLUDED,
    host_indexes={"node": _by_node},
    watches=(
        Watch(side=SideName.VIRTUAL, resource=NAMESPACES, keys=_of_namespace),
        Watch(side=SideName.VIRTUAL, resource=NODES, keys=_of_node),
        Watch(side=SideName.VIRTUAL, resource=SERVICES, keys=lambda _ctx, _change: ()),
        Watch(side=SideName.HOST, resource=SERVICES, keys=_of_service, scope=Scope.NAMESPACE),
    ),
    to_host=verbs.to_host,
    sync=_sync,
    mirror_host_deletion=False,
    host_rules=(
        rules.PolicyRule(api_groups=("",), resources=("pods",), verbs=rules.FULL),
        rules.PolicyRule(
            api_groups=("",),
            resources=("pods/ephemeralcontainers", "pods/resize", "pods/status"),
            verbs=("patch",),
        ),
        # The kubelet façade: SPDY is a POST, a WebSocket a GET.
        rules.PolicyRule(
            api_groups=("",), resources=("pods/attach", "pods/exec", "pods/portforward"), verbs=("create", "get")
        ),
        rules.PolicyRule(api_groups=("",), resources=("pods/log",), verbs=("get",)),
    ),
)

TOKENS: Final = SyncSpec(
    name="podtokens",
    virtual=PODS,
    host=SECRETS,
    naming=token_verbs.Naming(),
    enabled=lambda config: config.sync.to_host.pods.enabled,
    selected=token_verbs.selected,
    concerned=token_verbs.concerned,
    watches=(Watch(side=SideName.HOST, resource=PODS, keys=_of_host_pod),),
    to_host=token_verbs.to_host,
    sync=token_verbs.sync,
    to_virtual=token_verbs.to_virtual,
    mirror_host_deletion=False,
    replace_on_uid_mismatch=False,
    has_status=False,
    is_done_when_created=True,
    host_rules=(rules.PolicyRule(api_groups=("",), resources=("secrets",), verbs=rules.FULL),),
)
