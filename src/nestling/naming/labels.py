"""Labels of host objects: which virtual ones go down, under which key, and which marks are added (spec §1.2).

A key that the host side trusts is never copied from a tenant: it goes down under another key, so that the tenant
loses nothing (the way back and all selectors use the same key) and nobody is deceived.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Final

from nestling.naming import names
from nestling.naming.tenant import Tenant, VirtualKey

Strings = Mapping[str, str]

#: All keys of vCluster, and so ours, start with it.
PREFIX: Final = "vcluster.loft.sh/"

# Labels.
#: Helm puts it on the control plane's own pods; the Service of the API server selects by it.
RELEASE: Final = "release"
#: With the value ``HELM`` on the Secrets and ConfigMaps in which Helm keeps its releases.
OWNER: Final = "owner"
HELM: Final = "helm"
MANAGED_BY: Final = PREFIX + "managed-by"
NAMESPACE: Final = PREFIX + "namespace"
#: A label or an annotation: the object belongs to another syncer or plugin, and this one leaves it alone.
CONTROLLED_BY: Final = PREFIX + "controlled-by"
BELONGS_TO: Final = PREFIX + "belongs-to"
NODE: Final = PREFIX + "node"
FAKE_NODE: Final = PREFIX + "fake-node"
FAKE_PV: Final = PREFIX + "fake-pv"
#: On the Service of a control plane; commands find virtual clusters by it.
SERVICE: Final = PREFIX + "service"
VCLUSTER_NAME: Final = PREFIX + "vcluster-name"
VCLUSTER_NAMESPACE: Final = PREFIX + "vcluster-namespace"
SNAPSHOT_REQUEST: Final = PREFIX + "snapshot-request"
RESTORE_REQUEST: Final = PREFIX + "restore-request"
TOKEN: Final = PREFIX + "token"
TOKEN_NODE_TYPE: Final = PREFIX + "token-node-type"
IMPORTED_GATEWAY: Final = PREFIX + "imported-gateway"
#: Begin of the keys that reserved keys become, and of the keys under which pods carry the labels of their Namespace.
LABEL_PREFIX: Final = PREFIX + "label-"
NAMESPACE_LABEL_PREFIX: Final = PREFIX + "ns-label-"

# Annotations that every host object carries.
OBJECT_NAME: Final = PREFIX + "object-name"
OBJECT_NAMESPACE: Final = PREFIX + "object-namespace"
OBJECT_UID: Final = PREFIX + "object-uid"
OBJECT_KIND: Final = PREFIX + "object-kind"
OBJECT_HOST_NAME: Final = PREFIX + "object-host-name"
OBJECT_HOST_NAMESPACE: Final = PREFIX + "object-host-namespace"
#: Ours, on cluster-scoped objects only: ``NS/NAME``, see ``ownership``.
OBJECT_TENANT: Final = PREFIX + "object-tenant"
MANAGED_ANNOTATIONS: Final = PREFIX + "managed-annotations"
MANAGED_LABELS: Final = PREFIX + "managed-labels"

# Annotations of some host objects.
OBJECT_IMPORTED: Final = PREFIX + "object-imported"
SKIP_BACKSYNC: Final = PREFIX + "skip-backsync"
BLOCK_DELETION: Final = PREFIX + "block-deletion"
SERVICE_CIDR: Final = PREFIX + "service-cidr"

# Annotations of virtual objects: what a tenant may ask for, and what the syncer notes.
SKIP_TRANSLATE: Final = PREFIX + "skip-translate"
FORCE_SYNC: Final = PREFIX + "force-sync"
DISABLE_SUBDOMAIN_REWRITE: Final = PREFIX + "disable-subdomain-rewrite"
PRESERVE_MIRROR_FILTERS: Final = PREFIX + "preserve-request-mirror-filters"
PRESERVE_HOST_RULE: Final = PREFIX + "preserve-host-rule"
HOST_PV: Final = PREFIX + "host-pv"
HOST_VOLUME_SNAPSHOT_CONTENT: Final = PREFIX + "host-volumesnapshotcontent"
LOCK: Final = PREFIX + "lock"
ORIGINAL_TAINTS: Final = PREFIX + "original-taints"

#: The four keys that vCluster gives another key on the host.
RESERVED: Final = frozenset({RELEASE, NAMESPACE, MANAGED_BY, CONTROLLED_BY})
#: Keys that mean something on other host objects; vCluster copies them, we treat them like the reserved ones.
MARKS: Final = frozenset(
    {
        BELONGS_TO,
        NODE,
        FAKE_NODE,
        FAKE_PV,
        SERVICE,
        VCLUSTER_NAME,
        VCLUSTER_NAMESPACE,
        SNAPSHOT_REQUEST,
        RESTORE_REQUEST,
        TOKEN,
        TOKEN_NODE_TYPE,
        IMPORTED_GATEWAY,
    }
)
#: Reserved keys that, found on a host object as they are, were put there by somebody on the host and stay.
_HOSTS_OWN: Final = (CONTROLLED_BY, RELEASE)
_RENAMED: Final = RESERVED | MARKS
_HEX: Final = re.compile(r"[0-9a-f]{10}")


def to_host(
    labels: Strings | None, key: VirtualKey, tenant: Tenant, *, existing: Strings | None = None
) -> dict[str, str]:
    """The labels of the host object of ``key``; ``existing`` are those that it has already.

    Virtual labels that look like keys which we make are dropped: they would be taken for a reserved label or for one
    of the Namespace.
    """
    kept = {name: (existing or {})[name] for name in _HOSTS_OWN if name in (existing or {})}
    translated = {
        label_key_to_host(name, tenant): value for name, value in (labels or {}).items() if not _is_made(name, tenant)
    }
    return {**translated, **kept, **marks(key.namespace, tenant)}


def cluster_to_host(labels: Strings | None, tenant: Tenant, *, existing: Strings | None = None) -> dict[str, str]:
    """The labels of the host object of a cluster-scoped object."""
    return to_host(labels, VirtualKey("", ""), tenant, existing=existing)


def to_virtual(labels: Strings | None, tenant: Tenant) -> dict[str, str]:
    """The labels of a host object as the tenant sees them: reserved keys as they were, none of ours."""
    reserved = _virtual_keys(tenant)
    return {
        reserved.get(name, name): value
        for name, value in (labels or {}).items()
        if name in reserved or not (name in _RENAMED or _is_made(name, tenant))
    }


def release_owner(labels: Strings | None) -> dict[str, str]:
    """The label ``owner`` of a ConfigMap or Secret as the host may have it.

    Helm takes every Secret or ConfigMap of a namespace with ``owner: helm`` for one of its releases: a tenant could
    write one in the control plane's name, and whoever upgrades or uninstalls that would apply or delete what the
    tenant put into it, with an administrator's rights.
    """
    value = (labels or {}).get(OWNER)
    return {OWNER: value} if value not in (None, HELM) else {}


def marks(namespace: str, tenant: Tenant) -> dict[str, str]:
    """The labels that say whose an object is; an empty virtual namespace means cluster-scoped."""
    if not namespace:
        return {MANAGED_BY: cluster_marker(tenant)}
    return {MANAGED_BY: tenant.name, NAMESPACE: namespace}


def cluster_marker(tenant: Tenant) -> str:
    """The value of ``MANAGED_BY`` on cluster-scoped host objects."""
    return names.safe(tenant.namespace, "x", tenant.name)


def tenant_mark(tenant: Tenant) -> str:
    """The value of the annotation ``OBJECT_TENANT``: which virtual cluster, without the marker's ambiguity."""
    return f"{tenant.namespace}/{tenant.name}"


