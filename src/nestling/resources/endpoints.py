"""Endpoints of virtual Services without selector.

For the others the host makes its own from the synced pods (spec §2.3).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nestling.kube import cache
from nestling.kube.resource import ENDPOINTS, SERVICES, Obj
from nestling.naming import names, ownership
from nestling.naming.tenant import VirtualKey
from nestling.syncer import fields, mapping, rules
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import Scope, SideName, SyncSpec, Watch


class _Naming(mapping.Namespaced):
    """Endpoints that the host's own controller left behind when the selector disappeared are taken over (spec §2.3)."""

    def claims(self, ctx: SyncContext, host: Obj, key: VirtualKey) -> bool:
        if super().claims(ctx, host, key):
            return True
        if ownership.virtual_key(host["metadata"]) is not None or not _without_selector(ctx, key):
            return False
        service = ctx.host.meta(SERVICES, self.to_host(ctx, key))
        return service is not None and ownership.claims(service, key, ctx.tenant)


def _selected(ctx: SyncContext, endpoints: Obj) -> bool:
    key = VirtualKey(endpoints["metadata"]["namespace"], endpoints["metadata"]["name"])
    return _without_selector(ctx, key) and mapping.has_own_host_service(ctx, key)


def _without_selector(ctx: SyncContext, key: VirtualKey) -> bool:
    service = ctx.virtual.get(SERVICES, key)
    return service is not None and key != mapping.KUBERNETES and not service["spec"].get("selector")


def _translate(ctx: SyncContext, endpoints: Obj) -> Obj:
    body = fields.body(endpoints)
    for subset in body.get("subsets") or ():
        for address in (*(subset.get("addresses") or ()), *(subset.get("notReadyAddresses") or ())):
            target = address.pop("targetRef", None)
            if target and (reference := names.pod_reference(target, ctx.tenant)):
                address["targetRef"] = reference
    return body


def _of_service(_ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    return (VirtualKey(*change.key),)


SPEC: Final = SyncSpec(
    name="endpoints",
    virtual=ENDPOINTS,
    host=ENDPOINTS,
    naming=_Naming(special={mapping.KUBERNETES: lambda tenant: tenant.name}),
    enabled=lambda config: config.sync.to_host.endpoints.enabled,
    selected=_selected,
    translate=_translate,
    fields=fields.virtual_wins("subsets"),
    excluded_annotations=frozenset(
        {"control-plane.alpha.kubernetes.io/leader", "endpoints.kubernetes.io/last-change-trigger-time"}
    ),
    watches=(
        Watch(side=SideName.VIRTUAL, resource=SERVICES, keys=_of_service),
        Watch(side=SideName.HOST, resource=SERVICES, keys=mapping.of_new_host_service, scope=Scope.NAMESPACE),
    ),
    mirror_host_deletion=False,
    has_status=False,
    host_rules=(rules.PolicyRule(api_groups=("",), resources=("endpoints",), verbs=rules.FULL),),
)
