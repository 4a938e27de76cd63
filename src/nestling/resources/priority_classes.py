"""PriorityClasses of the host: how important pods can be (spec §2.1, fromHost)."""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import PRIORITY_CLASSES
from nestling.syncer import mirror

SPEC: Final = mirror.Mirror(
    resource=PRIORITY_CLASSES,
    enabled=lambda config: config.sync.from_host.priority_classes.enabled,
    selector=lambda config: config.sync.from_host.priority_classes.selector,
    immutable=("value", "preemptionPolicy"),
    built_in=frozenset({"system-node-critical", "system-cluster-critical"}),
).spec()
