"""The drift scan: do both sides still say the same? (user lessons 2 and 20)

Every object is looked at in the caches, without a request to any API server, by asking its kind's verb what it wants
and comparing; nothing is written. What differs is counted and put into the queue at low priority, where the ordinary
reconcile repairs it.

A pair of which neither object has changed since it was last compared, or that a reconcile has just brought into
agreement, is compared only every few scans, so that a quiet syncer stays quiet. The loop gets its turn every
few milliseconds.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import itertools
import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Final, NoReturn, cast

from nestling.kube import cache, client, merge, metadata, requests
from nestling.kube.resource import Obj, Resource
from nestling.naming import labels
from nestling.naming.tenant import VirtualKey
from nestling.syncer import apply, controller, metrics
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import Delete, Pair, SyncSpec, Waiting, Wanted

_LOG = logging.getLogger(__name__)

INTERVAL: Final = 60.0
#: A pair that has not changed is compared in one of so many scans.
FULL_EVERY: Final = 20
#: Work this long, then let others work; longer when there are changes to sync.
_SLICE: Final = 0.002
_PAUSE: Final = 0.001
_BUSY_PAUSE: Final = 0.02
#: How long after a scan its repairs are checked.
_RECHECK: Final = 10.0

#: Why an object counts as drifted: the label ``reason``.
HOST_MISSING: Final = "host-missing"
VIRTUAL_MISSING: Final = "virtual-missing"
ORPHAN: Final = "orphan"
FIELDS: Final = "fields"
FOREIGN: Final = "foreign"
FAILED: Final = "failed"

_Versions = tuple[str | None, str | None]
_Found = dict[tuple[str, VirtualKey], str]


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What a scan found: objects by kind and reason, how long it took, when it ended (seconds since the epoch)."""

    drifted: dict[tuple[str, str], int]
    looked_at: int
    compared: int
    seconds: float
    ended: float


class _Asked(Exception):
    """A verb wants to ask an API server: it has something to do."""


class _NoClient:
    """Stands in for a client during a scan."""

    async def send(self, request: requests.Request) -> NoReturn:
        raise _Asked(request.path)

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> NoReturn:
        raise _Asked(name)

    async def list(self, resource: Resource, namespace: str | None = None) -> NoReturn:
        raise _Asked(resource.plural)


