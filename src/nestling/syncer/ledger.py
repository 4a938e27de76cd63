"""What is known about the work of one kind: what is stuck and why, how late writes were, when all was in agreement.

Bookkeeping for metrics and the status document; no decision depends on it.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Final

from nestling.naming.tenant import VirtualKey
from nestling.syncer import metrics
from nestling.syncer.spec import SideName

#: The direction of a write, by the side that it goes to.
DIRECTIONS: Final[Mapping[SideName, str]] = {SideName.HOST: "to_host", SideName.VIRTUAL: "to_virtual"}
_OTHER: Final[Mapping[SideName, SideName]] = {SideName.HOST: SideName.VIRTUAL, SideName.VIRTUAL: SideName.HOST}


@dataclasses.dataclass(frozen=True, slots=True)
class Stuck:
    """A key whose last reconcile failed: since when (seconds since the epoch), and why."""

    since: float
    tries: int
    error: str


@dataclasses.dataclass(slots=True)
class _Work:
    started: float
    #: When the change of each side that is being dealt with was seen.
    seen: dict[SideName, float]


class Ledger:
    """The books of one kind."""

    def __init__(
        self,
        kind: str,
        instruments: metrics.Metrics,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._kind = kind
        self._metrics = instruments
        self._clock = clock
        self._now = now
        self._seen: dict[VirtualKey, dict[SideName, float]] = {}
        self._work: dict[VirtualKey, _Work] = {}
        self._stuck: dict[VirtualKey, Stuck] = {}
        self._lags = {side: instruments.lag.labels(kind, direction) for side, direction in DIRECTIONS.items()}
        self._writes = {side: instruments.writes.labels(kind, side.value) for side in SideName}
        self._left: float | None = None

    def seen(self, key: VirtualKey, side: SideName) -> None:
        """A change of this side wants the key to be looked at; of several the first counts."""
        self._seen.setdefault(key, {}).setdefault(side, self._clock())

    def begin(self, key: VirtualKey) -> None:
        """A reconcile starts."""
        self._work[key] = _Work(self._clock(), self._seen.pop(key, {}))

    def wrote(self, key: VirtualKey, side: SideName) -> None:
        """A write to this side is done: what was seen on the other one has arrived."""
        self._writes[side].inc()
        work = self._work.get(key)
        since = work.seen.pop(_OTHER[side], None) if work is not None else None
        if since is not None:
            self._lags[side].observe(self._clock() - since)

    def succeeded(self, key: VirtualKey) -> None:
        """Both sides agree, as far as anybody knows."""
        self._work.pop(key, None)
        self._stuck.pop(key, None)

    def failed(self, key: VirtualKey, error: str) -> bool:
        """The reconcile has failed and will be tried again. Is this error news?"""
        work = self._work.pop(key, None)
        if work is not None and work.seen:
            later = self._seen.get(key, {})
            self._seen[key] = {**later, **work.seen}
        before = self._stuck.get(key)
        if before is None:
            self._stuck[key] = Stuck(self._now(), 1, error)
            return True
        self._stuck[key] = Stuck(before.since, before.tries + 1, error)
        return before.error != error

    def leave_agreement(self) -> None:
        """Up to this moment both sides agreed about all objects."""
        self._left = self._now()

    @property
    def left_agreement(self) -> float | None:
        """When there last was nothing to do, None if there always was."""
        return self._left

    @property
    def stuck(self) -> Mapping[VirtualKey, Stuck]:
        """The keys whose last reconcile failed."""
        return self._stuck

    def running(self) -> list[float]:
        """For how long each running reconcile has been at it, in seconds."""
        now = self._clock()
        return [now - work.started for work in self._work.values()]
