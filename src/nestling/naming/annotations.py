"""Annotations of host objects: the tenant's own, and our bookkeeping (spec §1.2).

Every key under ``vcluster.loft.sh/`` is bookkeeping, but for a few by which a tenant asks for something. Bookkeeping
never goes from one side to the other: a tenant's input with such a key is not believed, and the host's notes are not
shown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from nestling.naming import labels
from nestling.naming.tenant import HostKey, Tenant, VirtualKey

Strings = Mapping[str, str]

SKIP_TRANSLATE: Final = labels.SKIP_TRANSLATE
#: Keys under our prefix that a tenant may set and that are passed on like any other.
TENANT_FACING: Final = frozenset(
    {
        labels.SKIP_TRANSLATE,
        labels.FORCE_SYNC,
        labels.DISABLE_SUBDOMAIN_REWRITE,
        labels.PRESERVE_MIRROR_FILTERS,
        labels.PRESERVE_HOST_RULE,
    }
)


def is_bookkeeping(key: str) -> bool:
    """Does this annotation belong to the machinery, and so to one side only?"""
    return key.startswith(labels.PREFIX) and key not in TENANT_FACING


def to_host(
    annotations: Strings | None,
    *,
    key: VirtualKey,
    uid: str,
    gvk: str,
    host: HostKey,
    tenant: Tenant | None = None,
    excluded: Collection[str] = (),
    virtual_labels: Strings | None = None,
) -> dict[str, str]:
    """The annotations of a host object.

    ``gvk`` is written as Go prints it, ``/v1, Kind=Pod``. ``virtual_labels`` are given where the keys of the labels
    are to be remembered as well (``managed_keys``). ``tenant`` is needed for cluster-scoped objects, whose marker alone
    does not say which virtual cluster they belong to (``ownership``).

    Raises:
        ValueError: a cluster-scoped object without ``tenant``.
    """
    if not host.namespace and tenant is None:
        raise ValueError(f"{host.name} is cluster-scoped: its annotations must say which tenant it belongs to")
    own = to_virtual(annotations, excluded=excluded)
    marks = {
        labels.OBJECT_NAME: key.name,
        labels.OBJECT_NAMESPACE: key.namespace,
        labels.OBJECT_UID: uid,
        labels.OBJECT_KIND: gvk,
        labels.OBJECT_HOST_NAME: host.name,
        labels.OBJECT_HOST_NAMESPACE: host.namespace,
        labels.OBJECT_TENANT: labels.tenant_mark(tenant) if tenant and not host.namespace else "",
        labels.MANAGED_ANNOTATIONS: "\n".join(sorted(own)),
        labels.MANAGED_LABELS: "\n".join(sorted(virtual_labels or ())),
    }
    return {**own, **{name: value for name, value in marks.items() if value}}


def to_virtual(annotations: Strings | None, *, excluded: Collection[str] = ()) -> dict[str, str]:
    """The annotations of a host object as the tenant sees them: without bookkeeping."""
    return {
        name: value for name, value in (annotations or {}).items() if not is_bookkeeping(name) and name not in excluded
    }


def managed_keys(annotations: Strings | None, which: str) -> frozenset[str]:
    """The keys that came from the virtual object when the host object was last written.

    ``which`` is ``labels.MANAGED_ANNOTATIONS`` or ``labels.MANAGED_LABELS``.
    """
    return frozenset((annotations or {}).get(which, "").split("\n")) - {""}