class Scanner:
    """Looks for drift in all kinds."""

    def __init__(
        self, controllers: Sequence[controller.Controller], ctx: SyncContext, instruments: metrics.Metrics
    ) -> None:
        self.last: Report | None = None
        self._controllers = controllers
        self._ctx = ctx
        self._dry = _without_clients(ctx)
        self._metrics = instruments
        self._versions: dict[str, dict[VirtualKey, _Versions]] = {}
        #: Of each kind's host objects: the resourceVersion, and the key that the object is of.
        self._owners: dict[str, dict[cache.Key, tuple[str, VirtualKey]]] = {}
        self._open: _Found = {}
        self._shown: set[tuple[str, str]] = set()
        self._round = 0
        self._pace = _Pace(lambda: any(len(one.queue) for one in controllers))

    async def run(self) -> None:
        """Scan for ever, at intervals with jitter, so that the tenants of a host do not scan in step."""
        while True:
            await asyncio.sleep(INTERVAL * random.uniform(0.8, 1.2) - _RECHECK)  # noqa: S311 - jitter, not cryptography
            await self.scan()
            await asyncio.sleep(_RECHECK)
            await self.recheck()

    async def scan(self, *, full: bool = False) -> Report:
        """Look at every object once. ``full`` also compares those that have not changed."""
        started = time.perf_counter()
        self._round += 1
        found: _Found = {}
        count = _Count()
        self._pace.begin()
        for one in self._controllers:
            await self._scan_kind(one, found, count, full=full)
        foreign = await self._foreign()
        drifted = collections.Counter((kind, reason) for (kind, _), reason in found.items())
        drifted.update(foreign)
        self._show(drifted)
        seconds = time.perf_counter() - started
        self._metrics.scan_seconds.set(seconds)
        self.last = Report(dict(drifted), count.looked_at, count.compared, seconds, self._ctx.now())
        return self.last

    async def recheck(self) -> None:
        """Are the differences that were found gone?"""
        by_name = {one.spec.name: one for one in self._controllers}
        self._pace.begin()
        for kind, key in list(self._open):
            one = by_name[kind]
            if key not in one.queue and key not in one.ledger.stuck:
                await self._judge(one, key)
            await self._pace.breathe()

    async def _scan_kind(self, one: controller.Controller, found: _Found, count: _Count, *, full: bool) -> None:
        before = self._versions.get(one.spec.name, {})
        known = self._versions[one.spec.name] = {}
        virtual = self._ctx.virtual.stores[one.spec.virtual]
        host = await self._claimed(one)
        only_host = (key for key in host if key not in virtual)
        for key in itertools.chain((VirtualKey(*key) for key in virtual.keys()), only_host):  # noqa: SIM118 - a store is no dict
            if self._pace.is_due:
                await self._pace.breathe()
            count.looked_at += 1
            if key in one.queue and key not in one.ledger.stuck:
                continue
            versions = (virtual.version(key), host.get(key))
            is_turn = full or hash(key) % FULL_EVERY == self._round % FULL_EVERY
            was_fine = before.get(key) == versions or (key not in before and one.has_agreed(key) and all(versions))
            if was_fine and not is_turn and (one.spec.name, key) not in self._open:
                known[key] = versions
                continue
            count.compared += 1
            reason = await self._judge(one, key)
            if reason is None:
                known[key] = versions
            else:
                found[one.spec.name, key] = reason
                self._repair(one, key, reason)

    async def _claimed(self, one: controller.Controller) -> dict[VirtualKey, str]:
        """The keys that host objects are of, each with the resourceVersion of its host object."""
        claimed: dict[VirtualKey, str] = {}
        if one.spec.host is None:
            return claimed
        store = self._ctx.host.stores[one.spec.host]
        before = self._owners.get(one.spec.name, {})
        owners = self._owners[one.spec.name] = {}
        for host_key in store.keys():  # noqa: SIM118 - a store is no dict
            if self._pace.is_due:
                await self._pace.breathe()
            version, raw = store.version(host_key), store.raw(host_key)
            if version is None or raw is None:
                continue
            owner = before.get(host_key)
            if owner is None or owner[0] != version:
                entry = cache.Entry(metadata.read(raw), raw, store.resource)
                key = one.spec.naming.to_virtual(self._ctx, entry)
                owner = (version, key) if key is not None else None
            if owner is not None:
                owners[host_key] = owner
                claimed[owner[1]] = owner[0]
        return claimed

    async def _judge(self, one: controller.Controller, key: VirtualKey) -> str | None:
        """The reason why this key has drifted, None when it has not; what had and has not any more is repaired."""
        reason = await self._reason(one, key)
        place = (one.spec.name, key)
        if reason is not None:
            self._open[place] = reason
        elif place in self._open:
            self._metrics.repaired.labels(one.spec.name, self._open.pop(place)).inc()
        return reason

    async def _reason(self, one: controller.Controller, key: VirtualKey) -> str | None:
        try:
            decided = await one.decide(self._dry, key)
        except apply.Refused:
            return FOREIGN
        except Waiting:
            return None
        except _Asked:
            return FIELDS
        except Exception as error:  # noqa: BLE001 - recorded, and the reconcile that follows says it whole
            _LOG.debug("cannot compare", extra={"kind": one.spec.name, "key": str(key), "error": type(error).__name__})
            return FAILED
        return None if decided is None else classify(one.spec, *decided)

    def _repair(self, one: controller.Controller, key: VirtualKey, reason: str) -> None:
        """What is stuck already is tried again by itself."""
        if key not in one.ledger.stuck:
            _LOG.info("drift", extra={"kind": one.spec.name, "key": str(key), "reason": reason})
            one.enqueue(key, initial=True)

    async def _foreign(self) -> collections.Counter[tuple[str, str]]:
        """Host objects with our marks that no kind recognises: copies made by backup tools or people. Left alone."""
        found: collections.Counter[tuple[str, str]] = collections.Counter()
        by_resource: dict[Resource, list[controller.Controller]] = {}
        for one in self._controllers:
            if one.spec.host is not None:
                by_resource.setdefault(one.spec.host, []).append(one)
        for resource, kinds in by_resource.items():
            store = self._ctx.host.stores[resource]
            for host_key in store.keys():  # noqa: SIM118 - a store is no dict
                if self._pace.is_due:
                    await self._pace.breathe()
                if any(host_key in self._owners.get(one.spec.name, {}) for one in kinds):
                    continue
                meta = store.meta(host_key)
                if meta is not None and self._looks_ours(meta):
                    found[kinds[0].spec.name, FOREIGN] += 1
        return found

    def _looks_ours(self, meta: cache.Meta) -> bool:
        marker = (meta.labels or {}).get(labels.MANAGED_BY)
        return marker == self._ctx.tenant.name and labels.OBJECT_NAME in (meta.annotations or {})

    def _show(self, drifted: collections.Counter[tuple[str, str]]) -> None:
        for gone in self._shown - drifted.keys():
            self._metrics.drift.labels(*gone).set(0)
        for place, number in drifted.items():
            self._metrics.drift.labels(*place).set(number)
        self._shown |= drifted.keys()


