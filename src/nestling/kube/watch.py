"""List and watch without an end: what a collection is, and how it changes.

A watch never lies:

* it goes on where it ended, bookmarks included, so that nothing is missed between two connections;
* when the server has forgotten that point (410, as an answer or within the stream), it lists anew;
* a connection that has gone silent is noticed: the server sends a bookmark every minute or two, and ends each watch
  after a time that we ask for;
* when the server's history has gone back (a restored backup), it lists anew too.

What is decided after an error is in ``Progress``, which does no I/O.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import enum
import random
import time
from collections.abc import AsyncGenerator, Callable
from typing import Final, Protocol

import msgspec

from nestling.kube import errors, metadata, paging, requests
from nestling.kube.resource import decode

#: After so many failures in a row that may be due to the version, the version is given up.
_PATIENCE: Final = 5
#: A watch that ends within this many seconds without a word counts as a failure.
_SUSPICIOUS: Final = 1.0
_DOUBLINGS: Final = 16


class Kind(enum.Enum):
    """What an event says."""

    #: A list begins: it may be the second try of one that broke off. What was listed so far does not count.
    LISTING = "listing"
    #: An object of the list.
    LISTED = "listed"
    #: The list is complete. Objects that it did not name were gone at its ``resource_version``.
    SYNCED = "synced"
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    #: Deleted, or changed so that the selector no longer finds it. ``raw`` is the last state.
    DELETED = "DELETED"
    #: Nothing happened up to ``resource_version``.
    BOOKMARK = "BOOKMARK"


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One event; ``raw`` and ``meta`` are the object's."""

    kind: Kind
    resource_version: str
    raw: bytes = b""
    meta: metadata.Meta | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How patient a watch is, in seconds."""

    #: The server ends each watch after a random time between these, so that watches do not all end together.
    shortest: float = 240.0
    longest: float = 360.0
    #: Without a byte for so long, a connection is given up. On a quiet collection the first bookmark comes after two
    #: minutes, the next ones every minute (measured, Kubernetes 1.34).
    idle: float = 150.0
    #: After failures: doubled from the first to the last, with jitter.
    first_delay: float = 0.1
    last_delay: float = 15.0

    def delay(self, failures: int) -> float:
        """How long to wait after so many failures in a row."""
        base: float = min(self.first_delay * 2 ** min(failures, _DOUBLINGS), self.last_delay)
        return base * random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not cryptography


class Api(Protocol):
    """The part of a client that a watch needs."""

    async def send(self, request: requests.Request) -> bytes:
        """Send a request; the answer's body."""

    def stream(self, request: requests.Request, *, idle_seconds: float) -> AsyncGenerator[bytes, None]:
        """The lines of an answer that has no end."""


def _nobody(_error: Exception) -> None:
    """Nobody wants to know."""


class Progress:
    """Where a watch stands, and what follows from how a connection ended."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        #: From where to watch; None when a list is needed.
        self.version: str | None = None
        self.failures = 0

    def saw(self, event: Event) -> None:
        """An event came: the connection works, and this is the new place to go on from."""
        if event.kind in (Kind.LISTING, Kind.LISTED):
            return
        if event.kind is not Kind.SYNCED:
            # a complete list proves nothing about watching; only watch events end a row of failures
            self.failures = 0
        if event.resource_version:
            self.version = event.resource_version

    def is_behind(self, event: Event) -> bool:
        """Does a bookmark say that the server's history is shorter than what we have seen?"""
        if event.kind is not Kind.BOOKMARK:
            return False
        now, before = metadata.revision(event.resource_version), metadata.revision(self.version)
        return now is not None and before is not None and now < before

    def ended(self, *, seconds: float, received: bool) -> float:
        """The server ended the watch; how long to wait before the next one."""
        if received or seconds >= _SUSPICIOUS:
            self.failures = 0
            return 0.0
        return self._failed()

    def failed(self, error: Exception) -> float:
        """A list or watch failed; how long to wait before the next one."""
        if isinstance(error, errors.Expired):
            self.version = None
            first = self.failures == 0
            wait = self._failed()
            return 0.0 if first else wait
        if isinstance(error, errors.NotFound):
            self.version = None  # the resource is not served; when it is again, it may have another history
        elif isinstance(error, errors.BadRequest | errors.ServerError) and self.failures % _PATIENCE == _PATIENCE - 1:
            self.version = None
        return self._failed()

    def _failed(self) -> float:
        self.failures += 1
        return self._timing.delay(self.failures - 1)


async def list_and_watch(
    api: Api, query: paging.Query, *, timing: Timing | None = None, on_error: Callable[[Exception], None] = _nobody
) -> AsyncGenerator[Event, None]:
    """Events for ever: LISTING, LISTED for each object, SYNCED, then changes; a list again where there is a gap.

    ``on_error`` hears of every failure, missing permissions too; the stream goes on by itself.
    """
    timing = timing or Timing()
    progress = Progress(timing)
    while True:
        started, received = time.monotonic(), False
        try:
            if progress.version is None:
                async with contextlib.aclosing(_list(api, query)) as listed:
                    async for event in listed:
                        progress.saw(event)
                        yield event
                started = time.monotonic()
            async with contextlib.aclosing(_watch(api, query, progress.version or "0", timing)) as stream:
                async for event in stream:
                    received = True
                    if progress.is_behind(event):
                        progress.version = None
                        break
                    progress.saw(event)
                    yield event
            wait = progress.ended(seconds=time.monotonic() - started, received=received)
        except (errors.ApiError, errors.ConnectionFailed) as error:
            wait = progress.failed(error)
            on_error(error)
        await asyncio.sleep(wait)


async def _list(api: Api, query: paging.Query) -> AsyncGenerator[Event, None]:
    async with contextlib.aclosing(paging.pages(api, query)) as pages:
        async for page in pages:
            if page.first:
                yield Event(Kind.LISTING, page.resource_version)
            for item in page.items:
                yield Event(Kind.LISTED, page.resource_version, item, metadata.read(item))
            if page.last:
                yield Event(Kind.SYNCED, page.resource_version)


class _Line(msgspec.Struct, gc=False):
    type: str
    object: msgspec.Raw


_LINE: Final = msgspec.json.Decoder(_Line).decode


async def _watch(api: Api, query: paging.Query, version: str, timing: Timing) -> AsyncGenerator[Event, None]:
    """Raises the ApiError that an ERROR event stands for."""
    request = requests.watch(
        query.resource,
        query.namespace,
        resource_version=version,
        timeout_seconds=max(1, round(random.uniform(timing.shortest, timing.longest))),  # noqa: S311 - spread only
        label_selector=query.label_selector,
        field_selector=query.field_selector,
    )
    async with contextlib.aclosing(api.stream(request, idle_seconds=timing.idle)) as lines:
        async for line in lines:
            try:
                event = parse(line)
            except (msgspec.DecodeError, ValueError) as error:
                raise errors.ConnectionFailed(request.path, f"this is no watch event: {line[:100]!r}") from error
            yield event


def parse(line: bytes) -> Event:
    """One line of a watch. Raises the ApiError that an ERROR event stands for."""
    found = _LINE(line)
    if found.type == "ERROR":
        raise errors.from_status(decode(bytes(found.object)))
    raw = bytes(found.object)
    meta = metadata.read(raw)
    if found.type == "BOOKMARK":
        return Event(Kind.BOOKMARK, meta.resource_version)
    return Event(Kind(found.type), meta.resource_version, raw, meta)
