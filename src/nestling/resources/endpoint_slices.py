"""EndpointSlices that tenants write themselves, for Services without selector (spec §2.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nestling.kube import cache
from nestling.kube.resource import ENDPOINT_SLICES, SERVICES, Obj
from nestling.naming import names
from nestling.naming.tenant import VirtualKey
from nestling.syncer import fields, mapping, rules
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import Scope, SideName, SyncSpec, Watch

_SERVICE: Final = "kubernetes.io/service-name"
_MANAGED_BY: Final = "endpointslice.kubernetes.io/managed-by"
#: Slices that a controller of either cluster makes from Endpoints or pods; the host has its own of both.
_CONTROLLERS: Final = frozenset({"endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"})


def _service_key(entry_labels: dict[str, str] | None, namespace: str) -> VirtualKey | None:
    name = (entry_labels or {}).get(_SERVICE)
    return VirtualKey(namespace, name) if name else None


def _selected(ctx: SyncContext, endpoint_slice: Obj) -> bool:
    meta = endpoint_slice["metadata"]
    key = _service_key(meta.get("labels"), meta["namespace"])
    if key is None or key == mapping.KUBERNETES or (meta.get("labels") or {}).get(_MANAGED_BY) in _CONTROLLERS:
        return False
    service = ctx.virtual.get(SERVICES, key)
    return service is not None and not service["spec"].get("selector") and mapping.has_own_host_service(ctx, key)


def _translate(ctx: SyncContext, endpoint_slice: Obj) -> Obj:
    body = fields.body(endpoint_slice)
    for endpoint in body.get("endpoints") or ():
        target = endpoint.pop("targetRef", None)
        if target and (reference := names.pod_reference(target, ctx.tenant)):
            endpoint["targetRef"] = reference
    return body


def _labels(ctx: SyncContext, endpoint_slice: Obj) -> dict[str, str]:
    meta = endpoint_slice["metadata"]
    key = _service_key(meta.get("labels"), meta["namespace"])
    return {_SERVICE: names.host_name(key, ctx.tenant).name} if key else {}


def _of_service(ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    return _slices(ctx, VirtualKey(*change.key))


def _of_host_service(ctx: SyncContext, change: cache.Change) -> Iterable[VirtualKey]:
    for key in mapping.of_new_host_service(ctx, change):
        yield from _slices(ctx, key)


def _slices(ctx: SyncContext, service: VirtualKey) -> Iterable[VirtualKey]:
    store = ctx.virtual.stores[ENDPOINT_SLICES]
    for key in list(store.keys()):
        meta = store.meta(key)
        if meta is not None and _service_key(meta.labels, key[0]) == service:
            yield VirtualKey(*key)


SPEC: Final = SyncSpec(
    name="endpointslices",
    virtual=ENDPOINT_SLICES,
    host=ENDPOINT_SLICES,
    naming=mapping.Namespaced(special={mapping.KUBERNETES: lambda tenant: tenant.name}),
    enabled=lambda config: config.sync.to_host.endpoint_slices.enabled,
    selected=_selected,
    translate=_translate,
    fields=fields.virtual_wins("endpoints", "ports"),
    excluded_labels=frozenset({_SERVICE}),
    extra_labels=_labels,
    excluded_annotations=frozenset({"endpoints.kubernetes.io/last-change-trigger-time"}),
    watches=(
        Watch(side=SideName.VIRTUAL, resource=SERVICES, keys=_of_service),
        Watch(side=SideName.HOST, resource=SERVICES, keys=_of_host_service, scope=Scope.NAMESPACE),
    ),
    mirror_host_deletion=False,
    has_status=False,
    host_rules=(rules.PolicyRule(api_groups=("discovery.k8s.io",), resources=("endpointslices",), verbs=rules.FULL),),
)
