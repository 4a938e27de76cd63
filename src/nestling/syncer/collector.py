"""Metrics that are read when they are asked for: depths, ages and sizes of queues and caches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import core, registry

from nestling.kube import cache, sources
from nestling.syncer import controller
from nestling.syncer.spec import SideName


class Collector(registry.Collector):
    """Reads controllers and informers at each scrape."""

    def __init__(
        self,
        controllers: Sequence[controller.Controller],
        informers: Sequence[tuple[SideName, cache.Informer]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._controllers = controllers
        self._informers = informers
        self._clock = clock

    def collect(self) -> Iterable[core.Metric]:
        """All families."""
        yield from self._queues()
        yield from self._kinds()
        yield from self._caches()

    def _queues(self) -> Iterable[core.Metric]:
        depth = core.GaugeMetricFamily("workqueue_depth", "Keys that wait for a reconcile.", labels=["name"])
        unfinished = core.GaugeMetricFamily(
            "workqueue_unfinished_work_seconds", "Sum of the times of running reconciles.", labels=["name"]
        )
        longest = core.GaugeMetricFamily(
            "workqueue_longest_running_processor_seconds", "The longest running reconcile.", labels=["name"]
        )
        workers = core.GaugeMetricFamily(
            "controller_runtime_active_workers", "Reconciles that are running.", labels=["controller"]
        )
        for one in self._controllers:
            name, running = [one.spec.name], one.ledger.running()
            depth.add_metric(name, len(one.queue))
            unfinished.add_metric(name, sum(running))
            longest.add_metric(name, max(running, default=0.0))
            workers.add_metric(name, len(running))
        return (depth, unfinished, longest, workers)

    def _kinds(self) -> Iterable[core.Metric]:
        stuck = core.GaugeMetricFamily(
            "nestling_stuck_objects", "Objects whose last reconcile failed.", labels=["kind"]
        )
        agreement = core.GaugeMetricFamily(
            "nestling_last_agreement_timestamp_seconds",
            "When both sides last agreed about all objects.",
            labels=["kind"],
        )
        for one in self._controllers:
            stuck.add_metric([one.spec.name], len(one.ledger.stuck))
            when = one.last_agreement()
            if when is not None:
                agreement.add_metric([one.spec.name], when)
        return (stuck, agreement)

    def _caches(self) -> Iterable[core.Metric]:
        labels = ["side", "resource"]
        age = core.GaugeMetricFamily(
            "nestling_cache_age_seconds", "Since the last event or bookmark of a watch.", labels=labels
        )
        objects = core.GaugeMetricFamily("nestling_cache_objects", "Objects in a cache.", labels=labels)
        lists = core.CounterMetricFamily("nestling_cache_lists", "Complete lists of a resource.", labels=labels)
        failures = core.CounterMetricFamily("nestling_watch_errors", "Failed lists and watches.", labels=labels)
        for side, informer in self._informers:
            which = [side.value, sources.title(informer)]
            if informer.last_event:
                age.add_metric(which, self._clock() - informer.last_event)
            objects.add_metric(which, len(informer.keys()))
            lists.add_metric(which, informer.lists)
            failures.add_metric(which, informer.errors)
        return (age, objects, lists, failures)
