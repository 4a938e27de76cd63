"""Services: the host is asked for the virtual addresses, the virtual Service gets whatever the host allocates (spec
§2.3, design decision 2).

A Service has one address, or one of each family; a headless one has families only. As an API server adds an address to
a Service that prefers two where it can, the policy on the host is that of as many as the virtual Service has.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from nestling.kube import cluster_ips
from nestling.kube.resource import SERVICES, Obj
from nestling.naming import selectors
from nestling.syncer import fields, mapping, rules, verbs
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import Delete, Pair, Replace, Scope, SyncSpec, Wanted, Warn
from nestling.syncer.verbs import existing

#: Where a Service is reached, of which families. An API server gives all of it, and takes a part of it.
_ADDRESSES: Final = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
_HEADLESS: Final = "None"
#: Of a load balancer with local traffic: given once, and never changed by an API server afterwards.
_CHECK_PORT: Final = "healthCheckNodePort"
_ONE_ONLY: Final = "the host gives Services addresses of {} only: this Service is SingleStack now"


def _selected(_ctx: SyncContext, service: Obj) -> bool:
    meta = service["metadata"]
    return (meta["namespace"], meta["name"]) != mapping.KUBERNETES


def _translate(ctx: SyncContext, service: Obj) -> Obj:
    body = fields.body(service)
    spec = body["spec"]
    _ask_for_addresses(spec, spec)
    if spec.get("selector"):
        spec["selector"] = selectors.service_selector(spec["selector"], service["metadata"]["namespace"], ctx.tenant)
    return body


def _fallback(service: Obj) -> Obj | None:
    """The host has given this address or port to somebody else: let it choose. The address of one that exists stays.

    Should it be the families that it does not have, a Service that only prefers two does with what there is.
    """
    weaker = fields.clone(service)
    spec = weaker["spec"]
    if spec.get("clusterIP") != _HEADLESS:
        spec.pop("clusterIP", None)
        spec.pop("clusterIPs", None)
    spec.pop(_CHECK_PORT, None)
    for port in spec.get("ports") or ():
        port.pop("nodePort", None)
    if weaker == service and spec.get("ipFamilyPolicy") == cluster_ips.PREFER_DUAL_STACK:
        spec.pop("ipFamilies", None)
    return weaker if weaker != service else None


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
    if "ExternalName" in (virtual["spec"].get("type"), host["spec"].get("type")):
        if not host["spec"].get("clusterIP"):
            _ask_for_addresses(wanted.host["spec"], virtual["spec"])
        return wanted
    if _is_of_another_kind(virtual["spec"], host["spec"]):
        return Wanted(delete_host=Delete())
    warnings: tuple[Warn, ...] = ()
    if _has_no_second(virtual["spec"], host["spec"]):
        wanted.virtual["spec"] |= cluster_ips.first_only(wanted.virtual["spec"])
        warnings = (Warn(message=_ONE_ONLY.format(host["spec"]["ipFamilies"][0])),)
    is_reached_alike = cluster_ips.begin_alike(
        cluster_ips.addresses(virtual["spec"]), cluster_ips.addresses(host["spec"])
    )
    if is_reached_alike and not _is_checked_elsewhere(virtual, host):
        _ask_for_addresses(wanted.host["spec"], wanted.virtual["spec"])
        return dataclasses.replace(wanted, warnings=warnings)
    if host["spec"].get(_CHECK_PORT):
        wanted.virtual["spec"][_CHECK_PORT] = host["spec"][_CHECK_PORT]
    new = _with_addresses(wanted.virtual, wanted.host)
    replace = Replace(new, rehearsal=_rehearsal(new, virtual), otherwise=Delete())
    return Wanted(replace_virtual=replace, warnings=warnings)


def _ask_for_addresses(host_spec: Obj, virtual_spec: Obj) -> None:
    """Those of the virtual Service, and as many: an API server that can would give another one to who prefers two."""
    has_none = virtual_spec.get("type") == "ExternalName"
    for field in _ADDRESSES:
        if has_none:
            host_spec.pop(field, None)
        elif virtual_spec.get(field):
            host_spec[field] = virtual_spec[field]
    if len(cluster_ips.families(virtual_spec)) == 1 and not has_none:
        host_spec["ipFamilyPolicy"] = cluster_ips.SINGLE_STACK


def _is_of_another_kind(ours: Obj, theirs: Obj) -> bool:
    """Was one made headless, or headless with another first family? No API server changes that.

    The host Service belongs to an earlier virtual one of that name then, and a headless one has no address to keep.
    """
    is_headless = ours.get("clusterIP") == _HEADLESS
    if is_headless != (theirs.get("clusterIP") == _HEADLESS):
        return True
    return is_headless and not cluster_ips.begin_alike(cluster_ips.families(ours)[:1], cluster_ips.families(theirs)[:1])


def _has_no_second(ours: Obj, theirs: Obj) -> bool:
    """Was the host asked for two families, and gave one? It has no more."""
    asked = theirs.get("ipFamilyPolicy") == cluster_ips.PREFER_DUAL_STACK and len(cluster_ips.families(theirs)) == 1
    return asked and len(cluster_ips.families(ours)) > 1


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


def _with_addresses(virtual: Obj, host: Obj) -> Obj:
    """A ClusterIP cannot be changed: the virtual Service is recreated with those that the host gave.

    Not with more than it had before. The same holds for the health check port.
    """
    meta, spec = virtual["metadata"], fields.clone(virtual["spec"])
    kept = {
        key: meta[key]
        for key in ("name", "namespace", "labels", "annotations", "ownerReferences", "finalizers")
        if key in meta
    }
    count = len(cluster_ips.addresses(spec))
    given = {
        "clusterIPs": cluster_ips.addresses(host["spec"])[:count],
        "ipFamilies": cluster_ips.families(host["spec"])[:count],
    }
    ports = host["spec"].get("ports") or []
    return {"metadata": kept, "spec": {**spec, **given, "clusterIP": given["clusterIPs"][0], "ports": ports}}


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
