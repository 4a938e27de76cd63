"""RuntimeClasses of the host: which container runtimes there are (spec §2.1)."""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import RUNTIME_CLASSES
from nestling.syncer import mirror

SPEC: Final = mirror.Mirror(
    resource=RUNTIME_CLASSES,
    enabled=lambda config: config.sync.from_host.runtime_classes.enabled,
    selector=lambda config: config.sync.from_host.runtime_classes.selector,
    immutable=("handler",),
).spec()
