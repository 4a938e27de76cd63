"""Labels and annotations of both objects: what each side gets of the other's (spec §1.2, §1.3).

Keys that came from the virtual object are recorded on the host object (``managed-annotations``, ``managed-labels``), so
that a key which the tenant removes is removed on the host even if the syncer was not running at that moment, while keys
that the host added stay.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from nestling.kube.resource import Obj
from nestling.naming import annotations as naming_annotations
from nestling.naming import labels, ownership
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.syncer import fields
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import Agreed, SyncSpec

Strings = Mapping[str, str]


def for_create(ctx: SyncContext, spec: SyncSpec, virtual: Obj, host_key: HostKey) -> Obj:
    """The metadata of a host object that is about to be created for ``virtual``."""
    meta = virtual["metadata"]
    return _host_metadata(
        ctx,
        spec,
        virtual,
        host_key,
        virtual_labels=_without(meta.get("labels"), spec.excluded_labels),
        virtual_annotations=_annotations_of(spec, meta),
        host_labels={},
        host_annotations={},
    )


def for_update(
    ctx: SyncContext, spec: SyncSpec, virtual: Obj, host: Obj, host_key: HostKey, agreed: Agreed | None
) -> tuple[Obj, Obj]:
    """The metadata of (virtual, host) after what changed on each side has been given to the other."""
    virtual_meta, host_meta = virtual["metadata"], host["metadata"]
    host_annotations: Strings = host_meta.get("annotations") or {}
    new_labels = three_way(
        _without(virtual_meta.get("labels"), spec.excluded_labels),
        _labels_seen(ctx, spec, host),
        managed=naming_annotations.managed_keys(host_annotations, labels.MANAGED_LABELS),
        agreed_virtual=_without(agreed.virtual["metadata"].get("labels"), spec.excluded_labels) if agreed else None,
        agreed_host=_labels_seen(ctx, spec, agreed.host) if agreed else None,
    )
    new_annotations = three_way(
        _annotations_of(spec, virtual_meta),
        _annotations_seen(spec, host),
        managed=naming_annotations.managed_keys(host_annotations, labels.MANAGED_ANNOTATIONS),
        agreed_virtual=_annotations_of(spec, agreed.virtual["metadata"]) if agreed else None,
        agreed_host=_annotations_seen(spec, agreed.host) if agreed else None,
    )
    wanted_virtual = fields.clone(virtual_meta)
    _set(wanted_virtual, "labels", {**_only(virtual_meta.get("labels"), spec.excluded_labels), **new_labels})
    _set(
        wanted_virtual,
        "annotations",
        {
            **_only(virtual_meta.get("annotations"), spec.excluded_annotations),
            **_only(virtual_meta.get("annotations"), spec.translated_annotations),
            **new_annotations,
        },
    )
    wanted_host = _host_metadata(
        ctx,
        spec,
        virtual,
        host_key,
        virtual_labels=new_labels,
        virtual_annotations=new_annotations,
        host_labels=host_meta.get("labels") or {},
        host_annotations=host_annotations,
    )
    return wanted_virtual, {**fields.clone(host_meta), **wanted_host}


def three_way(
    virtual: Strings,
    host: Strings,
    *,
    managed: frozenset[str],
    agreed_virtual: Strings | None,
    agreed_host: Strings | None,
) -> dict[str, str]:
    """One map for both sides out of two that may both have changed.

    ``managed`` are the keys that came from the virtual side at the last write. Per key: a change on the virtual side
    counts, else one on the host; without memory of an agreement the virtual side counts, and a key that only the host
    has is the host's own.
    """
    merged: dict[str, str] = {}
    for key in virtual.keys() | host.keys():
        ours, theirs = virtual.get(key), host.get(key)
        if ours == theirs:
            value = ours
        elif agreed_virtual is not None and agreed_host is not None:
            ours_changed = ours != agreed_virtual.get(key)
            theirs_changed = theirs != agreed_host.get(key)
            value = ours if ours_changed or not theirs_changed else theirs
        elif ours is None and key not in managed:
            value = theirs
        else:
            value = ours
        if value is not None:
            merged[key] = value
    return dict(sorted(merged.items()))


def _host_metadata(
    ctx: SyncContext,
    spec: SyncSpec,
    virtual: Obj,
    host_key: HostKey,
    *,
    virtual_labels: Strings,
    virtual_annotations: Strings,
    host_labels: Strings,
    host_annotations: Strings,
) -> Obj:
    meta = virtual["metadata"]
    key = VirtualKey(meta.get("namespace", ""), meta["name"])
    wanted: Obj = {
        "name": host_key.name,
        "labels": {
            **labels.to_host(virtual_labels, key, ctx.tenant, existing=host_labels),
            **spec.extra_labels(ctx, virtual),
        },
        "annotations": {
            **_only(host_annotations, spec.excluded_annotations),
            **naming_annotations.to_host(
                virtual_annotations,
                key=key,
                uid=meta["uid"],
                gvk=spec.virtual.gvk,
                host=host_key,
                tenant=ctx.tenant,
                virtual_labels=virtual_labels,
            ),
            **spec.extra_annotations(ctx, virtual),
        },
    }
    if host_key.namespace:
        wanted["namespace"] = host_key.namespace
        controlled = any(owner.get("controller") for owner in meta.get("ownerReferences") or ())
        uid = ctx.owner_uid
        if uid and ctx.config.experimental.sync_settings.set_owner:
            wanted["ownerReferences"] = ownership.owner_references(uid, ctx.tenant, controller=controlled)
    return wanted


def _set(meta: Obj, field: str, value: dict[str, str]) -> None:
    """Write a map, or leave the field out when it is empty, as the API server does."""
    if value:
        meta[field] = value
    else:
        meta.pop(field, None)


def _labels_seen(ctx: SyncContext, spec: SyncSpec, host: Obj) -> Strings:
    """The labels of a host object as the tenant would see them."""
    return _without(labels.to_virtual(host["metadata"].get("labels"), ctx.tenant), spec.excluded_labels)


def _annotations_seen(spec: SyncSpec, host: Obj) -> Strings:
    """The annotations of a host object as the tenant would see them."""
    return _annotations_of(spec, {"annotations": naming_annotations.to_virtual(host["metadata"].get("annotations"))})


def _annotations_of(spec: SyncSpec, meta: Obj) -> Strings:
    """The annotations that both sides share."""
    excluded, translated = spec.excluded_annotations, spec.translated_annotations
    found: Strings = meta.get("annotations") or {}
    return {key: value for key, value in found.items() if key not in excluded and key not in translated}


def _only(strings: Strings | None, included: Container[str]) -> Strings:
    return {key: value for key, value in (strings or {}).items() if key in included}


def _without(strings: Strings | None, excluded: Container[str]) -> Strings:
    return {key: value for key, value in (strings or {}).items() if key not in excluded}
