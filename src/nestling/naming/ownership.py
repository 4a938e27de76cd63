"""Whose a host object is: what may be updated, what may be deleted (spec §1.3, §1.5).

A name proves nothing, because two keys can share a host name (``names``). Neither do the marks alone: backup tools
and ``kubectl get -o yaml`` copy them. So an object is a key's when its marks name the key, the tenant, and its own
name and namespace.

The marker of cluster-scoped objects, ``NS-x-NAME``, is ambiguous: ``b-x-c`` in ``a`` and ``c`` in ``a-x-b`` share it
and all their host names. Objects that we write also carry ``labels.OBJECT_TENANT``, and where it is present it
counts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

from nestling.naming import labels, names
from nestling.naming.tenant import HostKey, Tenant, VirtualKey


class Meta(Protocol):
    """Metadata of a cached object; a plain ``metadata`` dict does as well."""

    @property
    def name(self) -> str:
        """Name."""

    @property
    def namespace(self) -> str | None:
        """Namespace, empty for a cluster-scoped object."""

    @property
    def labels(self) -> Mapping[str, str] | None:
        """Labels."""

    @property
    def annotations(self) -> Mapping[str, str] | None:
        """Annotations."""


AnyMeta = Meta | Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class _Seen:
    """The four fields that ownership depends on."""

    host: HostKey
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def virtual_key(meta: AnyMeta) -> VirtualKey | None:
    """The virtual object that the annotations name, None when they name none. Not yet a proof: see ``claims``."""
    return _key(_seen(meta))


def claims(meta: AnyMeta, key: VirtualKey, tenant: Tenant, *, gvk: str | None = None) -> bool:
    """Is the host object, which was found under the host name of ``key``, really this key's?

    False means that it must be left alone: somebody else's, another key's with the same host name, or a copy.
    """
    seen = _seen(meta)
    return (
        _key(seen) == key
        and bool(seen.host.namespace) == bool(key.namespace)
        and _is_tenants(seen, tenant)
        and _is_original(seen)
        and (gvk is None or _is_kind(seen, gvk))
    )


def is_managed(meta: AnyMeta, *, gvk: str, namespaced: bool, tenant: Tenant, host_key: HostKey | None = None) -> bool:
    """Is the host object one that this virtual cluster syncs, of this kind? (spec §1.5)

    ``host_key`` is the host key where the formula does not give it (``kube-root-ca.crt``, ``default/kubernetes``).
    """
    seen = _seen(meta)
    if bool(seen.host.namespace) != namespaced or not _is_tenants(seen, tenant):
        return False
    key = _key(seen)
    if not namespaced or key is None:
        return not namespaced
    return seen.host == (host_key or names.host_name(key, tenant)) and _is_kind(seen, gvk) and _is_original(seen)


def may_delete_orphan(
    host: Mapping[str, Any], *, known: bool, gvk: str, tenant: Tenant, host_key: HostKey | None = None
) -> bool:
    """May a host object without virtual object be deleted? (spec §1.5)

    Only when it is certainly ours by all its marks and its name; and only when we saw its virtual object (``known``),
    it is being deleted anyway, or none of the annotations that a copy would betray itself by is missing. An
    object with a special name is never deleted unless the caller says so by ``host_key``: Service NAME is one.
    """
    meta = host["metadata"]
    seen = _seen(meta)
    key = _key(seen)
    if key is None or not claims(meta, key, tenant, gvk=gvk) or _is_left_alone(seen):
        return False
    if seen.host != (host_key or names.host_name(key, tenant)):
        return False
    return known or bool(meta.get("deletionTimestamp")) or _is_complete(seen)


def has_lost_its_mark(meta: AnyMeta, key: VirtualKey, tenant: Tenant, *, uid: str) -> bool:
    """Is it the key's own host object, from which somebody has taken the managed-by label?

    The annotations name the key, the object's own name and the UID of the virtual object that exists now; nobody else
    claims it. Good enough to put the label back, never to delete it.
    """
    seen = _seen(meta)
    return (
        bool(key.namespace)
        and labels.MANAGED_BY not in seen.labels
        and seen.annotations.get(labels.OBJECT_UID) == uid
        and _key(seen) == key
        and seen.host.namespace == tenant.namespace
        and _is_original(seen)
        and _is_complete(seen)
    )


def owner_references(service_uid: str, tenant: Tenant, *, controller: bool) -> list[dict[str, Any]]:
    """The one owner of every namespaced host object: Service NAME, so that all goes with the release (spec §1.3).

    ``controller`` says whether the virtual object has a controller: tools that look for orphaned pods then find none.
    """
    owner: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "name": tenant.name, "uid": service_uid}
    return [{**owner, "controller": True} if controller else owner]


def _seen(meta: AnyMeta) -> _Seen:
    if isinstance(meta, Mapping):
        host = HostKey(meta.get("namespace") or "", meta.get("name") or "")
        return _Seen(host, meta.get("labels") or {}, meta.get("annotations") or {})
    return _Seen(HostKey(meta.namespace or "", meta.name), meta.labels or {}, meta.annotations or {})


def _key(seen: _Seen) -> VirtualKey | None:
    name = seen.annotations.get(labels.OBJECT_NAME)
    return VirtualKey(seen.annotations.get(labels.OBJECT_NAMESPACE, ""), name) if name else None


def _is_tenants(seen: _Seen, tenant: Tenant) -> bool:
    marker = seen.labels.get(labels.MANAGED_BY)
    if seen.host.namespace:
        return seen.host.namespace == tenant.namespace and marker == tenant.name
    mark = labels.tenant_mark(tenant)
    return marker == labels.cluster_marker(tenant) and seen.annotations.get(labels.OBJECT_TENANT, mark) == mark


def _is_original(seen: _Seen) -> bool:
    """Is it still the object that was written, not a copy of it under another name?"""
    notes, host = seen.annotations, seen.host
    return (
        notes.get(labels.OBJECT_HOST_NAME, host.name) == host.name
        and notes.get(labels.OBJECT_HOST_NAMESPACE, host.namespace) == host.namespace
    )


def _is_kind(seen: _Seen, gvk: str) -> bool:
    return seen.annotations.get(labels.OBJECT_KIND, gvk) == gvk


def _is_left_alone(seen: _Seen) -> bool:
    """Not to be deleted by a syncer: of another one, or marked so."""
    controlled = labels.CONTROLLED_BY in seen.labels or labels.CONTROLLED_BY in seen.annotations
    return controlled or seen.annotations.get(labels.SKIP_BACKSYNC) == "true"


def _is_complete(seen: _Seen) -> bool:
    needed = [labels.OBJECT_KIND, labels.OBJECT_NAME, labels.OBJECT_HOST_NAME]
    if seen.host.namespace:
        needed += [labels.OBJECT_NAMESPACE, labels.OBJECT_HOST_NAMESPACE]
    return all(seen.annotations.get(key) for key in needed)
