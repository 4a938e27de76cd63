"""ConfigMaps that something in the virtual cluster uses (spec §2.1)."""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import CONFIG_MAPS, Obj
from nestling.naming import labels, names
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.syncer import fields, mapping, rules
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import SyncSpec

ROOT_CA: Final = "kube-root-ca.crt"


class _Naming(mapping.Namespaced):
    """Each namespace's ``kube-root-ca.crt`` is one and the same ConfigMap on the host (spec §1.1)."""

    def to_host(self, ctx: SyncContext, key: VirtualKey) -> HostKey:
        if key.name == ROOT_CA:
            return HostKey(ctx.tenant.namespace, names.root_ca_name(ctx.tenant))
        return super().to_host(ctx, key)


def _selected(ctx: SyncContext, config_map: Obj) -> bool:
    meta = config_map["metadata"]
    if meta["name"] == ROOT_CA:
        # the copy of one namespace stands for all; "default" cannot be deleted
        return bool(meta["namespace"] == "default")
    forced = (meta.get("annotations") or {}).get(labels.FORCE_SYNC) == "true"
    return (
        forced
        or ctx.config.sync.to_host.config_maps.all
        or bool(ctx.referrers(CONFIG_MAPS, VirtualKey(meta["namespace"], meta["name"])))
    )


SPEC: Final = SyncSpec(
    name="configmaps",
    virtual=CONFIG_MAPS,
    host=CONFIG_MAPS,
    naming=_Naming(),
    enabled=lambda config: config.sync.to_host.config_maps.enabled,
    selected=_selected,
    fields=(*fields.whoever_changed("data", "binaryData"), *fields.virtual_wins("immutable")),
    excluded_labels=frozenset({labels.OWNER}),
    extra_labels=lambda _ctx, obj: labels.release_owner(obj["metadata"].get("labels")),
    has_status=False,
    host_rules=(rules.PolicyRule(api_groups=("",), resources=("configmaps",), verbs=rules.FULL),),
)
