"""StorageClasses of the host (spec §2.1)."""

from __future__ import annotations

from typing import Final

from nestling.config import resolve
from nestling.kube.resource import STORAGE_CLASSES
from nestling.syncer import mirror

SPEC: Final = mirror.Mirror(
    resource=STORAGE_CLASSES,
    enabled=resolve.storage_classes_from_host,
    selector=lambda config: config.sync.from_host.storage_classes.selector,
    immutable=("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
).spec()
