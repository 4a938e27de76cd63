"""A permission on the host cluster, as each synced kind declares it and the role objects are built from it."""

from __future__ import annotations

import dataclasses
from typing import Final

#: Read and watch.
READ: Final = ("get", "list", "watch")
#: Watch without reading single objects.
WATCH: Final = ("list", "watch")
#: Everything the syncer does with objects that it owns. Changes are patches: it never sends whole objects.
FULL: Final = ("create", "delete", "patch", *READ)


@dataclasses.dataclass(frozen=True, slots=True)
class PolicyRule:
    """One RBAC rule; ``cluster`` puts it into the ClusterRole instead of the namespace's Role (spec §6, role rows)."""

    api_groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    resource_names: tuple[str, ...] = ()
    cluster: bool = False
