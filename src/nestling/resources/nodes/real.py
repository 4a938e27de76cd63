"""Nodes of the host as they are (``sync.fromHost.nodes``, spec §2.4).

Labels, annotations, taints and status come from the host node; what the tenant adds to the first three stays. Addresses
and ports are those of the kubelet façade, as with fake nodes: no request of the virtual cluster reaches a kubelet.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from nestling.config import model, resolve
from nestling.kube import cache
from nestling.kube.resource import NODES, PODS, SERVICES, Obj
from nestling.naming import annotations as naming_annotations
from nestling.naming import labels
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.resources.nodes import allocation, services
from nestling.syncer import fields, rules, tolerations
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import NOTHING, Delete, Pair, Scope, SideName, SyncSpec, Wanted, Watch
from nestling.syncer.verbs import existing

#: Sums over the pods of all tenants, kept up to date by Rancher.
_EXCLUDED: Final = frozenset({"management.cattle.io/pod-limits", "management.cattle.io/pod-requests"})
#: Addresses that the façade takes the place of.
_OURS: Final = frozenset({"Hostname", "InternalIP", "InternalDNS", "ExternalDNS"})
#: The API server lets nobody change them.
_FIXED: Final = ("podCIDR", "podCIDRs", "providerID")
#: Which volumes are attached, of whichever tenant.
_OTHERS: Final = ("volumesInUse", "volumesAttached")
#: Taints that the host's own controllers put on; the virtual API server puts some on each new node, too.
_CONDITION: Final = "node.kubernetes.io/"


def node(ctx: SyncContext, host: Obj, virtual: Obj | None, address: str) -> Obj:
    """The virtual node for a host node and what the tenant has made of it so far."""
    before = virtual if virtual is not None and not _is_fake(virtual) else {"metadata": {}, "spec": {}}
    meta = _metadata(ctx, host, before["metadata"])
    return {
        "apiVersion": NODES.api_version,
        "kind": NODES.kind,
        "metadata": {**(virtual["metadata"] if virtual is not None else {}), **meta},
        "spec": _spec(ctx, host, before),
        "status": _status(ctx, host, address),
    }


def is_ours(ctx: SyncContext, virtual: Obj) -> bool:
    """Was this node made from one of the host? Nodes that a tenant has created are the tenant's."""
    return (virtual["metadata"].get("labels") or {}).get(labels.MANAGED_BY) == ctx.tenant.name


def _is_fake(virtual: Obj) -> bool:
    return labels.FAKE_NODE in (virtual["metadata"].get("labels") or {})


def _metadata(ctx: SyncContext, host: Obj, before: Obj) -> Obj:
    notes = before.get("annotations") or {}
    from_host = host["metadata"]
    marks = {
        **{key: value for key, value in (from_host.get("labels") or {}).items() if not key.startswith(labels.PREFIX)},
        labels.MANAGED_BY: ctx.tenant.name,
    }
    shown = naming_annotations.to_virtual(from_host.get("annotations"), excluded=_EXCLUDED)
    return {
        "name": from_host["name"],
        "labels": _merged(before.get("labels") or {}, marks, _managed(notes, labels.MANAGED_LABELS)),
        "annotations": {
            **_merged(notes, shown, _managed(notes, labels.MANAGED_ANNOTATIONS)),
            labels.MANAGED_LABELS: "\n".join(sorted(marks)),
            labels.MANAGED_ANNOTATIONS: "\n".join(sorted(shown)),
            labels.ORIGINAL_TAINTS: json.dumps(host["spec"].get("taints") or [], sort_keys=True),
        },
    }


def _managed(notes: Mapping[str, str], which: str) -> frozenset[str]:
    return naming_annotations.managed_keys(notes, which)


def _merged(ours: Mapping[str, str], theirs: Mapping[str, str], managed: frozenset[str]) -> dict[str, str]:
    """What the host has, and what the tenant has added to it."""
    return {**{key: value for key, value in ours.items() if key not in managed}, **theirs}


def _spec(ctx: SyncContext, host: Obj, before: Obj) -> Obj:
    theirs, ours = fields.clone(host["spec"]), before["spec"]
    theirs |= {field: ours[field] for field in _FIXED if field in ours}
    taints = _taints(ctx, theirs.pop("taints", None) or [], before)
    return {**theirs, **({"taints": taints} if taints else {})}


def _taints(ctx: SyncContext, theirs: list[Obj], before: Obj) -> list[Obj]:
    """The host's taints, without those that all pods tolerate anyway, and the tenant's own.

    With a scheduler of its own, the virtual cluster taints nodes by their conditions, too. Such a taint that the host
    has and that all pods tolerate is neither put on nor taken off: it would be put on again for ever.
    """
    enforced = tolerations.parse_all(ctx.config.sync.to_host.pods.enforce_tolerations)
    shown = [one for one in theirs if not tolerations.tolerates(enforced, one)]
    hidden = {_taint(one) for one in theirs} - {_taint(one) for one in shown}
    seen = {_taint(one) for one in (*theirs, *_remembered(before))}
    added = [
        one
        for one in before["spec"].get("taints") or ()
        if (_taint(one) in hidden if one["key"].startswith(_CONDITION) else _taint(one) not in seen)
    ]
    return [*shown, *added]