def classify(spec: SyncSpec, pair: Pair, wanted: Wanted) -> str | None:
    """How a pair differs from what is wanted, None when it does not."""
    if _deletes(pair.host, wanted.delete_host):
        return ORPHAN if pair.virtual is None else FIELDS
    if _deletes(pair.virtual, wanted.delete_virtual):
        return HOST_MISSING if pair.host is None and spec.host is not None else FIELDS
    if wanted.host is not None and spec.host is not None and not wanted.delete_host:
        if pair.host is None:
            return HOST_MISSING
        if _differs(pair.host, wanted.host, with_status=False):
            return FIELDS
    if pair.virtual is None and (wanted.virtual is not None or wanted.replace_virtual is not None):
        return VIRTUAL_MISSING
    if wanted.actions or wanted.replace_virtual is not None:
        return FIELDS
    if wanted.virtual is None or pair.virtual is None:
        return None
    return FIELDS if _differs(pair.virtual, wanted.virtual, with_status=spec.has_status) else None


def _deletes(current: Obj | None, delete: Delete | None) -> bool:
    """Would that change anything? What is being deleted waits for finalizers, and is nobody's drift."""
    return delete is not None and current is not None and not current["metadata"].get("deletionTimestamp")


def _differs(current: Obj, wanted: Obj, *, with_status: bool) -> bool:
    difference = merge.diff(current, wanted)
    status = difference.pop("status", None)
    return bool(difference) or bool(status and with_status)


@dataclasses.dataclass(slots=True)
class _Count:
    looked_at: int = 0
    compared: int = 0


class _Pace:
    """Lets others work after each few milliseconds."""

    def __init__(self, is_busy: Callable[[], bool]) -> None:
        self._is_busy = is_busy
        self._since = 0.0

    def begin(self) -> None:
        self._since = time.perf_counter()

    @property
    def is_due(self) -> bool:
        return time.perf_counter() - self._since > _SLICE

    async def breathe(self) -> None:
        if self.is_due:
            await asyncio.sleep(_BUSY_PAUSE if self._is_busy() else _PAUSE)
            self._since = time.perf_counter()


def _without_clients(ctx: SyncContext) -> SyncContext:
    # a verb gets what it reads from the caches; whatever else it asks a client for is a reason to reconcile
    nobody = cast("client.Client", _NoClient())
    return dataclasses.replace(
        ctx,
        virtual=dataclasses.replace(ctx.virtual, client=nobody),
        host=dataclasses.replace(ctx.host, client=nobody),
    )
