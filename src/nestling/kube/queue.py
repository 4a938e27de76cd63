"""A work queue of keys: each key once, never twice at the same time, urgent ones first, failed ones later and later.

After the priority queue of controller-runtime: the keys of a first list get a low priority, so that live events are
not stuck behind ten thousand of them.
"""

from __future__ import annotations

import asyncio
import collections
import heapq
import random
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_DELAY: Final = 0.005
LAST_DELAY: Final = 60.0


class Closed(Exception):
    """The queue is closed; there is no more work."""


class WorkQueue(Generic[K]):
    """Keys that wait for a worker."""

    def __init__(self, *, now: Callable[[], float] | None = None) -> None:
        self._now = now
        self._waiting: dict[K, int] = {}
        self._ready: dict[int, collections.deque[K]] = {}
        self._working: set[K] = set()
        self._again: dict[K, int] = {}
        self._delayed: list[tuple[float, int, K]] = []
        self._due: dict[K, float] = {}
        self._failures: dict[K, int] = {}
        self._sequence = 0
        self._wake = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        """How many keys wait, without those that wait for their time."""
        return len(self._waiting) + len(self._again)

    def add(self, key: K, *, priority: int = 0, after: float = 0.0) -> None:
        """Hand this key to a worker, once, ``after`` so many seconds. A waiting key keeps its better terms."""
        if after > 0:
            self._add_later(key, after)
            return
        if key in self._working:
            self._again[key] = max(priority, self._again.get(key, priority))
            return
        known = self._waiting.get(key)
        if known is not None and known >= priority:
            return
        # with a better priority the key is queued again; its older entry is passed over when it comes up
        self._waiting[key] = priority
        self._ready.setdefault(priority, collections.deque()).append(key)
        self._wake.set()

    def add_rate_limited(self, key: K) -> None:
        """Try this key again, after a time that doubles with every failure until ``forget``."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(FIRST_DELAY * 2 ** min(failures, 30), LAST_DELAY)
        self.add(key, after=delay * random.uniform(0.9, 1.1))  # noqa: S311 - jitter, not cryptography

    def forget(self, key: K) -> None:
        """The key has succeeded: its next failure starts at the shortest delay."""
        self._failures.pop(key, None)

    def failures(self, key: K) -> int:
        """How often the key has failed in a row."""
        return self._failures.get(key, 0)

    async def get(self) -> K:
        """The next key; call ``done`` with it afterwards.

        Raises:
            Closed: the queue was closed.
        """
        while True:
            if self._closed:
                raise Closed
            self._release()
            key = self._pop()
            if key is not None:
                return key
            self._wake.clear()
            timeout = max(self._delayed[0][0] - self._time(), 0.0) if self._delayed else None
            try:
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def done(self, key: K) -> None:
        """The worker has finished with this key; if it was added meanwhile, it is ready again."""
        self._working.discard(key)
        priority = self._again.pop(key, None)
        if priority is not None:
            self.add(key, priority=priority)

    def close(self) -> None:
        """No more work: every ``get`` raises."""
        self._closed = True
        self._wake.set()

    def _time(self) -> float:
        return self._now() if self._now is not None else asyncio.get_running_loop().time()

    def _add_later(self, key: K, after: float) -> None:
        due = self._time() + after
        known = self._due.get(key)
        if known is not None and known <= due:
            return
        self._due[key] = due
        self._sequence += 1
        heapq.heappush(self._delayed, (due, self._sequence, key))
        self._wake.set()

    def _release(self) -> None:
        now = self._time()
        while self._delayed and self._delayed[0][0] <= now:
            due, _, key = heapq.heappop(self._delayed)
            if self._due.get(key) == due:
                del self._due[key]
                self.add(key)

    def _pop(self) -> K | None:
        for priority in sorted(self._ready, reverse=True):
            ready = self._ready[priority]
            while ready:
                key = ready.popleft()
                if self._waiting.get(key) == priority:
                    del self._waiting[key]
                    self._working.add(key)
                    if self._waiting:
                        self._wake.set()
                    return key
            del self._ready[priority]
        return None
