"""PodDisruptionBudgets: honoured when host nodes are drained (spec §2.1).

Each side counts its own pods, so that no status is synced.
"""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import POD_DISRUPTION_BUDGETS, Obj
from nestling.naming import selectors
from nestling.syncer import fields, mapping, rules
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import SyncSpec


def _translate(ctx: SyncContext, budget: Obj) -> Obj:
    body = fields.body(budget)
    spec: Obj = body.get("spec") or {}
    if spec.get("selector") is not None:
        spec["selector"] = selectors.pod_selector(spec["selector"], budget["metadata"]["namespace"], ctx.tenant)
    return body


SPEC: Final = SyncSpec(
    name="poddisruptionbudgets",
    virtual=POD_DISRUPTION_BUDGETS,
    host=POD_DISRUPTION_BUDGETS,
    naming=mapping.Namespaced(),
    enabled=lambda config: config.sync.to_host.pod_disruption_budgets.enabled,
    translate=_translate,
    fields=fields.virtual_wins(
        "spec.minAvailable", "spec.maxUnavailable", "spec.selector", "spec.unhealthyPodEvictionPolicy"
    ),
    host_rules=(rules.PolicyRule(api_groups=("policy",), resources=("poddisruptionbudgets",), verbs=rules.FULL),),
)
