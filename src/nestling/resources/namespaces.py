"""The Pod Security labels of the virtual cluster's Namespaces (``policies.podSecurityStandard``, spec §5).

They make the virtual API server refuse pods at once, where otherwise only an event says that one is not synced.
"""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import NAMESPACES
from nestling.syncer import mapping
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import NOTHING, Pair, SyncSpec, Wanted
from nestling.syncer.verbs import existing

_PREFIX: Final = "pod-security.kubernetes.io/"
_MODES: Final = ("enforce", "warn")


async def _label(ctx: SyncContext, pair: Pair) -> Wanted:
    namespace, standard = existing(pair.virtual), ctx.config.policies.pod_security_standard
    if namespace["metadata"].get("deletionTimestamp") or not standard:
        return NOTHING
    wanted = {
        **{f"{_PREFIX}{mode}": standard for mode in _MODES},
        **{f"{_PREFIX}{mode}-version": "latest" for mode in _MODES},
    }
    meta = namespace["metadata"]
    return Wanted(virtual={**namespace, "metadata": {**meta, "labels": {**(meta.get("labels") or {}), **wanted}}})


SPEC: Final = SyncSpec(
    name="namespaces",
    virtual=NAMESPACES,
    host=None,
    naming=mapping.Mirrored(),
    enabled=lambda config: bool(config.policies.pod_security_standard),
    to_host=_label,
    has_status=False,
)
