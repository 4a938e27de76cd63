"""NetworkPolicies: enforced by the host's network plugin (spec §2.7).

A policy is translated so that it can only speak of this tenant's pods; where it opens a way for all peers, the
host's own policies still decide, because policies add up. A rule that lets pods ask for names does so here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from nestling.kube import cache
from nestling.kube.resource import NAMESPACES, NETWORK_POLICIES, Obj
from nestling.naming import labels, name_server, selectors
from nestling.naming.tenant import VirtualKey
from nestling.syncer import fields, mapping, rules
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import SideName, SyncSpec, Watch

#: The lists of rules, each with where its peers are.
_PEERS: Final = (("ingress", "from"), ("egress", "to"))
_EVERYWHERE: Final = frozenset({"0.0.0.0/0", "::/0"})


def _translate(ctx: SyncContext, policy: Obj) -> Obj:
    body, namespace = fields.body(policy), policy["metadata"]["namespace"]
    spec: Obj = body["spec"]
    spec["podSelector"] = selectors.pod_selector(spec.get("podSelector") or {}, namespace, ctx.tenant)
    names = _names(ctx, spec.get("egress") or [], namespace)
    for direction, peers in _PEERS:
        for rule in spec.get(direction) or ():
            if rule.get(peers):
                rule[peers] = [selectors.network_policy_peer(peer, namespace, ctx.tenant) for peer in rule[peers]]
    if names:
        spec["egress"] = [*spec["egress"], names]
    return body


def _names(ctx: SyncContext, rules: Sequence[Obj], namespace: str) -> Obj | None:
    """The rule that lets names be asked, where a rule of the tenant lets them as it would in any other cluster.

    There a name server is ``k8s-app: kube-dns`` on port 53. Here it has another label, and a policy sees the port of
    its pods (user lesson 24). Only this tenant's own name server is opened, and nothing but its port.
    """
    protocols = {protocol for rule in rules if _reaches_names(ctx, rule, namespace) for protocol in _asking(rule)}
    if not protocols:
        return None
    ports = [{"port": name_server.PORT, "protocol": protocol} for protocol in sorted(protocols)]
    if ctx.config.control_plane.coredns.embedded:
        target = {"app": "vcluster", labels.RELEASE: ctx.tenant.name}
    else:
        target = {**name_server.LABELS, **labels.marks(name_server.NAMESPACE, ctx.tenant)}
    return {"ports": ports, "to": [{"podSelector": {"matchLabels": target}}]}


def _asking(rule: Obj) -> set[str]:
    """The protocols by which a rule lets port 53 be reached."""
    if not rule.get("ports"):
        return {"TCP", "UDP"}
    return {port.get("protocol", "TCP") for port in rule["ports"] if _covers(port)} & {"TCP", "UDP"}


def _covers(port: Obj) -> bool:
    first = port.get("port")
    if first is None:
        return True
    if isinstance(first, str):
        return first in ("dns", "dns-tcp")
    return int(first) <= name_server.SERVICE_PORT <= int(port.get("endPort") or first)


def _reaches_names(ctx: SyncContext, rule: Obj, namespace: str) -> bool:
    if not rule.get("to"):
        return bool(rule.get("ports"))  # without either, everything is reached as it is
    return any(_is_name_server(ctx, peer, namespace) for peer in rule["to"])


def _is_name_server(ctx: SyncContext, peer: Obj, namespace: str) -> bool:
    """Would this peer be the name server, were it called as in other clusters?"""
    if peer.get("ipBlock"):
        return peer["ipBlock"].get("cidr") in _EVERYWHERE
    of_namespace = peer.get("namespaceSelector")
    if of_namespace is None:
        is_there = namespace == name_server.NAMESPACE
    else:
        meta = ctx.virtual.meta(NAMESPACES, VirtualKey("", name_server.NAMESPACE))
        is_there = selectors.matches(of_namespace, (meta.labels if meta else None) or {})
    of_pods = peer.get("podSelector") or {}
    return is_there and any(selectors.matches(of_pods, one) for one in (name_server.USUAL_LABELS, name_server.LABELS))


def _of_namespace(ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    """Labels of the name server's namespace decide which rules mean it."""
    if change.key[1] != name_server.NAMESPACE:
        return ()
    policies = ctx.virtual.stores[NETWORK_POLICIES].keys()
    return [VirtualKey(*key) for key in policies]


SPEC: Final = SyncSpec(
    name="networkpolicies",
    virtual=NETWORK_POLICIES,
    host=NETWORK_POLICIES,
    naming=mapping.Namespaced(),
    enabled=lambda config: config.sync.to_host.network_policies.enabled,
    translate=_translate,
    fields=fields.virtual_wins("spec"),
    watches=(Watch(side=SideName.VIRTUAL, resource=NAMESPACES, keys=_of_namespace),),
    has_status=False,
    host_rules=(rules.PolicyRule(api_groups=("networking.k8s.io",), resources=("networkpolicies",), verbs=rules.FULL),),
)
