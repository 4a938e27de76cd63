"""Label and annotation keys, and labels of both sides (spec §1.2).

Labels of a virtual object keep their keys on the host, but for four reserved ones that would let a tenant claim
objects: these get a key made of the virtual cluster's name and a digest. What a tenant writes under a key that looks
like ours is dropped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from nestling.naming import names
from nestling.naming.tenant import Tenant, VirtualKey

PREFIX: Final = "vcluster.loft.sh/"
MANAGED_BY: Final = PREFIX + "managed-by"
NAMESPACE: Final = PREFIX + "namespace"
CONTROLLED_BY: Final = PREFIX + "controlled-by"
RELEASE: Final = "release"
LABEL_PREFIX: Final = PREFIX + "label"
NAMESPACE_LABEL_PREFIX: Final = PREFIX + "ns-label"
BELONGS_TO: Final = PREFIX + "belongs-to"
NODE: Final = PREFIX + "node"
FAKE_NODE: Final = PREFIX + "fake-node"
FAKE_PV: Final = PREFIX + "fake-pv"
SERVICE: Final = PREFIX + "service"

OBJECT_NAME: Final = PREFIX + "object-name"
OBJECT_NAMESPACE: Final = PREFIX + "object-namespace"
OBJECT_UID: Final = PREFIX + "object-uid"
OBJECT_KIND: Final = PREFIX + "object-kind"
OBJECT_HOST_NAME: Final = PREFIX + "object-host-name"
OBJECT_HOST_NAMESPACE: Final = PREFIX + "object-host-namespace"
MANAGED_ANNOTATIONS: Final = PREFIX + "managed-annotations"
MANAGED_LABELS: Final = PREFIX + "managed-labels"
SKIP_BACKSYNC: Final = PREFIX + "skip-backsync"
SKIP_TRANSLATE: Final = PREFIX + "skip-translate"
FORCE_SYNC: Final = PREFIX + "force-sync"
SERVICE_CIDR: Final = PREFIX + "service-cidr"

#: Keys that select or claim objects on the host.
RESERVED: Final = (RELEASE, NAMESPACE, MANAGED_BY, CONTROLLED_BY)


def label_key_to_host(key: str, tenant: Tenant) -> str:
    """The host key of a virtual label: itself, unless it is reserved."""
    return _translated(LABEL_PREFIX, key, tenant) if key in RESERVED else key


def namespace_label_key(key: str, tenant: Tenant) -> str:
    """The key under which a host pod carries a label of its virtual Namespace."""
    return _translated(NAMESPACE_LABEL_PREFIX, key, tenant)


def namespace_labels(labels: Mapping[str, str] | None, tenant: Tenant) -> dict[str, str]:
    """The labels of a virtual Namespace as its host pods carry them."""
    return {namespace_label_key(key, tenant): value for key, value in sorted((labels or {}).items())}


def to_host(
    labels: Mapping[str, str] | None, key: VirtualKey, tenant: Tenant, *, existing: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The labels of a namespaced host object. ``existing`` are those that it has: its controlled-by is kept."""
    marks = {MANAGED_BY: tenant.name, NAMESPACE: key.namespace}
    return {**_translate(labels, tenant), **_controlled_by(existing), **marks}


def cluster_to_host(
    labels: Mapping[str, str] | None, tenant: Tenant, *, existing: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The labels of a cluster-scoped host object."""
    return {**_translate(labels, tenant), **_controlled_by(existing), MANAGED_BY: cluster_marker(tenant)}


def cluster_marker(tenant: Tenant) -> str:
    """The managed-by value of cluster-scoped host objects: unique on the host, unlike the name alone."""
    return names.safe(tenant.namespace, "x", tenant.name)


def to_virtual(labels: Mapping[str, str] | None, tenant: Tenant) -> dict[str, str]:
    """The labels of a host object as the tenant sees them: without marks, reserved keys under their own names."""
    originals = {label_key_to_host(key, tenant): key for key in RESERVED}
    return {
        originals.get(key, key): value
        for key, value in (labels or {}).items()
        if key in originals or (key not in RESERVED and not _is_ours(key))
    }


def _translate(labels: Mapping[str, str] | None, tenant: Tenant) -> dict[str, str]:
    return {label_key_to_host(key, tenant): value for key, value in (labels or {}).items() if not _is_ours(key)}


def _is_ours(key: str) -> bool:
    """Does a key look like one that only we write?"""
    return key.startswith((LABEL_PREFIX + "-", NAMESPACE_LABEL_PREFIX + "-")) or key in (BELONGS_TO, NODE, SERVICE)


def _controlled_by(existing: Mapping[str, str] | None) -> dict[str, str]:
    return {key: value for key, value in (existing or {}).items() if key == CONTROLLED_BY}


def _translated(prefix: str, key: str, tenant: Tenant) -> str:
    return names.safe(prefix, tenant.name, "x", hashlib.sha256(key.encode()).hexdigest()[:10])
