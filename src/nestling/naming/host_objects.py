"""Which objects of the host are shown under which name, and the way back: ``mappings.byName`` (spec §2.9).

The most exact row decides about a host object: its own name, then its namespace, then what is written about the
namespace of the control plane.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from nestling.naming.tenant import HostKey, VirtualKey

_ALL = "*"


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Row:
    """One mapping: a host object, or all of a host namespace. Rows sort in the order in which they count."""

    #: 0: a name and its namespace; 1: a namespace; 2: a name of the own namespace; 3: all of the own namespace.
    rank: int
    namespace: str
    #: Empty for all.
    name: str
    to_namespace: str
    #: Empty: the name stays.
    to_name: str

    @property
    def is_exact(self) -> bool:
        """Does the operator name this object, not only its namespace?"""
        return bool(self.name)

    def covers(self, host: HostKey) -> bool:
        """Is this row about the host object?"""
        return self.namespace == host.namespace and self.name in ("", host.name)

    def to_virtual(self, host: HostKey) -> VirtualKey:
        """Where the tenant sees it."""
        return VirtualKey(self.to_namespace, self.to_name or host.name)

    def to_host(self, key: VirtualKey) -> HostKey | None:
        """The host object that would be shown under this key, None when the row shows nothing there."""
        shown_as = self.to_name or self.name or key.name
        return HostKey(self.namespace, self.name or key.name) if key == (self.to_namespace, shown_as) else None


@dataclasses.dataclass(frozen=True, slots=True)
class Mappings:
    """All rows of one kind."""

    rows: tuple[Row, ...]

    def row(self, host: HostKey) -> Row | None:
        """The row that decides about a host object."""
        return next((row for row in self.rows if row.covers(host)), None)

    def to_virtual(self, host: HostKey) -> VirtualKey | None:
        """Where the tenant sees a host object, None when it is not shown."""
        row = self.row(host)
        return row.to_virtual(host) if row is not None else None

    def to_host(self, key: VirtualKey) -> Iterator[HostKey]:
        """The host objects that would be shown under this key. Of those that exist, the first one is."""
        for row in self.rows:
            host = row.to_host(key)
            if host is not None and self.to_virtual(host) == key:
                yield host


def parse(by_name: Mapping[str, str], own_namespace: str) -> Mappings:
    """The mappings as they are written; ``config.rules.mappings`` has checked them."""
    return Mappings(tuple(sorted(_row(host, virtual, own_namespace) for host, virtual in by_name.items())))


def _row(host: str, virtual: str, own_namespace: str) -> Row:
    to_namespace, _, to_name = virtual.partition("/")
    namespace, _, name = host.partition("/")
    name, to_name = name.removesuffix(_ALL), to_name.removesuffix(_ALL)
    rank = (0 if name else 1) if namespace else (2 if name else 3)
    return Row(rank, namespace or own_namespace, name, to_namespace, to_name)
