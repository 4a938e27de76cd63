"""A work queue of keys: each key once, never twice at the same time, urgent ones first, failed ones later and later.

After the priority queue of controller-runtime: the keys of a first list get a low priority, so that live events are
not stuck behind ten thousand of them. Within a priority the lanes of the callers take turns, so that a flood in one of
them delays the others by no more than what was already their due. ``Schedule`` decides and knows no clock;
``WorkQueue`` waits.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import heapq
import itertools
import random
import time
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_DELAY: Final = 0.005
LAST_DELAY: Final = 60.0
_DOUBLINGS: Final = 30


class Closed(Exception):
    """The queue is closed; there is no more work."""


class _Turns:
    """The turns of one priority: in each, every lane that has a key waiting hands one out.

    A lane that was idle joins at the turn that is being served: it gets no credit for the time before.
    """

    def __init__(self) -> None:
        self._served = 0
        self._last: dict[Hashable, int] = {}

    def next(self, lane: Hashable) -> int:
        """The turn in which the next key of this lane would be handed out."""
        return max(self._last.get(lane, 0) + 1, self._served)

    def take(self, lane: Hashable) -> int:
        """The same; the turn is given away then."""
        self._last[lane] = turn = self.next(lane)
        return turn

    def serve(self, turn: int) -> None:
        """A key of this turn is handed out."""
        self._served = max(self._served, turn)


class Schedule(Generic[K]):
    """Which key is next at a given time."""

    def __init__(self) -> None:
        self._ready: list[tuple[int, int, int, K]] = []
        self._waiting: dict[K, tuple[int, int, int]] = {}
        self._working: set[K] = set()
        self._again: dict[K, tuple[int, Hashable]] = {}
        self._timers: list[tuple[float, int, K]] = []
        self._due: dict[K, tuple[float, int, int]] = {}
        self._turns: collections.defaultdict[int, _Turns] = collections.defaultdict(_Turns)
        self._count = itertools.count()

    def __len__(self) -> int:
        """How many keys could be worked on now, with those that were added again while they are worked on."""
        return len(self._waiting) + len(self._again)

    def __contains__(self, key: K) -> bool:
        """Is this key ready or handed out? One that waits for its time is not."""
        return key in self._waiting or key in self._working

    def is_working(self, key: K) -> bool:
        """Is this key handed out?"""
        return key in self._working

    @property
    def ready(self) -> int:
        """How many keys ``pop`` could hand out without waiting for ``done``."""
        return len(self._waiting)

    @property
    def working(self) -> int:
        """How many keys are handed out."""
        return len(self._working)

    @property
    def delayed(self) -> int:
        """How many keys wait for their time."""
        return len(self._due)

    def add(self, key: K, priority: int, lane: Hashable = None) -> None:
        """Make a key ready, after those of its lane; one that waits already keeps the better place."""
        if key in self._working:
            held_back = self._again.get(key)
            if held_back is None or held_back[0] < priority:
                self._again[key] = (priority, lane)
            return
        turns, held = self._turns[priority], self._waiting.get(key)
        if held is not None and (-held[0], -held[1]) >= (priority, -turns.next(lane)):
            return
        # an entry of the heap that is not the one in _waiting is stale, and passed over when it comes up
        place = (-priority, turns.take(lane), next(self._count))
        self._waiting[key] = place
        heapq.heappush(self._ready, (*place, key))

    def add_at(self, key: K, due: float, priority: int) -> None:
        """Make a key ready at a time; of two times for one key the earlier counts, and the better priority."""
        held = self._due.get(key)
        if held is not None:
            due, priority = min(due, held[0]), max(priority, held[2])
            if (due, priority) == (held[0], held[2]):
                return
        number = next(self._count)
        self._due[key] = (due, number, priority)
        heapq.heappush(self._timers, (due, number, key))

    def pop(self, now: float) -> K | None:
        """Hand out the next key; None when nothing is ready."""
        while self._timers and self._timers[0][0] <= now:
            due, number, key = heapq.heappop(self._timers)
            held = self._due.get(key)
            if held is not None and held[:2] == (due, number):
                del self._due[key]
                self.add(key, held[2])
        while self._ready:
            negative, turn, number, key = heapq.heappop(self._ready)
            if self._waiting.get(key) == (negative, turn, number):
                self._turns[-negative].serve(turn)
                del self._waiting[key]
                self._working.add(key)
                return key
        return None

    def done(self, key: K) -> None:
        """A key is no longer worked on; if it was added meanwhile it is ready again."""
        self._working.discard(key)
        again = self._again.pop(key, None)
        if again is not None:
            self.add(key, *again)

    def next_due(self) -> float | None:
        """When the next delayed key may become ready."""
        return self._timers[0][0] if self._timers else None


class WorkQueue(Generic[K]):
    """Keys that wait for a worker.

    ``get`` a key, work, then ``done``; after a failure ``add_rate_limited``, after a success ``forget``.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._schedule: Schedule[K] = Schedule()
        self._failures: dict[K, int] = {}
        self._waiters: collections.deque[asyncio.Future[None]] = collections.deque()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due: float | None = None
        self._closed = False

    def __len__(self) -> int:
        """The depth: how many keys could be worked on now."""
        return len(self._schedule)

    def __contains__(self, key: K) -> bool:
        """Is this key waiting for a worker, or with one? A key that waits for its time is not."""
        return key in self._schedule

    def is_working(self, key: K) -> bool:
        """Is a worker at this key?"""
        return self._schedule.is_working(key)

    @property
    def delayed(self) -> int:
        """How many keys wait for their time: back-off and ``after``."""
        return self._schedule.delayed

    @property
    def working(self) -> int:
        """How many keys are being worked on."""
        return self._schedule.working

    def add(self, key: K, *, priority: int = 0, after: float = 0.0, lane: Hashable = None) -> None:
        """Hand this key to a worker, once, ``after`` so many seconds. A waiting key keeps its better terms.

        Keys of one priority are handed out in turns, one of each ``lane``. What was delayed has a lane of its own.
        """
        if self._closed:
            return
        if after > 0:
            self._schedule.add_at(key, self._clock() + after, priority)
        else:
            self._schedule.add(key, priority, lane)
        self._wake()

    def add_rate_limited(self, key: K, *, priority: int = 0) -> None:
        """Try this key again, after a time that doubles with every failure until ``forget``."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(FIRST_DELAY * 2 ** min(failures, _DOUBLINGS), LAST_DELAY)
        # half to once the delay: keys that failed together do not all come back together
        self.add(key, priority=priority, after=delay * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not cryptography

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
            key = self._schedule.pop(self._clock())
            if key is not None:
                self._wake()  # there may be more, for another worker
                return key
            await self._turn()

    def done(self, key: K) -> None:
        """The worker has finished with this key; if it was added meanwhile, it is ready again."""
        self._schedule.done(key)
        self._wake()

    def close(self) -> None:
        """No more work: every ``get`` raises, now and later; what is added is dropped."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    async def _turn(self) -> None:
        """Wait until there may be something to do."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._set_timer()
        try:
            await waiter
        except BaseException:
            with contextlib.suppress(ValueError):
                self._waiters.remove(waiter)
            if waiter.done() and not waiter.cancelled():
                self._wake()  # it was our turn: somebody else's now
            raise

    def _wake(self) -> None:
        """Let one idle worker look: whoever finds something wakes the next."""
        due = self._schedule.next_due()
        if self._schedule.ready or (due is not None and due <= self._clock()):
            while self._waiters:
                waiter = self._waiters.popleft()
                if not waiter.done():
                    waiter.set_result(None)
                    return
        elif self._waiters:
            self._set_timer()

    def _set_timer(self) -> None:
        """Wake a worker when the next delayed key is due."""
        due = self._schedule.next_due()
        if due == self._timer_due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due, self._timer = due, None
        if due is not None:
            delay = max(due - self._clock(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        self._timer_due, self._timer = None, None
        self._wake()
