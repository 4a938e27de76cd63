"""Secrets that something in the virtual cluster uses (spec §2.1)."""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import SECRETS, Obj
from nestling.naming import labels
from nestling.naming.tenant import VirtualKey
from nestling.syncer import fields, mapping, rules
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import SyncSpec

_TOKEN_TYPE: Final = "kubernetes.io/service-account-token"  # noqa: S105 - a type, not a secret


def _selected(ctx: SyncContext, secret: Obj) -> bool:
    meta = secret["metadata"]
    forced = (meta.get("annotations") or {}).get(labels.FORCE_SYNC) == "true"
    return (
        forced
        or ctx.config.sync.to_host.secrets.all
        or bool(ctx.referrers(SECRETS, VirtualKey(meta["namespace"], meta["name"])))
    )


def _translate(_ctx: SyncContext, secret: Obj) -> Obj:
    """The host's token controller would delete a token Secret whose service account it does not know."""
    body = fields.body(secret)
    if body.get("type") == _TOKEN_TYPE:
        body["type"] = "Opaque"
    return body


SPEC: Final = SyncSpec(
    name="secrets",
    virtual=SECRETS,
    host=SECRETS,
    naming=mapping.Namespaced(),
    enabled=lambda config: config.sync.to_host.secrets.enabled,
    selected=_selected,
    translate=_translate,
    fields=(*fields.whoever_changed("data"), *fields.virtual_wins("immutable")),
    excluded_annotations=frozenset({"kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"}),
    excluded_labels=frozenset({labels.OWNER}),
    extra_labels=lambda _ctx, obj: labels.release_owner(obj["metadata"].get("labels")),
    has_status=False,
    host_rules=(rules.PolicyRule(api_groups=("",), resources=("secrets",), verbs=rules.FULL),),
)
