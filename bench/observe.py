"""Watches of our own: when each object was first seen in each state, by the clock of this one process.

Times that objects carry have a precision of a second; these have that of the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection
from typing import Final

import msgspec

from nestling.kube import client, paging, watch
from nestling.kube.resource import Resource

_LOOK: Final = 0.02

CREATED: Final = "created"
SCHEDULED: Final = "scheduled"
RUNNING: Final = "running"
GONE: Final = "gone"


class _Meta(msgspec.Struct, gc=False):
    name: str


class _Spec(msgspec.Struct, gc=False):
    node: str = msgspec.field(default="", name="nodeName")


class _Status(msgspec.Struct, gc=False):
    phase: str = ""


class _Object(msgspec.Struct, gc=False):
    metadata: _Meta
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)


_DECODE: Final = msgspec.json.Decoder(_Object).decode


class Recorder:
    """The moments of the objects of one collection, by name."""

    def __init__(self, api: client.Client, resource: Resource, namespace: str) -> None:
        self.moments: dict[str, dict[str, float]] = {}
        self._ready = asyncio.Event()
        self._query = paging.Query(resource, namespace)
        self._api = api

    async def run(self) -> None:
        """Watch until cancelled."""
        async with contextlib.aclosing(watch.list_and_watch(self._api, self._query)) as events:
            async for event in events:
                if event.kind is watch.Kind.SYNCED:
                    self._ready.set()
                elif event.raw:
                    self._take(event)

    async def ready(self) -> None:
        """Wait until nothing can be missed any more."""
        await self._ready.wait()

    def _take(self, event: watch.Event) -> None:
        now = time.monotonic()
        obj = _DECODE(event.raw)
        seen = self.moments.setdefault(obj.metadata.name, {})
        seen.setdefault(CREATED, now)
        if event.kind is watch.Kind.DELETED:
            seen.setdefault(GONE, now)
        if obj.spec.node:
            seen.setdefault(SCHEDULED, now)
        if obj.status.phase == "Running":
            seen.setdefault(RUNNING, now)

    def mark(self, name: str, moment: str, when: float) -> None:
        """Something is known from elsewhere: an answer that came before the event of the watch."""
        seen = self.moments.setdefault(name, {})
        seen[moment] = min(seen.get(moment, when), when)

    def at(self, name: str, moment: str) -> float:
        """When this was first seen."""
        return self.moments[name][moment]

    def last(self, names: Collection[str], moment: str) -> float:
        """When the last of them was seen so."""
        return max(self.at(name, moment) for name in names)

    async def wait(self, names: Collection[str], moment: str, *, patience: float) -> None:
        """Wait until all of them have been seen so.

        Raises:
            TimeoutError: some have not, within ``patience`` seconds.
        """
        left = set(names)
        deadline = time.monotonic() + patience
        while left:
            left = {name for name in left if moment not in self.moments.get(name, ())}
            if left and time.monotonic() > deadline:
                where = self._query.namespace
                raise TimeoutError(f"{len(left)} of {len(names)} not {moment} in {where}, such as {sorted(left)[:3]}")
            await asyncio.sleep(_LOOK)