def label_key_to_host(key: str, tenant: Tenant) -> str:
    """The key that a virtual label has on the host: for metadata, selectors and downward API paths.

    A key that looks like one of ours becomes one that no host object has, so that a selector with it finds nothing.
    """
    if key in _RENAMED or _is_made(key, tenant):
        return _made(LABEL_PREFIX, key, tenant)
    return key


def namespace_label_key(key: str, tenant: Tenant) -> str:
    """The key under which host pods carry a label of their virtual Namespace."""
    return _made(NAMESPACE_LABEL_PREFIX, key, tenant)


def namespace_labels(namespace: Strings | None, tenant: Tenant) -> dict[str, str]:
    """The labels of a virtual Namespace, for its pods on the host."""
    return {namespace_label_key(name, tenant): value for name, value in (namespace or {}).items()}


def is_namespace_label(key: str, tenant: Tenant) -> bool:
    """Is this label of a host pod one that its virtual Namespace gave it?

    Those of a virtual cluster inside the virtual cluster are not.
    """
    return _looks_made(NAMESPACE_LABEL_PREFIX, key, tenant)


@functools.lru_cache(maxsize=1024)
def _made(prefix: str, key: str, tenant: Tenant) -> str:
    return names.safe(prefix.removesuffix("-"), tenant.name, "x", names.digest(key))


def _is_made(key: str, tenant: Tenant) -> bool:
    return _looks_made(LABEL_PREFIX, key, tenant) or _looks_made(NAMESPACE_LABEL_PREFIX, key, tenant)


def _looks_made(prefix: str, key: str, tenant: Tenant) -> bool:
    """Could ``_made`` have made this key? Such a key is constant but for its last ten characters, cut or not."""
    if not key.startswith(PREFIX):
        return False
    start = _made(prefix, "", tenant)[:-10]
    return key.startswith(start) and _HEX.fullmatch(key.removeprefix(start)) is not None


@functools.lru_cache(maxsize=8)
def _virtual_keys(tenant: Tenant) -> dict[str, str]:
    """Host key to virtual key of every key that has another one on the host."""
    return {label_key_to_host(key, tenant): key for key in sorted(_RENAMED)}
