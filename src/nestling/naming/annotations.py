"""Annotations of both sides (spec §1.2): the tenant's are copied, ours say which virtual object a host object stands
for.

Our keys in a tenant's input are dropped: they are facts that only the syncer states.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from nestling.naming import labels
from nestling.naming.tenant import HostKey, VirtualKey

SKIP_TRANSLATE: Final = labels.SKIP_TRANSLATE
#: Keys under our prefix that a tenant may set on its own objects, to ask for something.
_REQUESTS: Final = frozenset({labels.FORCE_SYNC, labels.SKIP_TRANSLATE, labels.PREFIX + "disable-subdomain-rewrite"})


def to_host(
    annotations: Mapping[str, str] | None,
    *,
    key: VirtualKey,
    uid: str,
    gvk: str,
    host: HostKey,
    virtual_labels: Mapping[str, str] | None = None,
    excluded: Iterable[str] = (),
) -> dict[str, str]:
    """The annotations of a host object: the tenant's, and all our marks."""
    left_out = frozenset(excluded)
    own = {
        name: value for name, value in (annotations or {}).items() if not is_bookkeeping(name) and name not in left_out
    }
    marks = {
        labels.OBJECT_NAME: key.name,
        labels.OBJECT_UID: uid,
        labels.OBJECT_KIND: gvk,
        labels.OBJECT_HOST_NAME: host.name,
    }
    if key.namespace:
        marks[labels.OBJECT_NAMESPACE] = key.namespace
    if host.namespace:
        marks[labels.OBJECT_HOST_NAMESPACE] = host.namespace
    if own:
        marks[labels.MANAGED_ANNOTATIONS] = "\n".join(sorted(own))
    if virtual_labels:
        marks[labels.MANAGED_LABELS] = "\n".join(sorted(virtual_labels))
    return {**own, **marks}


def to_virtual(annotations: Mapping[str, str] | None) -> dict[str, str]:
    """The annotations of a host object as the tenant sees them: bookkeeping never flows to the virtual object."""
    return {key: value for key, value in (annotations or {}).items() if not is_bookkeeping(key)}


def is_bookkeeping(key: str) -> bool:
    """Is this key one of ours, on whichever side it stands?"""
    return key.startswith(labels.PREFIX) and key not in _REQUESTS


def managed_keys(annotations: Mapping[str, str], which: str) -> frozenset[str]:
    """The keys that came from the virtual object, from ``labels.MANAGED_ANNOTATIONS`` or ``labels.MANAGED_LABELS``."""
    return frozenset(filter(None, annotations.get(which, "").split("\n")))
