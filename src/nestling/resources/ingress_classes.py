"""IngressClasses of the host: which ingress controllers there are (spec §2.1)."""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import INGRESS_CLASSES
from nestling.syncer import mirror

SPEC: Final = mirror.Mirror(
    resource=INGRESS_CLASSES,
    enabled=lambda config: config.sync.from_host.ingress_classes.enabled,
    selector=lambda config: config.sync.from_host.ingress_classes.selector,
    # only its controller cannot be changed, and that says what the class is
    immutable=("spec",),
).spec()
