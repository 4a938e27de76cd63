"""The status document of a syncer (docs/observability.md) as people read it. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from nestling.kube.resource import Obj
from nestling.lifecycle import listing


def lines(document: Obj, *, now: datetime.datetime) -> Iterator[str]:
    """Readiness, one row for each kind, and what is stuck with the reason."""
    syncer = document.get("syncer")
    missing = sorted(name for name, met in (document.get("checks") or {}).items() if not met)
    if syncer is None:
        yield "Syncer:         waits for both API servers to answer"
        return
    state = "ready" if document.get("ready") else f"not ready, waits for {', '.join(missing)}"
    yield f"Syncer:         {state}"
    kinds: Mapping[str, Obj] = syncer.get("kinds") or {}
    if kinds:
        yield ""
        yield from _table(kinds, now)
    yield from _section("Stuck", list(_stuck(kinds, now)))
    yield from _section("Not watched", list(_failing(syncer.get("caches") or [])))
    yield from _section("Drift", list(_drift(kinds)))


def _table(kinds: Mapping[str, Obj], now: datetime.datetime) -> Iterator[str]:
    header = ("KIND", "IN AGREEMENT", "QUEUE", "VIRTUAL", "HOST", "STUCK")
    rows = [(kind, *_row(entry, now)) for kind, entry in sorted(kinds.items())]
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(entry: Obj, now: datetime.datetime) -> tuple[str, ...]:
    queue, objects = entry.get("queue") or {}, entry.get("objects") or {}
    return (
        "now" if entry.get("inAgreement") else since(entry.get("lastAgreement"), now, ago=True),
        # What is delayed waits for its time: a token that is renewed later, or what is stuck.
        str(queue.get("depth", 0) + queue.get("working", 0)),
        str(objects.get("virtual", "")),
        str(objects.get("host", "")),
        str((entry.get("stuck") or {}).get("count", 0)),
    )


def _stuck(kinds: Mapping[str, Obj], now: datetime.datetime) -> Iterator[str]:
    for kind, entry in sorted(kinds.items()):
        stuck = entry.get("stuck") or {}
        named = stuck.get("oldest") or []
        for one in named:
            where = f"{one['namespace']}/{one['name']}" if one.get("namespace") else one.get("name", "")
            tries = f"{one.get('tries', 0)} tries in {since(one.get('since'), now)}"
            yield f"{kind} {where}: {one.get('error', '')} ({tries})"
        if more := stuck.get("count", 0) - len(named):
            yield f"{kind}: {more} more"


def _failing(caches: list[Obj]) -> Iterator[str]:
    for cache in caches:
        if cache.get("failing"):
            yield f"{cache.get('resource')} of the {cache.get('side')} side: lists and watches fail; the log says why"


def _drift(kinds: Mapping[str, Obj]) -> Iterator[str]:
    for kind, entry in sorted(kinds.items()):
        for reason, count in sorted((entry.get("drift") or {}).items()):
            if count:
                yield f"{kind}: {count} {reason}"


def _section(title: str, rows: list[str]) -> Iterator[str]:
    if rows:
        yield ""
        yield f"{title}:"
        yield from (f"  {row}" for row in rows)


def since(moment: Any, now: datetime.datetime, *, ago: bool = False) -> str:
    """How long ago an RFC 3339 time was; ``never`` for null."""
    if not isinstance(moment, str):
        return "never"
    try:
        then = datetime.datetime.fromisoformat(moment)
    except ValueError:
        return moment
    text = listing.age(max(now - then, datetime.timedelta(0)))
    return f"{text} ago" if ago else text
