"""What of a host node is left for the tenant: for a scheduler of the virtual cluster, which sees only the tenant's own
pods (spec §2.4).
"""

from __future__ import annotations

import dataclasses
import decimal
from collections.abc import Iterable, Mapping
from typing import Final

from nestling.config import model
from nestling.kube import cache, quantity
from nestling.kube.resource import PODS, Obj
from nestling.naming import labels
from nestling.naming.tenant import VirtualKey
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import Scope, SideName, Watch

Amounts = dict[str, decimal.Decimal]

#: The pods of everybody, in a cache apart from that of the tenant's.
EVERYBODYS: Final = dataclasses.replace(PODS, view="of everybody")
_BY_NODE: Final = "node"
_ZERO: Final = decimal.Decimal(0)
_OVER: Final = frozenset({"Succeeded", "Failed"})


def left(ctx: SyncContext, node: str, allocatable: Mapping[str, str]) -> dict[str, str]:
    """The node's allocatable amounts without what pods of others request."""
    store = ctx.host.stores[EVERYBODYS]
    taken: Amounts = {}
    for key in store.by_index(_BY_NODE, node):
        pod = store.get(key)
        if pod is not None and not _is_own(ctx, pod):
            _add(taken, requests(pod))
    return {name: _minus(amount, taken.get(name)) for name, amount in allocatable.items()}


def requests(pod: Obj) -> Amounts:
    """What a pod requests, as a scheduler counts it: its containers together, or the largest init container."""
    spec = pod["spec"]
    total = _sum(_requested(one) for one in spec.get("containers") or ())
    beside: Amounts = {}
    largest: Amounts = {}
    for one in spec.get("initContainers") or ():
        amounts = _requested(one)
        if one.get("restartPolicy") == "Always":
            _add(beside, amounts)
            amounts = {}
        _raise(largest, _sum((beside, amounts)))
    _add(total, beside)
    _raise(total, largest)
    _raise(total, _read((spec.get("resources") or {}).get("requests")))
    _add(total, _read(spec.get("overhead")))
    total["pods"] = decimal.Decimal(1)
    return total


def watch() -> Watch:
    """A pod that comes to a node, goes from it or takes another size."""
    return Watch(
        side=SideName.HOST,
        resource=EVERYBODYS,
        keys=_nodes_of,
        scope=Scope.CLUSTER,
        needed=needed,
        indexes={_BY_NODE: _by_node},
    )


def needed(config: model.VClusterConfig) -> bool:
    """Only a scheduler of the virtual cluster counts."""
    return config.virtual_scheduler_enabled


def _by_node(pod: cache.Entry) -> Iterable[str]:
    node = pod.obj["spec"].get("nodeName")
    is_over = (pod.obj.get("status") or {}).get("phase") in _OVER
    return (node,) if node and not is_over else ()


def _nodes_of(_ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    weights = [
        {node: requests(entry.obj) for node in _by_node(entry)} if entry is not None else {}
        for entry in (change.old, change.new)
    ]
    if weights[0] == weights[1]:
        return ()
    return {VirtualKey("", node) for one in weights for node in one}


def _is_own(ctx: SyncContext, pod: Obj) -> bool:
    meta = pod["metadata"]
    marker = (meta.get("labels") or {}).get(labels.MANAGED_BY)
    return bool(meta.get("namespace") == ctx.tenant.namespace and marker == ctx.tenant.name)


def _requested(container: Obj) -> Amounts:
    return _read((container.get("resources") or {}).get("requests"))


def _read(amounts: Mapping[str, str] | None) -> Amounts:
    return {name: quantity.parse(text) or _ZERO for name, text in (amounts or {}).items()}


def _sum(many: Iterable[Amounts]) -> Amounts:
    total: Amounts = {}
    for one in many:
        _add(total, one)
    return total


def _add(total: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, _ZERO) + amount


def _raise(total: Amounts, floor: Amounts) -> None:
    for name, amount in floor.items():
        total[name] = max(total.get(name, _ZERO), amount)


def _minus(amount: str, taken: decimal.Decimal | None) -> str:
    whole = quantity.parse(amount)
    if not taken or whole is None:
        return amount
    return quantity.text(max(whole - taken, _ZERO))
