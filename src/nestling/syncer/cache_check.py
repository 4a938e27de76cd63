"""Do the caches say what the API servers say? (user lesson 2: only a restart helped)

Two checks, both of which end in a new list of the resource, by itself:

* a watch that has been silent for far longer than bookmarks take, although nothing has failed;
* every ten minutes, the metadata of all objects is listed and compared. A difference must show twice, some seconds
  apart, since the list and the watch race.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from nestling.kube import cache, errors, metadata, paging, requests
from nestling.kube.resource import Resource
from nestling.syncer import metrics
from nestling.syncer.spec import SideName

_LOG = logging.getLogger(__name__)

INTERVAL: Final = 600.0
#: Bookmarks come every one or two minutes, and the watch itself gives up after 150 s (``watch.Timing``).
SILENCE: Final = 360.0
_LOOK: Final = 30.0
#: Time for the watch to catch up with a list.
_GRACE: Final = 5.0
_ACCEPT: Final = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"

_Known = Mapping[cache.Key, tuple[str, str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Watched:
    """A cache and the API server that it follows."""

    side: SideName
    informer: cache.Informer
    server: paging.Sender


@dataclasses.dataclass(frozen=True, slots=True)
class _Metadata:
    """Asks for metadata only: a tenth of the bytes."""

    server: paging.Sender

    async def send(self, request: requests.Request) -> bytes:
        return await self.server.send(dataclasses.replace(request, headers={**request.headers, "Accept": _ACCEPT}))


class CacheCheck:
    """Watches the watches."""

    def __init__(
        self,
        watched: Sequence[Watched],
        instruments: metrics.Metrics,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        #: When the last comparison of all caches ended (seconds since the epoch).
        self.last: float | None = None
        self._watched = watched
        self._metrics = instruments
        self._now = now
        self._clock = clock

    async def run(self) -> None:
        """Check for ever."""
        due = self._clock() + self._interval()
        while True:
            await asyncio.sleep(_LOOK)
            self.wake_silent()
            if self._clock() >= due:
                await self.compare_all()
                due = self._clock() + self._interval()

    def wake_silent(self) -> list[Resource]:
        """Order a new list where a watch says nothing although nothing has failed."""
        now = self._clock()
        silent = [
            one
            for one in self._watched
            if one.informer.last_event and one.informer.last_error is None and now - one.informer.last_event > SILENCE
        ]
        for one in silent:
            self._relist(one, "silent")
        return [one.informer.resource for one in silent]

    async def compare_all(self, *, grace: float = _GRACE) -> None:
        """Compare every cache with its server, one after the other. A server that cannot answer is passed over."""
        for one in self._watched:
            if not one.informer.synced.is_set():
                continue
            try:
                differing = await self.compare(one, grace=grace)
            except (errors.ApiError, errors.ConnectionFailed) as error:
                where = {"side": one.side.value, "resource": one.informer.resource.plural, "error": str(error)}
                _LOG.debug("cache not compared", extra=where)
                continue
            if differing:
                self._relist(one, "differs")
        self.last = self._now()

    async def compare(self, one: Watched, *, grace: float = _GRACE) -> frozenset[cache.Key]:
        """The keys about which cache and server differ, twice in the same way."""
        first = differences(one.informer, *await _listed(one))
        if not first:
            return frozenset()
        await asyncio.sleep(grace)
        second = differences(one.informer, *await _listed(one))
        return frozenset(key for key, how in first.items() if second.get(key) == how)

    def _relist(self, one: Watched, reason: str) -> None:
        resource = one.informer.resource.plural
        _LOG.warning("a cache is listed anew", extra={"side": one.side.value, "resource": resource, "reason": reason})
        self._metrics.relists.labels(one.side.value, resource, reason).inc()
        one.informer.relist()

    def _interval(self) -> float:
        return INTERVAL * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not cryptography


def differences(informer: cache.Informer, listed: _Known, version: str) -> dict[cache.Key, tuple[str, str]]:
    """Keys about which a cache is wrong, each with how: (UID and version listed, the same held); "" for none.

    Whatever the store has that is newer than the list is right.
    """
    store = informer.store
    at = metadata.revision(version)
    found: dict[cache.Key, tuple[str, str]] = {}
    for key, (uid, listed_version) in listed.items():
        meta = store.meta(key)
        held = (meta.uid, meta.resource_version) if meta is not None else ("", "")
        if held != (uid, listed_version) and not _is_newer(held[1], at):
            found[key] = (f"{uid} {listed_version}", " ".join(held))
    for key in informer.keys():  # noqa: SIM118 - an informer is no dict
        meta = store.meta(key)
        if key not in listed and meta is not None and not _is_newer(meta.resource_version, at):
            found[key] = ("", f"{meta.uid} {meta.resource_version}")
    return found


def _is_newer(version: str, at: int | None) -> bool:
    held = metadata.revision(version)
    return held is not None and at is not None and held > at


async def _listed(one: Watched) -> tuple[_Known, str]:
    listed: dict[cache.Key, tuple[str, str]] = {}
    version = ""
    async with contextlib.aclosing(paging.pages(_Metadata(one.server), one.informer.query)) as pages:
        async for page in pages:
            if page.first:
                listed.clear()
            version = page.resource_version
            for item in page.items:
                meta = metadata.read(item)
                listed[meta.key] = (meta.uid, meta.resource_version)
    return listed, version
