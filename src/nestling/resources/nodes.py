"""Fake nodes: one for each host node that runs a pod of the tenant, with a host Service as its address (spec §2.4).

The node's InternalIP is the ClusterIP of that Service, which leads to the kubelet façade of the control plane. The
tenant learns a name and nothing else of the host's nodes.
"""

from __future__ import annotations

import datetime
import hashlib
import uuid
from collections.abc import Iterable
from typing import Final

from nestling.kube import cache
from nestling.kube.resource import NODES, PODS, SERVICES, Obj
from nestling.naming import labels, names, ownership
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.syncer import fields, rules
from nestling.syncer.context import KUBELET_PORT, SyncContext
from nestling.syncer.spec import NOTHING, Delete, Pair, Scope, SideName, SyncSpec, Waiting, Wanted, Watch
from nestling.syncer.verbs import existing

#: The type of the address by which the virtual API server reaches the façade, which runs beside it. It takes this type
#: first (``--kubelet-preferred-address-types``), others take it last: no policy of the network takes ``exec`` away.
_FOR_API_SERVER: Final = "ExternalDNS"
_CAPACITY: Final = {"cpu": "16", "memory": "32Gi", "ephemeral-storage": "100Gi", "pods": "110"}
_CONDITIONS: Final = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)
#: Index of host pods by node; pods of DaemonSets do not count.
BY_NODE: Final = "node"


class _Naming:
    """Node ``n1`` belongs to host Service ``NAME-node-n1``."""

    def to_host(self, ctx: SyncContext, key: VirtualKey) -> HostKey:
        return HostKey(ctx.tenant.namespace, names.node_service_name(key.name, ctx.tenant))

    def to_virtual(self, ctx: SyncContext, host: cache.Entry) -> VirtualKey | None:
        marks = host.meta.labels or {}
        if marks.get(labels.BELONGS_TO) != ctx.tenant.name or labels.NODE not in marks:
            return None
        return VirtualKey("", marks[labels.NODE])

    def claims(self, ctx: SyncContext, host: Obj, key: VirtualKey) -> bool:
        marks = host["metadata"].get("labels") or {}
        return bool(marks.get(labels.BELONGS_TO) == ctx.tenant.name and marks.get(labels.NODE) == key.name)


def _needed(ctx: SyncContext, node: str) -> bool:
    return bool(ctx.host.stores[PODS].by_index(BY_NODE, node))


def service(ctx: SyncContext, key: VirtualKey, host_key: HostKey) -> Obj:
    """The host Service that gives a node its address. It selects the pods that Service NAME selects."""
    front = ctx.host.get(SERVICES, HostKey(ctx.tenant.namespace, ctx.tenant.name))
    if front is None or not front["spec"].get("clusterIP"):
        raise Waiting(f"Service {ctx.tenant.name} has no ClusterIP yet")
    selector = front["spec"].get("selector")
    return {
        "metadata": {
            "name": host_key.name,
            "namespace": host_key.namespace,
            "labels": {labels.BELONGS_TO: ctx.tenant.name, labels.NODE: key.name},
            "ownerReferences": ownership.owner_references(front["metadata"]["uid"], ctx.tenant, controller=False),
        },
        "spec": {
            "ports": [
                {"name": "kubelet", "port": KUBELET_PORT, "targetPort": ctx.kubelet_port, "protocol": "TCP"},
            ],
            **({"selector": selector} if selector else {}),
        },
    }


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
        "addresses": addresses(ctx, name, address),
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


def addresses(ctx: SyncContext, name: str, address: str) -> list[dict[str, str]]:
    """Hostname and InternalIP for those who ask a node for metrics, as far as the configuration wants them
    (networking.advanced.proxyKubelets), and the way of the API server.
    """
    proxy = ctx.config.networking.advanced.proxy_kubelets
    by_name = [{"type": "Hostname", "address": names.node_hostname(name)}] if proxy.by_hostname else []
    by_ip = [{"type": "InternalIP", "address": address}] if proxy.by_ip and address else []
    return [*by_name, *by_ip, {"type": _FOR_API_SERVER, "address": ctx.kubelet_address}]


def _identity(what: str, ctx: SyncContext, name: str) -> str:
    """Stable over restarts and different for each node and virtual cluster."""
    digest = hashlib.sha256(f"{what}/{ctx.tenant.namespace}/{ctx.tenant.name}/{name}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16]))


async def _absent(ctx: SyncContext, pair: Pair) -> Wanted:
    return (
        Wanted(host=service(ctx, pair.key, pair.host_key), requeue_after=0.0)
        if _needed(ctx, pair.key.name)
        else NOTHING
    )


async def _to_host(ctx: SyncContext, pair: Pair) -> Wanted:
    """A node without Service: give it one, or remove the node when nothing runs on it any more."""
    if not _fake(existing(pair.virtual)):
        return NOTHING
    return await _absent(ctx, pair) if _needed(ctx, pair.key.name) else Wanted(delete_virtual=Delete())


async def _to_virtual(ctx: SyncContext, pair: Pair) -> Wanted:
    if not _needed(ctx, pair.key.name):
        return Wanted(delete_host=Delete())
    return Wanted(virtual=node(ctx, pair.key.name, existing(pair.host)["spec"].get("clusterIP", "")))


async def _sync(ctx: SyncContext, pair: Pair) -> Wanted:
    virtual, host = existing(pair.virtual), existing(pair.host)
    if not _fake(virtual):
        return NOTHING
    if not _needed(ctx, pair.key.name):
        return Wanted(delete_virtual=Delete(), delete_host=Delete())
    wanted = fields.clone(virtual)
    # a tenant may not turn a fake node into one that leads elsewhere: addresses and ports are ours
    wanted["status"]["addresses"] = addresses(ctx, pair.key.name, host["spec"].get("clusterIP", ""))
    wanted["status"]["daemonEndpoints"] = {"kubeletEndpoint": {"Port": ctx.kubelet_port}}
    wanted["spec"].pop("taints", None)
    return Wanted(virtual=wanted)


def _fake(virtual: Obj) -> bool:
    return (virtual["metadata"].get("labels") or {}).get(labels.FAKE_NODE) == "true"


def _of_host_pod(_ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    before, after = (entry.obj["spec"].get("nodeName") if entry else None for entry in (change.old, change.new))
    gone = change.new is None
    return {VirtualKey("", name) for name in (before, after) if name and (gone or before != after)}


SPEC: Final = SyncSpec(
    name="nodes",
    virtual=NODES,
    host=SERVICES,
    naming=_Naming(),
    enabled=lambda config: not config.sync.from_host.nodes.enabled,
    host_scope=Scope.NAMESPACE,
    watches=(Watch(side=SideName.HOST, resource=PODS, keys=_of_host_pod),),
    to_host=_to_host,
    sync=_sync,
    to_virtual=_to_virtual,
    absent=_absent,
    mirror_host_deletion=False,
    replace_on_uid_mismatch=False,
    host_rules=(rules.PolicyRule(api_groups=("",), resources=("services",), verbs=rules.FULL),),
)
