"""Deletions that are remembered for a while, so that an older answer does not bring an object back."""

from __future__ import annotations

import collections
import dataclasses
import time
from typing import Final

from nestling.kube.metadata import Key, Meta

#: How long a deletion is remembered: longer than any request takes.
SECONDS: Final = 300.0


@dataclasses.dataclass(frozen=True, slots=True)
class Grave:
    """A deleted object. ``final``: this UID is gone for good, not only out of the selector's sight."""

    uid: str
    revision: int | None
    final: bool
    dug: float

    def holds(self, meta: Meta) -> bool:
        """Is this the object that was deleted, or an older state of it?"""
        if self.final and meta.uid == self.uid:
            return True
        revision = meta.revision
        return self.revision is not None and revision is not None and revision <= self.revision


class Graves:
    """The deletions of one collection."""

    def __init__(self) -> None:
        self._graves: collections.OrderedDict[Key, Grave] = collections.OrderedDict()

    def __len__(self) -> int:
        return len(self._graves)

    def holds(self, meta: Meta) -> bool:
        """Was this object deleted at that version, or later?"""
        grave = self._graves.get(meta.key)
        return grave is not None and grave.holds(meta)

    def dig(self, key: Key, *, uid: str, revision: int | None, final: bool) -> None:
        """Remember a deletion, and forget old ones.

        Late news of the end of an earlier object takes nothing from what is known of later ones of its name.
        """
        now = time.monotonic()
        known = self._graves.pop(key, None)
        if known is not None and known.revision is not None:
            revision = max(revision or 0, known.revision)
        self._graves[key] = Grave(uid, revision, final, now)
        while next(iter(self._graves.values())).dug < now - SECONDS:
            self._graves.popitem(last=False)

    def forget(self, key: Key) -> None:
        """There is a new object under this key."""
        self._graves.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._graves.clear()
