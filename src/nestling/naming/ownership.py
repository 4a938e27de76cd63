"""Whose is a host object? (spec §1.3, §1.5) Nothing is changed or deleted unless all marks say that it is ours."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

from nestling.naming import labels
from nestling.naming.tenant import HostKey, Tenant, VirtualKey


class Metadata(Protocol):
    """Cached metadata, as far as ownership depends on it."""

    @property
    def name(self) -> str:
        """The object's name."""

    @property
    def namespace(self) -> str:
        """Its namespace, empty for a cluster-scoped object."""

    @property
    def labels(self) -> Mapping[str, str] | None:
        """Its labels."""

    @property
    def annotations(self) -> Mapping[str, str] | None:
        """Its annotations."""


@dataclasses.dataclass(frozen=True, slots=True)
class Marks:
    """What a host object says about itself."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def marks(meta: Metadata | Mapping[str, Any]) -> Marks:
    """The marks, from cached metadata or from the ``metadata`` of a decoded object."""
    if isinstance(meta, Mapping):
        found = (meta.get("name"), meta.get("namespace"), meta.get("labels"), meta.get("annotations"))
        return Marks(found[0] or "", found[1] or "", found[2] or {}, found[3] or {})
    return Marks(meta.name, meta.namespace, meta.labels or {}, meta.annotations or {})


def virtual_key(meta: Metadata | Mapping[str, Any]) -> VirtualKey | None:
    """The virtual object that a host object says it stands for. A claim to be checked, not a fact: see ``claims``."""
    annotations = marks(meta).annotations
    name = annotations.get(labels.OBJECT_NAME)
    return VirtualKey(annotations.get(labels.OBJECT_NAMESPACE, ""), name) if name else None


def claims(meta: Metadata | Mapping[str, Any], key: VirtualKey, tenant: Tenant, *, gvk: str | None = None) -> bool:
    """Do the marks of a host object, found under the key's host name, say that it is this key's and ours?

    Copies that a backup or a user made under another name say by their host-name annotations that they are not.
    """
    found = marks(meta)
    marker = tenant.name if key.namespace else labels.cluster_marker(tenant)
    stated = found.annotations
    return (
        found.labels.get(labels.MANAGED_BY) == marker
        and virtual_key(meta) == key
        and _agrees(stated, labels.OBJECT_KIND, gvk)
        and _agrees(stated, labels.OBJECT_HOST_NAME, found.name)
        and _agrees(stated, labels.OBJECT_HOST_NAMESPACE, found.namespace or None)
    )


def is_managed(
    meta: Metadata | Mapping[str, Any], *, gvk: str, host_key: HostKey | None, tenant: Tenant, known: bool = False
) -> bool:
    """The test of spec §1.5. ``host_key`` is the recomputed name of the object that it claims to be; None: claims
    nothing.

    ``known``: we remember having synced this very object.
    """
    if known:
        return True
    found, key = marks(meta), virtual_key(meta)
    if key is None or host_key is None or (found.namespace, found.name) != tuple(host_key):
        return False
    return claims(meta, key, tenant, gvk=gvk)


def may_delete_orphan(host: Mapping[str, Any], *, known: bool, gvk: str, tenant: Tenant) -> bool:
    """May a host object without virtual object be deleted?

    Yes when we remember the pair, when it is on its way out anyway, or when all marks are there and match. Never on a
    guess.
    """
    meta = host["metadata"]
    key = virtual_key(meta)
    if known or meta.get("deletionTimestamp"):
        return True
    stated = marks(meta).annotations
    required = [labels.OBJECT_KIND, labels.OBJECT_HOST_NAME, labels.OBJECT_NAME]
    if meta.get("namespace"):
        required += [labels.OBJECT_NAMESPACE, labels.OBJECT_HOST_NAMESPACE]
    return key is not None and all(stated.get(name) for name in required) and claims(meta, key, tenant, gvk=gvk)


def owner_references(service_uid: str, tenant: Tenant, *, controller: bool) -> list[dict[str, Any]]:
    """The one owner of every namespaced host object: Service NAME, so that deleting the release collects everything."""
    reference: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "name": tenant.name, "uid": service_uid}
    if controller:
        reference["controller"] = True
    return [reference]


def _agrees(stated: Mapping[str, str], name: str, actual: str | None) -> bool:
    """An annotation that is missing says nothing; one that is there must be right."""
    return actual is None or name not in stated or stated[name] == actual
