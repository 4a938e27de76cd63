"""Ingresses: served by an ingress controller of the host (spec §2.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from nestling.kube.resource import INGRESS_CLASSES, INGRESSES, SECRETS, Obj
from nestling.naming import names
from nestling.naming.tenant import Tenant, VirtualKey
from nestling.syncer import fields, mapping, mirror, rules
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import Reference, SyncSpec

#: Annotations whose value is a Secret: ``name``, or ``namespace/name``.
_SECRETS: Final = frozenset(
    f"nginx.ingress.kubernetes.io/{name}" for name in ("auth-secret", "auth-tls-secret", "proxy-ssl-secret")
)
#: Annotations whose key ends in the name of a Service.
_SERVICES: Final = ("alb.ingress.kubernetes.io/actions.", "alb.ingress.kubernetes.io/conditions.")
#: How the class was named before there was a field for it.
_CLASS: Final = "kubernetes.io/ingress.class"


class _Translated:
    """The annotations that name other objects."""

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and (key in _SECRETS or key.startswith(_SERVICES))


def _translate(ctx: SyncContext, ingress: Obj) -> Obj:
    body, namespace = fields.body(ingress), ingress["metadata"]["namespace"]
    spec: Obj = body.get("spec") or {}
    for backend in _backends(spec):
        for what in (backend.get("service"), backend.get("resource")):
            if what:
                what["name"] = names.host_name(VirtualKey(namespace, what["name"]), ctx.tenant).name
    for tls in spec.get("tls") or ():
        if tls.get("secretName"):
            tls["secretName"] = names.host_name(VirtualKey(namespace, tls["secretName"]), ctx.tenant).name
    return body


def _backends(spec: Obj) -> Iterator[Obj]:
    if spec.get("defaultBackend"):
        yield spec["defaultBackend"]
    for rule in spec.get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            yield path["backend"]


def _references(ingress: Obj) -> Iterable[Reference]:
    """Secrets with certificates and passwords become used by it."""
    meta = ingress["metadata"]
    for tls in (ingress.get("spec") or {}).get("tls") or ():
        if tls.get("secretName"):
            yield Reference(SECRETS, VirtualKey(meta["namespace"], tls["secretName"]))
    for key, value in (meta.get("annotations") or {}).items():
        secret = _named(value, meta["namespace"]) if key in _SECRETS else None
        if secret is not None:
            yield Reference(SECRETS, secret)


def _annotations(ctx: SyncContext, ingress: Obj) -> dict[str, str]:
    meta = ingress["metadata"]
    found: dict[str, str] = {}
    for key, value in (meta.get("annotations") or {}).items():
        secret = _named(value, meta["namespace"]) if key in _SECRETS else None
        if secret is not None:
            host = names.host_name(secret, ctx.tenant)
            found[key] = f"{host.namespace}/{host.name}" if "/" in value else host.name
        elif key.startswith(_SERVICES):
            found[_service_key(key, meta["namespace"], ctx.tenant)] = _groups(value, meta["namespace"], ctx.tenant)
    return found


def _named(value: str, namespace: str) -> VirtualKey | None:
    """The Secret of ``name`` or ``namespace/name``; None for anything else, which names none."""
    *where, name = value.split("/")
    parts = (*where, name) if where else (namespace, name)
    return VirtualKey(*parts) if len(parts) == 2 and all(parts) else None


def _service_key(key: str, namespace: str, tenant: Tenant) -> str:
    prefix, _, service = key.rpartition(".")
    if f"x-{namespace}-x" in service:
        return key
    return f"{prefix}.{names.host_name(VirtualKey(namespace, service), tenant).name}"


def _groups(value: str, namespace: str, tenant: Tenant) -> str:
    """An action in JSON with the Services of its target groups in host terms; anything else as it is."""
    try:
        action: Any = msgspec.json.decode(value)
        groups = action["forwardConfig"]["targetGroups"]
        for group in groups:
            if group.get("serviceName"):
                group["serviceName"] = names.host_name(VirtualKey(namespace, group["serviceName"]), tenant).name
    except (msgspec.DecodeError, LookupError, TypeError, AttributeError):
        return value
    return msgspec.json.encode(action).decode()


def _refusal(ctx: SyncContext, ingress: Obj) -> str | None:
    annotations: Obj = ingress["metadata"].get("annotations") or {}
    name = (ingress.get("spec") or {}).get("ingressClassName") or annotations.get(_CLASS)
    return mirror.refusal(ctx, INGRESS_CLASSES, ctx.config.sync.from_host.ingress_classes.selector, name)


SPEC: Final = SyncSpec(
    name="ingresses",
    virtual=INGRESSES,
    host=INGRESSES,
    naming=mapping.Namespaced(),
    enabled=lambda config: config.sync.to_host.ingresses.enabled,
    translate=_translate,
    refusal=_refusal,
    references=_references,
    fields=(
        *fields.virtual_wins("spec.defaultBackend", "spec.rules", "spec.tls"),
        *fields.whoever_changed("spec.ingressClassName"),
        *fields.host_wins("status"),
    ),
    translated_annotations=_Translated(),
    extra_annotations=_annotations,
    host_rules=(rules.PolicyRule(api_groups=("networking.k8s.io",), resources=("ingresses",), verbs=rules.FULL),),
)
