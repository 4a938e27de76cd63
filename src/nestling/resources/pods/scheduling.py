"""Who schedules the pod, where it may run and how important it is (spec §2.2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nestling.kube.resource import Obj
from nestling.naming import names
from nestling.resources.pods.context import Changes, PodContext, Refused
from nestling.resources.pods.options import PodOptions, PriorityClasses
from nestling.syncer import spec as syncer_spec

#: Above this are the host's system pods.
MAX_PRIORITY: Final = 1_000_000_000
SYSTEM_CLASSES: Final = frozenset({"system-node-critical", "system-cluster-critical"})


def refuse(ctx: PodContext, pod: Obj) -> None:
    """Check what the tenant may not ask for.

    Raises:
        Refused: a node that the tenant does not see, or a class of the host that is not offered to the tenant.
    """
    spec = pod["spec"]
    node = spec.get("nodeName")
    if node and ctx.known_nodes is not None and node not in ctx.known_nodes:
        raise Refused(f"Given nodeName {node} does not exist in virtual cluster")
    priority = spec.get("priorityClassName")
    limited = ctx.options.priority_classes is PriorityClasses.FROM_HOST and ctx.offered_priority_classes is not None
    if priority and limited and priority not in (ctx.offered_priority_classes or frozenset()) | SYSTEM_CLASSES:
        raise Refused(_not_offered("priorityClass", priority))
    runtime = spec.get("runtimeClassName")
    if runtime and ctx.offered_runtime_classes is not None and runtime not in ctx.offered_runtime_classes:
        raise Refused(_not_offered("runtimeClass", runtime))


def priority(ctx: PodContext, _pod: Obj, spec: Obj) -> Changes:
    """The PriorityClass. Without it the host computes priority and preemption itself, and would refuse other values."""
    name = spec.get("priorityClassName") or ""
    changes: Changes = {}
    if ctx.options.priority_classes is PriorityClasses.OFF:
        name = ""
        changes = {"priorityClassName": None, "priority": None, "preemptionPolicy": None}
    elif name and ctx.options.priority_classes is PriorityClasses.TO_HOST:
        changes["priorityClassName"] = names.cluster_host_name(name, ctx.tenant)
        if "priority" in spec:
            changes["priority"] = min(spec["priority"], MAX_PRIORITY)
    if not name and ctx.options.priority_class_name:
        changes = {"priorityClassName": ctx.options.priority_class_name, "priority": None, "preemptionPolicy": None}
    return changes


def runtime_class(ctx: PodContext, _pod: Obj, _spec: Obj) -> Changes:
    """The RuntimeClass. Its overhead is the host's to add: the virtual cluster's would be refused when it differs."""
    changes: Changes = {"overhead": None}
    if ctx.options.runtime_class_name:
        changes["runtimeClassName"] = ctx.options.runtime_class_name
    return changes


def tolerations(ctx: PodContext, _pod: Obj, spec: Obj) -> Changes:
    """The pod's tolerations and the enforced ones."""
    wanted = union(spec.get("tolerations") or (), ctx.options.tolerations)
    return {"tolerations": wanted} if wanted else {}


def union(first: Iterable[Obj], second: Iterable[Obj]) -> list[Obj]:
    """All tolerations of both, in order, each once."""
    out: list[Obj] = []
    for one in (*first, *second):
        if one not in out:
            out.append(dict(one))
    return out


def nodes(ctx: PodContext, pod: Obj, spec: Obj) -> Changes:
    """The operator's node labels, and what a scheduler of the virtual cluster has settled.

    The labels win over the tenant's. They are added to pods with a ``nodeName`` as well: the scheduler does not look
    at those, but the node's kubelet turns away a pod whose selector does not fit.

    Raises:
        Waiting: the scheduler of the virtual cluster has not chosen a node yet.
    """
    selector: Obj = spec.get("nodeSelector") or {}
    changes: Changes = {}
    if is_virtually_scheduled(ctx.options, pod):
        if not spec.get("nodeName"):
            raise syncer_spec.Waiting("waiting for the scheduler of the virtual cluster to choose a node")
        selector = {}
        changes = {"affinity": None, "topologySpreadConstraints": None}
    selector = {**selector, **ctx.options.node_labels}
    return {**changes, "nodeSelector": selector or None}


def is_virtually_scheduled(options: PodOptions, pod: Obj) -> bool:
    """Is the pod's scheduler one of the virtual cluster?"""
    if not options.virtual_scheduler:
        return False
    scheduler = pod["spec"].get("schedulerName") or "default-scheduler"
    return options.host_schedulers is None or scheduler not in options.host_schedulers


def _not_offered(kind: str, name: str) -> str:
    return f'{kind}Name "{name}" is not offered by the host: the selector of sync.fromHost.{kind}es leaves it out'
