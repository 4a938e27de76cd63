"""Tells the echo of our own writes from news.

A write comes back twice, as its answer and as the event of a watch, in any order. When the object is then just as the
reconcile wanted it, another reconcile would find nothing to do: a third of all did. Whatever else changes while a
reconcile is at its key is news, and so is everything after it.
"""

from __future__ import annotations

from nestling.naming.tenant import VirtualKey
from nestling.syncer.spec import SideName


class Echoes:
    """What has happened to the keys that are being worked on."""

    def __init__(self) -> None:
        self._seen: dict[VirtualKey, set[tuple[SideName, str]]] = {}
        self._wanted: dict[VirtualKey, set[tuple[SideName, str]]] = {}

    def saw(self, key: VirtualKey, side: SideName, version: str) -> None:
        """This side has the object in this version now."""
        self._seen.setdefault(key, set()).add((side, version))

    def as_wanted(self, key: VirtualKey, side: SideName, version: str) -> None:
        """This version is what the reconcile wrote, and wanted."""
        self._wanted.setdefault(key, set()).add((side, version))

    def news(self, key: VirtualKey) -> set[SideName]:
        """The sides that have changed in another way; the reconcile is done."""
        wanted = self._wanted.pop(key, set())
        return {side for side, version in self._seen.pop(key, set()) if (side, version) not in wanted}
