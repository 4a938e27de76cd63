"""Notices an object that we write again and again because somebody undoes it each time (user lessons 13 and 15).

Counting is by a sliding window of two counters per key. A key over the limit is told of once, and then slowed down,
more with each write, until it has been left in peace for a window.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

WINDOW: Final = 60.0
#: Writes of one object in a window. A leader that keeps its lock in a ConfigMap makes thirty; a fight makes hundreds.
LIMIT: Final = 120
FIRST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 60.0


@dataclasses.dataclass(slots=True)
class _Fight:
    pause: float
    until: float


class LoopDetector(Generic[K]):
    """The writes of one kind."""

    def __init__(self, *, limit: int = LIMIT, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._begun = clock()
        self._now: dict[K, int] = {}
        self._before: dict[K, int] = {}
        self._fights: dict[K, _Fight] = {}

    def wrote(self, key: K) -> bool:
        """Count a write. True for the one that is one too many: time to tell somebody."""
        now = self._clock()
        self._turn(now)
        self._now[key] = self._now.get(key, 0) + 1
        fight = self._fights.get(key)
        if fight is not None:
            if now >= fight.until:
                fight.pause = min(fight.pause * 2, LONGEST_PAUSE)
                fight.until = now + fight.pause
            return False
        share = max(0.0, 1 - (now - self._begun) / WINDOW)
        if self._now[key] + self._before.get(key, 0) * share <= self._limit:
            return False
        self._fights[key] = _Fight(FIRST_PAUSE, now + FIRST_PAUSE)
        return True

    def pause(self, key: K) -> float:
        """How many seconds this key should be left alone; 0 for all peaceful ones."""
        fight = self._fights.get(key)
        return max(0.0, fight.until - self._clock()) if fight is not None else 0.0

    def forget(self, key: K) -> None:
        """The object is gone on both sides: another one of that name has done nothing yet."""
        for counts in (self._now, self._before, self._fights):
            counts.pop(key, None)

    def _turn(self, now: float) -> None:
        """Begin a new window when the last one is over; forget what has become quiet."""
        elapsed = now - self._begun
        if elapsed < WINDOW:
            return
        self._before = self._now if elapsed < 2 * WINDOW else {}
        self._now = {}
        self._begun = now
        self._fights = {key: fight for key, fight in self._fights.items() if now - fight.until < WINDOW}
