"""Services: the host gets the virtual ClusterIP, the virtual Service whatever the host allocates (spec §2.3, design
decision 2).
"""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import SERVICES, Obj
from nestling.naming import selectors
from nestling.syncer import fields, mapping, rules, verbs
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import Delete, Pair, Replace, Scope, SyncSpec, Wanted
from nestling.syncer.verbs import existing

#: Allocated by each API server for itself.
_ALLOCATED: Final = ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
#: Of a load balancer with local traffic: given once, and never changed by an API server afterwards.
_CHECK_PORT: Final = "healthCheckNodePort"


def _selected(_ctx: SyncContext, service: Obj) -> bool:
    meta = service["metadata"]
    return (meta["namespace"], meta["name"]) != mapping.KUBERNETES


def _translate(ctx: SyncContext, service: Obj) -> Obj:
    body = fields.body(service)
    spec = body["spec"]
    for field in _ALLOCATED:
        spec.pop(field, None)
    if spec.get("selector"):
        spec["selector"] = selectors.service_selector(spec["selector"], service["metadata"]["namespace"], ctx.tenant)
    return body


def _fallback(service: Obj) -> Obj | None:
    """The host has given this IP or port to somebody else: let it choose. The IP of one that exists stays."""
    spec = service["spec"]
    has_port = spec.get(_CHECK_PORT) or any(port.get("nodePort") for port in spec.get("ports") or ())
    if spec.get("clusterIP") in (None, "None") and not has_port:
        return None
    second = fields.clone(service)
    if spec.get("clusterIP") != "None" and "uid" not in service["metadata"]:
        second["spec"].pop("clusterIP", None)
    second["spec"].pop(_CHECK_PORT, None)
    for port in second["spec"].get("ports") or ():
        port.pop("nodePort", None)
    return second


async def _sync(ctx: SyncContext, pair: Pair) -> Wanted:
    virtual, host = existing(pair.virtual), existing(pair.host)
    wanted = verbs.sync(ctx, SPEC, pair)
    if wanted.virtual is not None and wanted.virtual["spec"].get("type") != "LoadBalancer":
        # the API server takes addresses of load balancers only; the host's go a moment later
        (wanted.virtual.get("status") or {}).get("loadBalancer", {}).pop("ingress", None)
    if wanted.host is None or wanted.virtual is None or virtual["metadata"].get("deletionTimestamp"):
        return wanted
    if pair.agreed is None:
        _keep_node_ports(wanted.host, host)
        _keep_node_ports(wanted.virtual, host)
    ours, theirs = virtual["spec"].get("clusterIP"), host["spec"].get("clusterIP")
    if "ExternalName" in (virtual["spec"].get("type"), host["spec"].get("type")):
        if ours and not theirs:
            wanted.host["spec"]["clusterIP"] = ours
        return wanted
    if ours == theirs and not _is_checked_elsewhere(virtual, host):
        return wanted
    if host["spec"].get(_CHECK_PORT):
        wanted.virtual["spec"][_CHECK_PORT] = host["spec"][_CHECK_PORT]
    new = _with_address(wanted.virtual, wanted.host, str(theirs))
    return Wanted(replace_virtual=Replace(new, rehearsal=_rehearsal(new, virtual), otherwise=Delete()))


def _is_checked_elsewhere(virtual: Obj, host: Obj) -> bool:
    """Has the host another health check port? It is as fixed as the address."""
    ours, theirs = virtual["spec"].get(_CHECK_PORT), host["spec"].get(_CHECK_PORT)
    return bool(ours and theirs and ours != theirs)


def _keep_node_ports(wanted: Obj, host: Obj) -> None:
    """Without memory of an agreement, a node port that the host has allocated stays.

    It may be there because the virtual one was taken on the host: asking for that one again would fail for ever.
    """
    held = {_identity(port): port["nodePort"] for port in host["spec"].get("ports") or () if port.get("nodePort")}
    for port in wanted["spec"].get("ports") or ():
        if port.get("nodePort") and _identity(port) in held:
            port["nodePort"] = held[_identity(port)]


def _identity(port: Obj) -> tuple[str, str, int]:
    return port.get("name", ""), port.get("protocol", "TCP"), port["port"]


def _with_address(virtual: Obj, host: Obj, cluster_ip: str) -> Obj:
    """A ClusterIP cannot be changed: the virtual Service is recreated with the one that the host gave.

    The same holds for the health check port.
    """
    meta = virtual["metadata"]
    kept = {
        key: meta[key]
        for key in ("name", "namespace", "labels", "annotations", "ownerReferences", "finalizers")
        if key in meta
    }
    spec = {key: value for key, value in virtual["spec"].items() if key not in _ALLOCATED}
    ports = host["spec"].get("ports") or []
    return {"metadata": kept, "spec": {**spec, "clusterIP": cluster_ip, "ports": ports}}


def _rehearsal(new: Obj, old: Obj) -> Obj:
    """The new Service without the node ports that the old one holds, as these become free."""
    held = {old["spec"].get(_CHECK_PORT), *(port.get("nodePort") for port in old["spec"].get("ports") or ())}
    tried = fields.clone(new)
    if tried["spec"].get(_CHECK_PORT) in held:
        tried["spec"].pop(_CHECK_PORT, None)
    for port in tried["spec"]["ports"]:
        if port.get("nodePort") in held:
            port.pop("nodePort", None)
    return tried


SPEC: Final = SyncSpec(
    name="services",
    virtual=SERVICES,
    host=SERVICES,
    naming=mapping.Namespaced(special={mapping.KUBERNETES: lambda tenant: tenant.name}),
    enabled=lambda config: config.sync.to_host.services.enabled,
    host_scope=Scope.NAMESPACE,
    selected=_selected,
    translate=_translate,
    fallback=_fallback,
    fields=(
        *fields.virtual_wins("spec.selector", "spec.internalTrafficPolicy"),
        *fields.whoever_changed(
            "spec.type",
            "spec.externalIPs",
            "spec.externalName",
            "spec.loadBalancerIP",
            "spec.ports",
            "spec.publishNotReadyAddresses",
            "spec.externalTrafficPolicy",
            "spec.sessionAffinity",
            "spec.sessionAffinityConfig",
            "spec.loadBalancerSourceRanges",
            "spec.healthCheckNodePort",
        ),
        *fields.host_wins("status"),
    ),
    excluded_annotations=frozenset({"field.cattle.io/publicEndpoints"}),
    sync=_sync,
    replace_on_uid_mismatch=False,
    host_rules=(rules.PolicyRule(api_groups=("",), resources=("services",), verbs=rules.FULL),),
)
