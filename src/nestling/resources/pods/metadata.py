"""Metadata of host pods: what every synced object carries, and over it what only pods carry (spec §1.2).

The overlay comes last, so that nothing that a tenant or an old version wrote into these keys remains.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from nestling.kube.resource import PODS, Obj
from nestling.naming import annotations as common_annotations
from nestling.naming import labels, ownership
from nestling.resources.pods import hosts, keys
from nestling.resources.pods.context import PodContext, controller_of, key_of, service_account

#: In the order in which Go writes them.
_OWNER_FIELDS: Final = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")
_OWNER_SET_KINDS: Final = frozenset({"DaemonSet", "Job", "ReplicaSet", "StatefulSet"})
#: Decided when the host pod is created.
_SETTLED: Final = (keys.HOSTS_REWRITTEN, keys.SCHEDULING_GATES)
#: Present only for some pods, so removed when they no longer apply.
_CONDITIONAL: Final = (*_SETTLED, keys.OWNER_REFERENCES, keys.OWNER_SET_KIND, keys.DAEMONSET_POD)


def for_create(ctx: PodContext, virtual: Obj) -> Obj:
    """The whole metadata of a new host pod."""
    meta = virtual["metadata"]
    key, host = key_of(virtual), ctx.host_key(virtual)
    own_labels: Mapping[str, str] = meta.get("labels") or {}
    own_annotations: Mapping[str, str] = meta.get("annotations") or {}
    common: Obj = {
        "name": host.name,
        "namespace": host.namespace,
        "labels": labels.to_host(own_labels, key, ctx.tenant),
        "annotations": common_annotations.to_host(
            own_annotations,
            key=key,
            uid=meta["uid"],
            gvk=PODS.gvk,
            host=host,
            virtual_labels=own_labels,
            excluded=keys.EXCLUDED,
        ),
    }
    if ctx.owner_uid:
        common["ownerReferences"] = ownership.owner_references(
            ctx.owner_uid, ctx.tenant, controller=controller_of(virtual) is not None
        )
    return overlay(ctx, virtual, common)


def overlay(ctx: PodContext, virtual: Obj, common: Obj, host: Obj | None = None) -> Obj:
    """Host metadata as the rules that all kinds share want it, plus what only pods carry.

    ``host`` is the host pod when it exists: what was decided when it was created stays. Labels of the virtual
    Namespace are replaced as a whole, so that one that the Namespace lost goes.
    """
    current: Mapping[str, str] = common.get("annotations") or {}
    kept = {name: value for name, value in current.items() if _is_kept(name)}
    settled = _at_creation(ctx, virtual)
    if host is not None:
        seen: Mapping[str, str] = host["metadata"].get("annotations") or {}
        settled = {name: seen[name] for name in _SETTLED if name in seen}
    own_labels = {
        name: value
        for name, value in (common.get("labels") or {}).items()
        if not labels.is_namespace_label(name, ctx.tenant)
    }
    return {
        **common,
        "labels": {**own_labels, **labels.namespace_labels(ctx.namespace_labels, ctx.tenant)},
        "annotations": {**kept, **pod_annotations(virtual), **settled},
    }


def pod_annotations(virtual: Obj) -> dict[str, str]:
    """The annotations that only host pods carry and that follow the virtual pod."""
    meta = virtual["metadata"]
    own: Mapping[str, str] = meta.get("annotations") or {}
    return {
        keys.NAME: meta["name"],
        keys.NAMESPACE: meta["namespace"],
        keys.UID: meta["uid"],
        keys.SERVICE_ACCOUNT_NAME: service_account(virtual),
        keys.LABELS: format_map(meta.get("labels") or {}),
        **_owner_annotations(virtual),
        **_autoscaler_annotations(virtual, own),
    }


def format_map(values: Mapping[str, str]) -> str:
    """A map as the downward API writes it into files."""
    return "\n".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in sorted(values.items()))


def _at_creation(ctx: PodContext, virtual: Obj) -> dict[str, str]:
    found = {}
    gates = virtual["spec"].get("schedulingGates")
    if gates:
        found[keys.SCHEDULING_GATES] = "\n".join(sorted(gate["name"] for gate in gates))
    if hosts.is_rewritten(ctx, virtual):
        found[keys.HOSTS_REWRITTEN] = "true"
    return found


def _owner_annotations(virtual: Obj) -> dict[str, str]:
    owners: list[Obj] = virtual["metadata"].get("ownerReferences") or []
    if not owners:
        return {}
    plain: list[dict[str, Any]] = [
        {field: owner[field] for field in _OWNER_FIELDS if field in owner} for owner in owners
    ]
    found = {keys.OWNER_REFERENCES: json.dumps(plain, separators=(",", ":"), ensure_ascii=False)}
    kinds = (
        owner["kind"] for owner in owners if owner["apiVersion"] == "apps/v1" and owner["kind"] in _OWNER_SET_KINDS
    )
    kind = next(kinds, None)
    return {**found, keys.OWNER_SET_KIND: kind} if kind else found


def _autoscaler_annotations(virtual: Obj, own: Mapping[str, str]) -> dict[str, str]:
    """For the host's autoscaler, which cannot see who would make the pod again; a value of the tenant counts."""
    controller = controller_of(virtual)
    found = {keys.SAFE_TO_EVICT: "true" if controller else "false"}
    if controller and controller["kind"] == "DaemonSet":
        found[keys.DAEMONSET_POD] = "true"
    return {**found, **{name: own[name] for name in sorted(keys.EXCLUDED & own.keys())}}


def _is_kept(name: str) -> bool:
    return name not in _CONDITIONAL and not name.startswith(keys.TOKEN_PREFIX)
