"""Metrics of the syncer, with the names that users of controller-runtime have dashboards for (spec users-and-numbers
§D).
"""

from __future__ import annotations

import dataclasses

import prometheus_client


@dataclasses.dataclass(frozen=True, slots=True)
class Metrics:
    """The instruments, registered with one registry."""

    registry: prometheus_client.CollectorRegistry
    reconciles: prometheus_client.Counter
    seconds: prometheus_client.Histogram
    depth: prometheus_client.Gauge
    writes: prometheus_client.Counter


def create(registry: prometheus_client.CollectorRegistry) -> Metrics:
    """Register all instruments."""
    return Metrics(
        registry=registry,
        reconciles=prometheus_client.Counter(
            "controller_runtime_reconcile",
            "Reconciles by controller and result",
            ["controller", "result"],
            registry=registry,
        ),
        seconds=prometheus_client.Histogram(
            "controller_runtime_reconcile_time_seconds",
            "Time of a reconcile",
            ["controller"],
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
            registry=registry,
        ),
        depth=prometheus_client.Gauge("workqueue_depth", "Keys that wait for a reconcile", ["name"], registry=registry),
        writes=prometheus_client.Counter(
            "nestling_writes", "Wanted changes that were applied", ["controller"], registry=registry
        ),
    )
