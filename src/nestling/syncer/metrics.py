"""Instruments of the syncer, with the names that users of controller-runtime have dashboards for (spec
users-and-numbers §D).

No label is a name of an object: the number of series depends on the kinds alone. What can be read when it is asked for
(depths, ages, sizes) is in ``collector``.
"""

from __future__ import annotations

import dataclasses

import prometheus_client

from nestling.kube import client

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30)
#: Lag also knows the minutes that an object waits in back-off.
_SLOW = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300)


@dataclasses.dataclass(frozen=True, slots=True)
class Metrics:
    """The instruments, registered with one registry."""

    registry: prometheus_client.CollectorRegistry
    reconciles: prometheus_client.Counter
    errors: prometheus_client.Counter
    seconds: prometheus_client.Histogram
    adds: prometheus_client.Counter
    retries: prometheus_client.Counter
    writes: prometheus_client.Counter
    lag: prometheus_client.Histogram
    write_loops: prometheus_client.Counter
    drift: prometheus_client.Gauge
    repaired: prometheus_client.Counter
    scan_seconds: prometheus_client.Gauge
    relists: prometheus_client.Counter


def create(registry: prometheus_client.CollectorRegistry) -> Metrics:
    """Register all instruments."""

    def counter(name: str, text: str, *labels: str) -> prometheus_client.Counter:
        return prometheus_client.Counter(name, text, labels, registry=registry)

    def histogram(name: str, text: str, *labels: str, buckets: tuple[float, ...]) -> prometheus_client.Histogram:
        return prometheus_client.Histogram(name, text, labels, buckets=buckets, registry=registry)

    return Metrics(
        registry=registry,
        reconciles=counter("controller_runtime_reconcile", "Reconciles by result.", "controller", "result"),
        errors=counter("controller_runtime_reconcile_errors", "Reconciles that failed.", "controller"),
        seconds=histogram(
            "controller_runtime_reconcile_time_seconds", "Time of a reconcile.", "controller", buckets=_FAST
        ),
        adds=counter("workqueue_adds", "Keys that were added to a queue.", "name"),
        retries=counter("workqueue_retries", "Keys that were added again after a failure.", "name"),
        writes=counter("nestling_writes", "Writes by the side that they went to.", "kind", "side"),
        lag=histogram(
            "nestling_sync_lag_seconds",
            "From a change seen on one side to the write done on the other.",
            "kind",
            "direction",
            buckets=_SLOW,
        ),
        write_loops=counter(
            "nestling_write_loops", "Objects that were written so often that they were slowed down.", "kind"
        ),
        drift=prometheus_client.Gauge(
            "nestling_drift_objects", "Objects that differed at the last scan.", ["kind", "reason"], registry=registry
        ),
        repaired=counter("nestling_drift_repaired", "Differences of a scan that are gone.", "kind", "reason"),
        scan_seconds=prometheus_client.Gauge(
            "nestling_drift_scan_seconds", "How long the last drift scan took.", registry=registry
        ),
        relists=counter(
            "nestling_cache_relists",
            "Lists that were ordered because a cache was in doubt.",
            "side",
            "resource",
            "reason",
        ),
    )


def observers(registry: prometheus_client.CollectorRegistry, *sides: str) -> dict[str, client.Observer]:
    """For each side an observer of its client: ``rest_client_requests_total``.

    The label ``host`` is the side, not an address: addresses change and tell nobody anything.
    """
    requests = prometheus_client.Counter(
        "rest_client_requests", "Requests to an API server.", ["code", "method", "host"], registry=registry
    )

    def observer(side: str) -> client.Observer:
        def observe(*, method: str, host: str, code: str, seconds: float) -> None:  # noqa: ARG001 - a client.Observer
            requests.labels(code, method, side).inc()

        return observe

    return {side: observer(side) for side in sides}