def _taint(taint: Obj) -> tuple[str, str]:
    return taint["key"], taint.get("effect", "")


def _remembered(before: Obj) -> Iterable[Obj]:
    """The host's taints as they were. A tenant can write anything into the annotation; what is no taint is none."""
    text = (before["metadata"].get("annotations") or {}).get(labels.ORIGINAL_TAINTS, "[]")
    try:
        found: Any = json.loads(text)
    except ValueError:
        return []
    return [one for one in found if isinstance(one, dict) and "key" in one] if isinstance(found, list) else []


def _status(ctx: SyncContext, host: Obj, address: str) -> Obj:
    status = {key: value for key, value in fields.clone(host.get("status") or {}).items() if key not in _OTHERS}
    name = host["metadata"]["name"]
    proxy = ctx.config.networking.advanced.proxy_kubelets
    hidden = _OURS if proxy.by_hostname or proxy.by_ip else {"ExternalDNS"}
    kept = [one for one in status.get("addresses") or () if one["type"] not in hidden]
    status["addresses"] = [*services.addresses(ctx, name, address), *kept]
    status["daemonEndpoints"] = {"kubeletEndpoint": {"Port": ctx.kubelet_port}}
    if ctx.config.sync.from_host.nodes.clear_image_status:
        status.pop("images", None)
    if allocation.needed(ctx.config) and status.get("allocatable"):
        status["allocatable"] = allocation.left(ctx, name, status["allocatable"])
    return status


def _shown(ctx: SyncContext, name: str) -> Obj | None:
    """The host node, if tenants see it."""
    host = ctx.host.get(NODES, HostKey("", name))
    if host is None or resolve.all_nodes(ctx.config):
        return host
    wanted = ctx.config.sync.from_host.nodes.selector.labels
    if wanted:
        present = host["metadata"].get("labels") or {}
        return host if all(present.get(key) == value for key, value in wanted.items()) else None
    return host if services.runs_pods(ctx, name) else None


async def _absent(ctx: SyncContext, pair: Pair) -> Wanted:
    if _shown(ctx, pair.key.name) is None:
        return NOTHING
    return Wanted(host=services.service(ctx, pair.key, pair.host_key), requeue_after=0.0)


async def _to_host(ctx: SyncContext, pair: Pair) -> Wanted:
    """A node without Service: give it one, or remove the node that is none of the host's."""
    virtual = existing(pair.virtual)
    if _shown(ctx, pair.key.name) is not None:
        return await _absent(ctx, pair)
    return Wanted(delete_virtual=Delete()) if is_ours(ctx, virtual) or _is_fake(virtual) else NOTHING


async def _to_virtual(ctx: SyncContext, pair: Pair) -> Wanted:
    host = _shown(ctx, pair.key.name)
    if host is None:
        return Wanted(delete_host=Delete())
    return Wanted(virtual=node(ctx, host, None, _address(pair)))


async def _sync(ctx: SyncContext, pair: Pair) -> Wanted:
    virtual, host = existing(pair.virtual), _shown(ctx, pair.key.name)
    if host is None:
        gone = Delete() if is_ours(ctx, virtual) or _is_fake(virtual) else None
        return Wanted(delete_virtual=gone, delete_host=Delete())
    return Wanted(virtual=node(ctx, host, virtual, _address(pair)))


def _address(pair: Pair) -> str:
    address: str = existing(pair.host)["spec"].get("clusterIP", "")
    return address


def _of_host_node(_ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    return (VirtualKey("", change.key[1]),)


def _rules(config: model.VClusterConfig) -> tuple[rules.PolicyRule, ...]:
    if not allocation.needed(config):
        return ()
    return (rules.PolicyRule(api_groups=("",), resources=("pods",), verbs=rules.WATCH, cluster=True),)


SPEC: Final = SyncSpec(
    name="nodesfromhost",
    virtual=NODES,
    host=SERVICES,
    naming=services.Naming(),
    enabled=lambda config: config.sync.from_host.nodes.enabled,
    host_scope=Scope.NAMESPACE,
    watches=(
        Watch(side=SideName.HOST, resource=NODES, keys=_of_host_node, scope=Scope.CLUSTER),
        Watch(side=SideName.HOST, resource=PODS, keys=services.of_host_pod),
        allocation.watch(),
    ),
    to_host=_to_host,
    sync=_sync,
    to_virtual=_to_virtual,
    absent=_absent,
    mirror_host_deletion=False,
    replace_on_uid_mismatch=False,
    host_rules=(
        *services.RULES,
        rules.PolicyRule(api_groups=("",), resources=("nodes",), verbs=rules.WATCH, cluster=True),
    ),
    more_host_rules=_rules,
)
