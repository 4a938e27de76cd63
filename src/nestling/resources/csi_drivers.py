"""CSIDrivers of the host: what a scheduler must know of a storage driver (spec §2.1)."""

from __future__ import annotations

from typing import Final

from nestling.config import resolve
from nestling.kube.resource import CSI_DRIVERS
from nestling.syncer import mirror

SPEC: Final = mirror.Mirror(
    resource=CSI_DRIVERS,
    enabled=resolve.csi_drivers,
    selector=lambda _config: None,
    immutable=("spec",),
).spec()
