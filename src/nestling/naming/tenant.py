"""Who a virtual cluster is, and keys that cannot be mixed up between the two sides."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple


@dataclasses.dataclass(frozen=True, slots=True)
class Tenant:
    """A virtual cluster: its name and the host namespace that holds its control plane and all its objects."""

    name: str
    namespace: str


class VirtualKey(NamedTuple):
    """An object in the virtual cluster; ``namespace`` is empty for a cluster-scoped kind."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class HostKey(NamedTuple):
    """An object on the host; ``namespace`` is empty for a cluster-scoped kind."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name
