"""The verbs of pods (spec §2.2): create on the host, follow its status, carry the few changes that a running pod
allows.
"""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import NODES, PODS, SERVICE_ACCOUNTS, Obj
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.resources.pods import collisions, dns, pod_security, status, surroundings, translate, update
from nestling.resources.pods import metadata as pod_metadata
from nestling.resources.pods.context import PodContext, Refused
from nestling.syncer import metadata
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import Action, Delete, Pair, SideName, SyncSpec, Waiting, Wanted, Warn
from nestling.syncer.verbs import existing

_AT_ONCE: Final = Delete(grace_period_seconds=0)
_DEFAULT_GRACE: Final = 30
_NO_NAME_SERVER: Final = (
    "The virtual cluster has no name server: controlPlane.coredns.enabled is false, and there is no Service kube-dns "
    "in the namespace kube-system. Create that Service before a name server of your own, switch CoreDNS on, or give "
    "the pod dnsPolicy: Default, which has the names of the host, or None with a dnsConfig"
)
_NO_RESIZE: Final = (
    "The host's Kubernetes is older than 1.33 and cannot resize a pod in place: the containers keep the resources they "
    "were started with. Delete the pod, or let its controller replace it, to get the new ones"
)


async def to_host(ctx: SyncContext, pair: Pair) -> Wanted:
    """Create the host pod. One that has run already is not brought back to life: its virtual pod goes."""
    virtual = existing(pair.virtual)
    ran = (virtual.get("status") or {}).get("startTime")
    if pair.agreed is not None or ran or virtual["metadata"].get("deletionTimestamp"):
        return Wanted(delete_virtual=_AT_ONCE)
    if (violation := _violation(ctx, virtual)) is not None:
        return Wanted(warnings=(Warn(message=violation),))
    if (problem := collisions.problem(ctx, virtual)) is not None:
        if problem.is_coming:
            raise Waiting(problem.message)
        return Wanted(warnings=(Warn(message=problem.message),), requeue_after=collisions.RETRY)
    try:
        host = translate.translate(surroundings.around(ctx, virtual, for_containers=True), virtual)
    except Refused as refusal:
        return Wanted(warnings=(Warn(message=str(refusal)),))
    except dns.NoNameServer:
        if not surroundings.lacks_name_server(ctx):
            raise
        return Wanted(warnings=(Warn(message=_NO_NAME_SERVER),), requeue_after=collisions.RETRY)
    _require_account(ctx, host)
    return Wanted(host=host, warnings=tuple(Warn(message=text) for text in translate.warnings(virtual)))


def _require_account(ctx: SyncContext, host: Obj) -> None:
    """The host refuses pods whose ServiceAccount does not exist; one that is synced comes a moment later."""
    account = HostKey(ctx.tenant.namespace, host["spec"].get("serviceAccountName") or "")
    if SERVICE_ACCOUNTS in ctx.host.stores and account.name and ctx.host.meta(SERVICE_ACCOUNTS, account) is None:
        raise Waiting(f"ServiceAccount {account.name} is not there yet")


async def sync(ctx: SyncContext, spec: SyncSpec, pair: Pair) -> Wanted:
    """Both exist: deletion first, then the node, then everything else."""
    virtual, host = existing(pair.virtual), existing(pair.host)
    light = surroundings.around(ctx, virtual, for_containers=False)
    if virtual["metadata"].get("deletionTimestamp") or host["metadata"].get("deletionTimestamp"):
        return _deleting(light, virtual, host, pair)
    chosen, bound = host["spec"].get("nodeName"), virtual["spec"].get("nodeName")
    if bound and bound != chosen:
        # somebody bound the virtual pod elsewhere than the host did; it cannot be moved
        return Wanted(delete_virtual=Delete(grace_period_seconds=_DEFAULT_GRACE))
    if chosen and not bound:
        return _bind(ctx, virtual, chosen)
    return _follow(ctx, spec, pair, light)


