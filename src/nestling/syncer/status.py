"""The state of the syncer as a JSON document, for ``describe`` (format: docs/observability.md).

Names and reasons, never the content of an object: whoever may read it need not be the tenant.
"""

from __future__ import annotations

import datetime
from typing import Final

from nestling.kube import cache, sources
from nestling.kube.resource import Obj
from nestling.syncer import controller, drift, manager
from nestling.syncer.spec import SideName

#: So many stuck objects of a kind are named, the oldest ones.
STUCK_SHOWN: Final = 10


def document(syncers: manager.Manager, *, now: float, clock: float) -> Obj:
    """What is in agreement, what is not, and why. ``clock`` is the monotonic one of the caches."""
    report = syncers.scanner.last
    return {
        "kinds": {one.spec.name: _kind(one, syncers, report) for one in syncers.controllers},
        "caches": [_cache(side, informer, clock) for side, informer in syncers.caches],
        "drift": {
            "lastScan": stamp(report.ended) if report else None,
            "seconds": round(report.seconds, 3) if report else None,
            "objects": sum(report.drifted.values()) if report else None,
        },
        "lastCacheCheck": stamp(syncers.cache_check.last),
        "time": stamp(now),
    }


def _kind(one: controller.Controller, syncers: manager.Manager, report: drift.Report | None) -> Obj:
    ctx, stuck = syncers.context, one.ledger.stuck
    oldest = sorted(stuck.items(), key=lambda item: item[1].since)[:STUCK_SHOWN]
    return {
        "inAgreement": one.is_in_agreement,
        "lastAgreement": stamp(one.last_agreement()),
        "queue": {"depth": len(one.queue), "delayed": one.queue.delayed, "working": one.queue.working},
        "objects": {
            "virtual": len(ctx.virtual.stores[one.spec.virtual]),
            "host": len(ctx.host.stores[one.spec.host]) if one.spec.host is not None else 0,
        },
        "stuck": {
            "count": len(stuck),
            "oldest": [
                {
                    "namespace": key.namespace,
                    "name": key.name,
                    "since": stamp(entry.since),
                    "tries": entry.tries,
                    "error": entry.error,
                }
                for key, entry in oldest
            ],
        },
        "drift": {
            reason: number
            for (kind, reason), number in (report.drifted if report else {}).items()
            if kind == one.spec.name
        },
    }


def _cache(side: SideName, informer: cache.Informer, clock: float) -> Obj:
    return {
        "side": side.value,
        "resource": sources.title(informer),
        "objects": len(informer.keys()),
        "ageSeconds": round(clock - informer.last_event, 1) if informer.last_event else None,
        "lists": informer.lists,
        "errors": informer.errors,
        "failing": informer.last_error is not None,
    }


def stamp(seconds: float | None) -> str | None:
    """Seconds since the epoch as Kubernetes writes times."""
    if seconds is None:
        return None
    return datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
