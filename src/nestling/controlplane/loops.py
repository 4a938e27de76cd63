"""Level-based duties: a function that brings one thing in order, called again after changes, errors and a while."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final

import prometheus_client

from nestling.controlplane.logs import structlog
from nestling.kube import errors

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 10.0


class NotYetError(Exception):
    """What a duty needs is not there yet, or somebody stands in the way; the text says what. It is tried again."""


class Metrics:
    """What the duties report."""

    def __init__(self, registry: prometheus_client.CollectorRegistry) -> None:
        self.failures = prometheus_client.Counter(
            "nestling_duty_failures", "Failed runs of a control plane duty.", ["duty"], registry=registry
        )
        self.last_success = prometheus_client.Gauge(
            "nestling_duty_last_success_timestamp_seconds",
            "When a control plane duty last found everything in order.",
            ["duty"],
            registry=registry,
        )


class Duty:
    """One duty with its timer. ``done_once`` is set after the first success; readiness depends on it."""

    def __init__(
        self, name: str, reconcile: Callable[[], Awaitable[None]], *, metrics: Metrics, interval: float = 60.0
    ) -> None:
        self.name = name
        self.done_once = asyncio.Event()
        self._reconcile = reconcile
        self._interval = interval
        self._wake = asyncio.Event()
        self._failures = metrics.failures.labels(name)
        self._last_success = metrics.last_success.labels(name)
        self._log = structlog.stdlib.get_logger("nestling.duty").bind(duty=name)

    def wake(self) -> None:
        """Something changed: look again soon."""
        self._wake.set()

    async def run(self) -> None:
        """Run for ever. API errors are retried with back-off and a log line; anything else ends the process."""
        failed = 0
        while True:
            self._wake.clear()
            try:
                await self._reconcile()
            except (errors.ApiError, errors.ConnectionFailed, NotYetError) as error:
                failed += 1
                self._failures.inc()
                pause = backoff(failed)
                self._log.warning("cannot do this yet", error=str(error), retry_in=round(pause, 1))
            else:
                failed = 0
                pause = self._interval
                self._last_success.set(time.time())
                self.done_once.set()
            await self._sleep(pause, wakeable=not failed)

    async def _sleep(self, seconds: float, *, wakeable: bool) -> None:
        """Until ``wake``, or for so long; after a failure a wake does not shorten the pause, or errors would spin."""
        if not wakeable:
            await asyncio.sleep(seconds)
            return
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return


def backoff(failed: int) -> float:
    """The pause after so many failures in a row, with jitter, so that many clusters do not retry in step."""
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failed - 1, 10)) * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret
