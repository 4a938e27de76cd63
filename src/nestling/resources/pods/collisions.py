"""Objects that a pod uses under a host name which could also be another virtual object's (spec §1.1).

``a`` in namespace ``b-x-c`` and ``a-x-b`` in ``c`` have one name on the host, and a pod reaches its kubelet with names
of the host. Whoever may create pods in the one namespace must not read what is in the other: a pod that uses such a
name is created only when the object on the host is there and is its own. Other names are not checked: that would make
every pod wait for what a kubelet waits for anyway.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Final

from nestling.kube.resource import CONFIG_MAPS, SERVICE_ACCOUNTS, Obj
from nestling.naming import names, ownership
from nestling.naming.tenant import VirtualKey
from nestling.resources.pods import references
from nestling.resources.pods.context import service_account
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import Reference

#: Look again after so many seconds when only the tenant can mend it.
RETRY: Final = 15.0
_SEPARATOR: Final = "-x-"


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """Why a pod cannot use an object."""

    message: str
    #: The object exists in the virtual cluster and is on its way to the host.
    is_coming: bool


def is_ambiguous(key: VirtualKey) -> bool:
    """Could another name in another namespace have the same host name? Hashes of long names are left to chance."""
    joined = f"{key.name}{_SEPARATOR}{key.namespace}"
    return sum(joined.startswith(_SEPARATOR, start) for start in range(len(joined))) > 1


def problem(ctx: SyncContext, pod: Obj) -> Problem | None:
    """The first object that the pod may not use yet, or ever; None when it may use all."""
    for used in _used(pod):
        resource, key = used.resource, used.key
        if not is_ambiguous(key) or resource not in ctx.host.stores:
            continue
        host = ctx.host.meta(resource, names.host_name(key, ctx.tenant))
        if host is not None and ownership.virtual_key(host) == key:
            continue
        is_there = resource in ctx.virtual.stores and ctx.virtual.meta(resource, key) is not None
        message = (
            f'{resource.kind} "{key.name}" cannot be used: its name on the host can also be that of an object in '
            f'another namespace, as "{_SEPARATOR}" is in its name or namespace. Create it before the pod, or rename it'
        )
        return Problem(message, is_coming=is_there and host is None)
    return None


def _used(pod: Obj) -> Iterator[Reference]:
    for one in references.references(pod):
        if (one.resource, one.key.name) != (CONFIG_MAPS, names.ROOT_CA):
            yield one
    yield Reference(SERVICE_ACCOUNTS, VirtualKey(pod["metadata"]["namespace"], service_account(pod)))
