"""What an account did on an embedded host, from its audit log, and what its roles let it do.

used = audit.used(audit.read(host.host.layout.audit_log, user))
granted = audit.granted(role["rules"])
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from nestling.kube.resource import Obj


class Right(NamedTuple):
    """One thing that somebody does, or may do; the resource with its subresource, as in a rule."""

    verb: str
    group: str
    resource: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{'.' + self.group if self.group else ''}"


def read(log: Path, user: str) -> list[Obj]:
    """The entries about requests of one user for objects of the API; a line that is being written is left out."""
    entries: list[Obj] = []
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            entry: Obj = json.loads(line)
        except ValueError:
            continue
        if entry["user"].get("username") == user and "objectRef" in entry:
            entries.append(entry)
    return entries


def is_denied(entry: Obj) -> bool:
    """Did RBAC say no? Admission, which also answers with 403, is asked only after it has said yes."""
    return (entry.get("annotations") or {}).get("authorization.k8s.io/decision") == "forbid"


def right(entry: Obj) -> Right:
    """Which right a request needed."""
    about = entry["objectRef"]
    resource = "/".join(part for part in (about["resource"], about.get("subresource")) if part)
    return Right(entry["verb"], about.get("apiGroup", ""), resource)


def used(entries: Iterable[Obj]) -> frozenset[Right]:
    """The rights that requests made use of."""
    return frozenset(right(entry) for entry in entries if not is_denied(entry))


def granted(rules: Iterable[Obj]) -> frozenset[Right]:
    """The rights that RBAC rules give, whatever the names of the objects."""
    return frozenset(
        Right(verb, group, resource)
        for rule in rules
        for verb in rule["verbs"]
        for group in rule.get("apiGroups", ())
        for resource in rule.get("resources", ())
    )