def _deleting(ctx: PodContext, virtual: Obj, host: Obj, pair: Pair) -> Wanted:
    """Either side is going: the other goes with the same grace period, and the tenant watches until the host pod is
    gone.
    """
    ours, theirs = virtual["metadata"], host["metadata"]
    shown = {**virtual, "status": status.virtual_status(ctx, virtual, host, _agreed(pair))}
    if not ours.get("deletionTimestamp"):
        grace = virtual["spec"].get("terminationGracePeriodSeconds", _DEFAULT_GRACE)
        return Wanted(virtual=shown, delete_virtual=Delete(grace_period_seconds=grace))
    grace = ours.get("deletionGracePeriodSeconds") or 0
    shorter = theirs.get("deletionTimestamp") and grace < (theirs.get("deletionGracePeriodSeconds") or 0)
    if not theirs.get("deletionTimestamp") or shorter:
        return Wanted(virtual=shown, delete_host=Delete(grace_period_seconds=grace))
    return Wanted(virtual=shown)


def _bind(ctx: SyncContext, virtual: Obj, node: str) -> Wanted:
    """Tell the virtual cluster where the host has put the pod. The change comes back as an event, and the status
    follows then.
    """
    if ctx.virtual.meta(NODES, VirtualKey("", node)) is None:
        raise Waiting(f"node {node} is not there yet")
    meta = virtual["metadata"]
    body = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    }
    action = Action(
        side=SideName.VIRTUAL,
        resource=PODS,
        namespace=meta["namespace"],
        name=meta["name"],
        subresource="binding",
        body=body,
    )
    return Wanted(actions=(action,))


def _follow(ctx: SyncContext, spec: SyncSpec, pair: Pair, light: PodContext) -> Wanted:
    virtual, host, agreed = existing(pair.virtual), existing(pair.host), _agreed(pair)
    meta_virtual, meta_host = metadata.for_update(ctx, spec, virtual, host, pair.host_key, pair.agreed)
    seen = {**virtual, "metadata": meta_virtual}
    resize = update.resize_patch(virtual, host, agreed)
    return Wanted(
        virtual={**seen, "status": status.virtual_status(light, virtual, host, agreed)},
        host={
            **host,
            "metadata": pod_metadata.overlay(light, seen, meta_host, host),
            "spec": update.host_spec(light, virtual, host, agreed),
        },
        actions=_actions(ctx, pair, resize if light.resize else None),
        warnings=_warnings(ctx, pair, can_resize=light.resize or not resize),
    )


def _warnings(ctx: SyncContext, pair: Pair, *, can_resize: bool) -> tuple[Warn, ...]:
    """What of a change is not carried over."""
    virtual, host = existing(pair.virtual), existing(pair.host)
    found = [] if can_resize else [_NO_RESIZE]
    if len(virtual["spec"].get("ephemeralContainers") or ()) > len(host["spec"].get("ephemeralContainers") or ()):
        found += filter(None, [_violation(ctx, virtual)])
    return tuple(Warn(message=text) for text in found)


def _violation(ctx: SyncContext, virtual: Obj) -> str | None:
    return pod_security.problem(virtual, ctx.config.policies.pod_security_standard)


def _actions(ctx: SyncContext, pair: Pair, resize: Obj | None) -> tuple[Action, ...]:
    """Changes of a running pod that go through subresources of the host pod."""
    virtual, host, agreed = existing(pair.virtual), existing(pair.host), _agreed(pair)
    found: list[Action] = []
    if len(virtual["spec"].get("ephemeralContainers") or ()) > len(host["spec"].get("ephemeralContainers") or ()):
        full = surroundings.around(ctx, virtual, for_containers=True)
        containers = update.ephemeral_containers(full, virtual, host)
        if containers and collisions.problem(ctx, virtual) is None and _violation(ctx, virtual) is None:
            found.append(_patch(pair.host_key, "ephemeralcontainers", {"spec": {"ephemeralContainers": containers}}))
    if resize:
        found.append(_patch(pair.host_key, "resize", resize))
    conditions = status.host_conditions(virtual, host, agreed)
    if conditions:
        found.append(_patch(pair.host_key, "status", {"status": {"conditions": conditions}}))
    return tuple(found)


def _patch(host_key: HostKey, subresource: str, body: Obj) -> Action:
    return Action(
        side=SideName.HOST,
        resource=PODS,
        namespace=host_key.namespace,
        name=host_key.name,
        subresource=subresource,
        body=body,
        method="PATCH",
    )


def _agreed(pair: Pair) -> Obj | None:
    """The virtual pod as it last agreed with the host; a spec that was never remembered counts as empty."""
    if pair.agreed is None:
        return None
    return {"spec": {}, "status": {}, **pair.agreed.virtual}
