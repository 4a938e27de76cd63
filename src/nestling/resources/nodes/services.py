"""The host Service of a virtual node: its address, which leads to the kubelet façade (spec §2.4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nestling.kube import cache
from nestling.kube.resource import PODS, SERVICES, Obj
from nestling.naming import labels, names, ownership
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.syncer import rules
from nestling.syncer.context import KUBELET_PORT, SyncContext
from nestling.syncer.spec import Waiting

#: The type of the address by which the virtual API server reaches the façade, which runs beside it. It takes this type
#: first (``--kubelet-preferred-address-types``), others take it last: no policy of the network takes ``exec`` away.
FOR_API_SERVER: Final = "ExternalDNS"
#: Index of host pods by node; pods of DaemonSets do not count.
BY_NODE: Final = "node"
RULES: Final = (rules.PolicyRule(api_groups=("",), resources=("services",), verbs=rules.FULL),)


class Naming:
    """Node ``n1`` belongs to host Service ``NAME-node-n1``."""

    def to_host(self, ctx: SyncContext, key: VirtualKey) -> HostKey:
        """The name; two nodes may share one, see ``claims``."""
        return HostKey(ctx.tenant.namespace, names.node_service_name(key.name, ctx.tenant))

    def to_virtual(self, ctx: SyncContext, host: cache.Entry) -> VirtualKey | None:
        """The node that the label names."""
        marks = host.meta.labels or {}
        if marks.get(labels.BELONGS_TO) != ctx.tenant.name or labels.NODE not in marks:
            return None
        return VirtualKey("", marks[labels.NODE])

    def claims(self, ctx: SyncContext, host: Obj, key: VirtualKey) -> bool:
        """By the label."""
        marks = host["metadata"].get("labels") or {}
        return bool(marks.get(labels.BELONGS_TO) == ctx.tenant.name and marks.get(labels.NODE) == key.name)


def runs_pods(ctx: SyncContext, node: str) -> bool:
    """Does a pod of the tenant run there? One of a DaemonSet does not count."""
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


def addresses(ctx: SyncContext, name: str, address: str) -> list[dict[str, str]]:
    """Hostname and InternalIP for those who ask a node for metrics, as far as the configuration wants them
    (networking.advanced.proxyKubelets), and the way of the API server.
    """
    proxy = ctx.config.networking.advanced.proxy_kubelets
    by_name = [{"type": "Hostname", "address": names.node_hostname(name)}] if proxy.by_hostname else []
    by_ip = [{"type": "InternalIP", "address": address}] if proxy.by_ip and address else []
    return [*by_name, *by_ip, {"type": FOR_API_SERVER, "address": ctx.kubelet_address}]


def of_host_pod(_ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    """The nodes that a host pod has come to or gone from."""
    before, after = (entry.obj["spec"].get("nodeName") if entry else None for entry in (change.old, change.new))
    gone = change.new is None
    return {VirtualKey("", name) for name in (before, after) if name and (gone or before != after)}
