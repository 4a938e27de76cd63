"""Fake nodes: one for each host node that runs a pod of the tenant, with a host Service as its address (spec §2.4).

The node's InternalIP is the ClusterIP of that Service, which leads to the kubelet façade of the control plane. The
tenant learns a name and nothing else of the host's nodes.
"""

from __future__ import annotations

import datetime
import hashlib
import uuid
from typing import Final

from nestling.kube.resource import NODES, PODS, SERVICES, Obj
from nestling.naming import labels, names
from nestling.resources.nodes import services
from nestling.syncer import fields
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import NOTHING, Delete, Pair, Scope, SideName, SyncSpec, Wanted, Watch
from nestling.syncer.verbs import existing

_CAPACITY: Final = {"cpu": "16", "memory": "32Gi", "ephemeral-storage": "100Gi", "pods": "110"}
_CONDITIONS: Final = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def node(ctx: SyncContext, name: str, address: str) -> Obj:
    """The fake node as it is created."""
    return {
        "metadata": {
            "name": name,
            "labels": {
                "beta.kubernetes.io/arch": "amd64",
                "beta.kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": names.safe("fake", name),
                "kubernetes.io/os": "linux",
                labels.FAKE_NODE: "true",
            },
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "false",
            },
        },
        "spec": {},
        "status": status(ctx, name, address),
    }


def status(ctx: SyncContext, name: str, address: str) -> Obj:
    """Plenty of everything and always ready: where pods run is the host scheduler's business."""
    stamp = datetime.datetime.fromtimestamp(ctx.now(), tz=datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "addresses": services.addresses(ctx, name, address),
        "allocatable": dict(_CAPACITY),
        "capacity": dict(_CAPACITY),
        "conditions": [
            {
                "type": kind,
                "status": value,
                "reason": reason,
                "message": message,
                "lastHeartbeatTime": stamp,
                "lastTransitionTime": stamp,
            }
            for kind, value, reason, message in _CONDITIONS
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": ctx.kubelet_port}},
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": _identity("boot", ctx, name),
            "containerRuntimeVersion": "docker://19.3.12",
            "kernelVersion": "4.19.76-fakelinux",
            "kubeProxyVersion": ctx.virtual.version,
            "kubeletVersion": ctx.virtual.version,
            "machineID": _identity("machine", ctx, name),
            "operatingSystem": "linux",
            "osImage": "Fake Kubernetes Image",
            "systemUUID": _identity("system", ctx, name),
        },
    }


def _identity(what: str, ctx: SyncContext, name: str) -> str:
    """Stable over restarts and different for each node and virtual cluster."""
    digest = hashlib.sha256(f"{what}/{ctx.tenant.namespace}/{ctx.tenant.name}/{name}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16]))


async def _absent(ctx: SyncContext, pair: Pair) -> Wanted:
    return (
        Wanted(host=services.service(ctx, pair.key, pair.host_key), requeue_after=0.0)
        if services.runs_pods(ctx, pair.key.name)
        else NOTHING
    )


async def _to_host(ctx: SyncContext, pair: Pair) -> Wanted:
    """A node without Service: give it one, or remove the node when nothing runs on it any more."""
    if not _is_ours(ctx, existing(pair.virtual)):
        return NOTHING
    return await _absent(ctx, pair) if services.runs_pods(ctx, pair.key.name) else Wanted(delete_virtual=Delete())


async def _to_virtual(ctx: SyncContext, pair: Pair) -> Wanted:
    if not services.runs_pods(ctx, pair.key.name):
        return Wanted(delete_host=Delete())
    return Wanted(virtual=node(ctx, pair.key.name, existing(pair.host)["spec"].get("clusterIP", "")))


async def _sync(ctx: SyncContext, pair: Pair) -> Wanted:
    virtual, host = existing(pair.virtual), existing(pair.host)
    if not _is_ours(ctx, virtual):
        return NOTHING
    if not _is_fake(virtual):
        # it was shown as it is until the configuration changed
        return Wanted(delete_virtual=Delete())
    if not services.runs_pods(ctx, pair.key.name):
        return Wanted(delete_virtual=Delete(), delete_host=Delete())
    wanted = fields.clone(virtual)
    # a tenant may not turn a fake node into one that leads elsewhere: addresses and ports are ours
    wanted["status"]["addresses"] = services.addresses(ctx, pair.key.name, host["spec"].get("clusterIP", ""))
    wanted["status"]["daemonEndpoints"] = {"kubeletEndpoint": {"Port": ctx.kubelet_port}}
    wanted["spec"].pop("taints", None)
    return Wanted(virtual=wanted)


def _is_fake(virtual: Obj) -> bool:
    return (virtual["metadata"].get("labels") or {}).get(labels.FAKE_NODE) == "true"


def _is_ours(ctx: SyncContext, virtual: Obj) -> bool:
    marker = (virtual["metadata"].get("labels") or {}).get(labels.MANAGED_BY)
    return _is_fake(virtual) or bool(marker == ctx.tenant.name)


SPEC: Final = SyncSpec(
    name="nodes",
    virtual=NODES,
    host=SERVICES,
    naming=services.Naming(),
    enabled=lambda config: not config.sync.from_host.nodes.enabled,
    host_scope=Scope.NAMESPACE,
    watches=(Watch(side=SideName.HOST, resource=PODS, keys=services.of_host_pod),),
    to_host=_to_host,
    sync=_sync,
    to_virtual=_to_virtual,
    absent=_absent,
    mirror_host_deletion=False,
    replace_on_uid_mismatch=False,
    host_rules=services.RULES,
)
