"""Which Events are worth writing: an object that is stuck must not make one at every retry (user lesson 16)."""

from __future__ import annotations

import collections
import dataclasses
from typing import Final

#: The same Event again is written at most this often; the tries between are added to its count.
REPEAT_SECONDS: Final = 300.0
#: Different texts about one object in a window, for messages with a number or time in them.
TEXTS: Final = 5
TEXT_WINDOW: Final = 600.0
#: All Events together: a burst, then so many a second. What is held back comes with the object's next try.
BURST: Final = 100.0
RATE: Final = 10.0
#: More memories than this are not kept; a forgotten Event is at worst written early.
_KEPT: Final = 10_000


@dataclasses.dataclass(slots=True)
class _Said:
    at: float
    unsaid: int = 0


class Limits:
    """The memory of what has been said. Times are seconds of any one clock."""

    def __init__(self) -> None:
        self._said: collections.OrderedDict[str, _Said] = collections.OrderedDict()
        self._texts: collections.OrderedDict[str, collections.deque[float]] = collections.OrderedDict()
        self._tokens = BURST
        self._filled = 0.0

    def take(self, identity: str, about: str, at: float) -> int:
        """How many occurrences to write down now: 0 for none, more than 1 with those that were held back.

        ``identity`` is the whole Event, ``about`` the object and reason.
        """
        said = self._said.get(identity)
        if said is not None and at - said.at < REPEAT_SECONDS:
            said.unsaid += 1
            return 0
        if said is None and self._has_talked(about, at):
            return 0
        if not self._has_token(at):
            return 0
        number = 1 if said is None else said.unsaid + 1
        self._said[identity] = _Said(at)
        self._said.move_to_end(identity)
        if said is None:
            self._texts.setdefault(about, collections.deque(maxlen=TEXTS)).append(at)
            self._texts.move_to_end(about)
        for memory in (self._said, self._texts):
            while len(memory) > _KEPT:
                memory.popitem(last=False)
        return number

    def forget(self, identity: str) -> None:
        """The Event could not be written; the next try may."""
        self._said.pop(identity, None)

    def _has_talked(self, about: str, at: float) -> bool:
        times = self._texts.get(about)
        return times is not None and len(times) == TEXTS and at - times[0] < TEXT_WINDOW

    def _has_token(self, at: float) -> bool:
        self._tokens = min(BURST, self._tokens + max(0.0, at - self._filled) * RATE)
        self._filled = at
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
