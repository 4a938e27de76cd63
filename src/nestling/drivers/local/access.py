"""Who the control plane of a virtual cluster is on the embedded host: a user of its own, with the rights of the chart's
account.

A certificate cannot carry the name of a service account: names in certificates end at 64 characters (RFC 5280), those
of accounts do not. So the bindings of the chart get the user as a second subject.
"""

from __future__ import annotations

import hashlib
from typing import Final

from nestling.controlplane import authority
from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant

_PREFIX: Final = "nestling:"
_LONGEST: Final = 64
_BINDINGS: Final = frozenset({"RoleBinding", "ClusterRoleBinding"})


def user(tenant: Tenant) -> str:
    """The user name; the slash, which no name can hold, keeps any two virtual clusters apart."""
    identity = f"{tenant.namespace}/{tenant.name}"
    plain = _PREFIX + identity
    return plain if len(plain) <= _LONGEST else _PREFIX + hashlib.sha256(identity.encode()).hexdigest()[:48]


def subject(tenant: Tenant) -> authority.Subject:
    """What the client certificate says."""
    return authority.Subject(common_name=user(tenant))


def bind(objects: list[Obj], tenant: Tenant) -> list[Obj]:
    """The objects of the chart, with every binding also for the user."""
    own = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user(tenant)}
    return [{**one, "subjects": [*one["subjects"], own]} if one["kind"] in _BINDINGS else one for one in objects]
