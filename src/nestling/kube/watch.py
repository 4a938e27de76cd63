"""List and watch without an end: the stream of what a collection is and becomes.

A watch never lies: it resumes from the last version it has seen, bookmarks included; when that is too old (410), it
lists anew; a connection that has gone silent is noticed, since the server ends each watch after a known time and we
wait only little longer.
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import random
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import msgspec

from nestling.kube import client as client_module
from nestling.kube import errors, requests
from nestling.kube.resource import Resource

_PAGE: Final = 500
#: Seconds after which the server is asked to end a watch; a random one, so that watches do not end together.
SHORTEST, LONGEST = 240, 360
#: Seconds without a byte, bookmarks included (the server sends one a minute), after which a connection is given up.
IDLE: Final = 90.0
_FIRST_DELAY: Final = 0.1
_LAST_DELAY: Final = 10.0


class Kind(enum.Enum):
    """What an event says."""

    #: An object of a list.
    LISTED = "listed"
    #: The list is complete; what it did not name is gone.
    SYNCED = "synced"
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One event; ``raw`` is the object's JSON, empty for SYNCED and BOOKMARK."""

    kind: Kind
    raw: bytes = b""


class _Meta(msgspec.Struct, gc=False):
    resource_version: str = msgspec.field(default="", name="resourceVersion")
    continue_token: str = msgspec.field(default="", name="continue")


class _WithMeta(msgspec.Struct, gc=False):
    metadata: _Meta = msgspec.field(default_factory=_Meta)


class _Page(msgspec.Struct):
    metadata: _Meta
    items: list[msgspec.Raw] | None = None


class _Line(msgspec.Struct):
    type: str
    object: msgspec.Raw


_PAGE_DECODER: Final = msgspec.json.Decoder(_Page)
_LINE_DECODER: Final = msgspec.json.Decoder(_Line)
_META_DECODER: Final = msgspec.json.Decoder(_WithMeta)
_STATUS_DECODER: Final = msgspec.json.Decoder(dict[str, Any])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Which collection to follow, and how patiently."""

    client: client_module.Client
    resource: Resource
    namespace: str | None = None
    label_selector: str | None = None
    field_selector: str | None = None
    idle_seconds: float = IDLE
    #: Told about each failure; the stream goes on by itself.
    on_error: Callable[[Exception], None] = lambda _error: None


async def list_and_watch(source: Source) -> AsyncIterator[Event]:
    """Events for ever: LISTED for each object, SYNCED, then changes; LISTED and SYNCED again after a gap."""
    failures = 0
    version: str | None = None
    while True:
        try:
            if version is None:
                async for event, listed in _list(source):
                    version = listed
                    yield event
                failures = 0
            received = False
            async for event, seen in _watch(source, version or "0"):
                version = seen
                failures, received = 0, True
                yield event
            if not received:
                # ended without a word: not to be asked again in a tight loop
                await asyncio.sleep(_delay(failures))
                failures += 1
        except errors.Expired:
            version = None
        except (errors.ApiError, errors.ConnectionFailed) as error:
            source.on_error(error)
            await asyncio.sleep(_delay(failures))
            failures += 1


async def _list(source: Source) -> AsyncIterator[tuple[Event, str | None]]:
    """Each page's objects. Only SYNCED carries the version: a list that breaks off has none."""
    token: str | None = None
    while True:
        request = requests.list_(
            source.resource,
            source.namespace,
            label_selector=source.label_selector,
            field_selector=source.field_selector,
            limit=_PAGE,
            continue_=token,
        )
        page = _PAGE_DECODER.decode(await source.client.send(request))
        for item in page.items or ():
            yield Event(Kind.LISTED, bytes(item)), None
        token = page.metadata.continue_token
        if not token:
            yield Event(Kind.SYNCED), page.metadata.resource_version
            return


async def _watch(source: Source, version: str) -> AsyncIterator[tuple[Event, str]]:
    seconds = random.randint(SHORTEST, LONGEST)  # noqa: S311 - spread, not cryptography
    request = requests.watch(
        source.resource,
        source.namespace,
        resource_version=version,
        timeout_seconds=seconds,
        label_selector=source.label_selector,
        field_selector=source.field_selector,
    )
    async for line in source.client.stream(request, idle_seconds=source.idle_seconds):
        event = _LINE_DECODER.decode(line)
        if event.type == "ERROR":
            raise errors.from_status(_STATUS_DECODER.decode(event.object))
        seen = _META_DECODER.decode(event.object).metadata.resource_version
        if event.type == "BOOKMARK":
            yield Event(Kind.BOOKMARK), seen
        else:
            yield Event(Kind(event.type), bytes(event.object)), seen


def _delay(failures: int) -> float:
    base: float = min(_FIRST_DELAY * 2 ** min(failures, 10), _LAST_DELAY)
    return base * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not cryptography
