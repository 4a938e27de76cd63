"""NetworkPolicies: enforced by the host's network plugin (spec §2.7).

A policy is translated so that it can only speak of this tenant's pods; where it opens a way for all peers, the
host's own policies still decide, because policies add up.
"""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import NETWORK_POLICIES, Obj
from nestling.naming import selectors
from nestling.syncer import fields, mapping, rules
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import SyncSpec

#: The lists of rules, each with where its peers are.
_PEERS: Final = (("ingress", "from"), ("egress", "to"))


def _translate(ctx: SyncContext, policy: Obj) -> Obj:
    body, namespace = fields.body(policy), policy["metadata"]["namespace"]
    spec: Obj = body["spec"]
    spec["podSelector"] = selectors.pod_selector(spec.get("podSelector") or {}, namespace, ctx.tenant)
    for direction, peers in _PEERS:
        for rule in spec.get(direction) or ():
            if rule.get(peers):
                rule[peers] = [selectors.network_policy_peer(peer, namespace, ctx.tenant) for peer in rule[peers]]
    return body


SPEC: Final = SyncSpec(
    name="networkpolicies",
    virtual=NETWORK_POLICIES,
    host=NETWORK_POLICIES,
    naming=mapping.Namespaced(),
    enabled=lambda config: config.sync.to_host.network_policies.enabled,
    translate=_translate,
    fields=fields.virtual_wins("spec"),
    has_status=False,
    host_rules=(rules.PolicyRule(api_groups=("networking.k8s.io",), resources=("networkpolicies",), verbs=rules.FULL),),
)
