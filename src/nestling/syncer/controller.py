"""The loop of one kind: key from the queue, both objects from the caches, verb, writes, memory of the agreement.

Level-based: a key says only that something may differ. The same key never runs twice at once; different keys run
concurrently.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from typing import Final

from nestling.kube import cache, errors, queue
from nestling.kube.resource import CONFIG_MAPS, SECRETS, Obj
from nestling.naming import labels
from nestling.naming.tenant import VirtualKey
from nestling.syncer import apply, echoes, ledger, loop_detector, metrics, reasons, replacement, verbs
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import Agreed, Delete, Pair, SideName, SyncSpec, Waiting, Wanted

_LOG = logging.getLogger(__name__)
LOW_PRIORITY = -100
#: An API server quotes what it refuses: of kinds with content as little as names the object.
_CONTENT: Final = (SECRETS, CONFIG_MAPS)
_SAID_OF_CONTENT: Final = 256
#: As much of a refusal as leaves room for what to do, in the 1024 characters of an event.
_SAID: Final = 800
_FIGHT: Final = (
    "This object is written again and again: something undoes each change. It is synced more slowly until that stops; "
    "find the controller that changes it, here or on the host cluster."
)


class Controller:
    """Reconciles all objects of one kind."""

    def __init__(self, spec: SyncSpec, ctx: SyncContext, instruments: metrics.Metrics) -> None:
        self.spec = spec
        self.queue: queue.WorkQueue[VirtualKey] = queue.WorkQueue()
        self.ledger = ledger.Ledger(spec.name, instruments, now=ctx.now)
        self._ctx = ctx
        self._metrics = instruments
        self._adds = instruments.adds.labels(spec.name)
        self._loops: loop_detector.LoopDetector[VirtualKey] = loop_detector.LoopDetector()
        self._fighting: set[VirtualKey] = set()
        self._agreed: dict[VirtualKey, bytes] = {}
        self._meanwhile = echoes.Echoes()
        self._is_running = False

    def enqueue(self, key: VirtualKey, *, initial: bool = False, seen: SideName | None = None) -> None:
        """Have a look at this key; first lists wait behind live events. ``seen``: a change of this side asks for it."""
        if self.is_in_agreement:
            self.ledger.leave_agreement()
        if seen is not None and not initial:
            self.ledger.seen(key, seen)
        self._adds.inc()
        self.queue.add(key, priority=LOW_PRIORITY if initial else 0, lane=self._lane(key, seen))

    def _lane(self, key: VirtualKey, seen: SideName | None) -> tuple[SideName | None, bool]:
        """With whom the key queues up: what either side floods us with must not hold up the other's news.

        Nor may thousands of new objects hold up those that are under way: the echo of a binding comes from the side
        of the tenant, too, and the status follows after it.
        """
        return (seen, key in self._agreed)

    @property
    def is_in_agreement(self) -> bool:
        """Is nothing left to do, and nothing stuck?"""
        return self._is_running and not (len(self.queue) or self.queue.working or self.ledger.stuck)

    def last_agreement(self) -> float | None:
        """When both sides last agreed about all objects of the kind (seconds since the epoch), None for never."""
        return self._ctx.now() if self.is_in_agreement else self.ledger.left_agreement

    def on_virtual(self, change: cache.Change) -> None:
        """An informer handler for the virtual object itself."""
        if self.spec.concerned(change):
            self._changed(VirtualKey(*change.key), change, SideName.VIRTUAL)

    def on_host(self, change: cache.Change) -> None:
        """An informer handler for the host object; objects that are not ours make no work."""
        for entry in (change.new, change.old):
            key = self.spec.naming.to_virtual(self._ctx, entry) if entry is not None else None
            if key is not None:
                self._changed(key, change, SideName.HOST)
                return

    def _changed(self, key: VirtualKey, change: cache.Change, side: SideName) -> None:
        """Look at it, unless the reconcile that is at it has written just this: it will know when it is done."""
        if change.new is not None and not change.initial and self.queue.is_working(key):
            self._meanwhile.saw(key, side, change.new.meta.resource_version)
        else:
            self.enqueue(key, initial=change.initial, seen=side)

    async def run(self) -> None:
        """Work until cancelled."""
        self._is_running = True
        async with asyncio.TaskGroup() as group:
            for number in range(self.spec.workers):
                group.create_task(self._work(), name=f"{self.spec.name}-{number}")

    async def _work(self) -> None:
        while True:
            key = await self.queue.get()
            started = time.perf_counter()
            try:
                result = await self._process(key)
            finally:
                self.queue.done(key)
            self._metrics.reconciles.labels(self.spec.name, result).inc()
            self._metrics.seconds.labels(self.spec.name).observe(time.perf_counter() - started)

    async def _process(self, key: VirtualKey) -> str:
        """One reconcile. Answers with the result for the metric."""
        pause = self._loops.pause(key)
        if pause:
            self.queue.add(key, after=pause)
            return "throttled"
        self.ledger.begin(key)
        result = await self._outcome(key)
        if key in self._fighting:
            self._fighting.discard(key)
            await self._tell(key, "SyncWarning", _FIGHT)
        # last: nothing may come between this and the end of the work at the key
        for side in self._meanwhile.news(key):
            self.enqueue(key, seen=side)
        return result

    async def _outcome(self, key: VirtualKey) -> str:
        """How a reconcile ended. Errors go to back-off and, where it helps, to the tenant."""
        try:
            requeue_after = await self.reconcile(key)
        except (errors.Conflict, errors.NotFound, errors.AlreadyExists, Waiting) as reason:
            # the cache was behind, or something is on its way: the next try sees it
            result = self._again(key, reason, "requeue")
        except apply.Refused as refusal:
            await self._tell(key, "SyncError", f"Error syncing to host cluster: {refusal}")
            result = self._again(key, refusal, "error")
        except errors.ApiError as error:
            said = f"Error syncing: {error.message}"[: _SAID_OF_CONTENT if self.spec.virtual in _CONTENT else _SAID]
            await self._tell(key, "SyncError", said, advice=reasons.advice(error))
            result = self._again(key, error, "error")
        except errors.ConnectionFailed as error:
            result = self._again(key, error, "error")
        except Exception as error:  # noqa: BLE001 - recorded with its traceback
            # a programming error must not stop the other objects; it is logged whole and counted
            result = self._again(key, error, "failed")
        else:
            self.queue.forget(key)
            self.ledger.succeeded(key)
            result = "success" if requeue_after is None else "requeue_after"
            if requeue_after is not None:
                self.queue.add(key, after=requeue_after)
        return result

    def _again(self, key: VirtualKey, error: Exception, result: str) -> str:
        """Back off and try again. What is said once is not said at each try (user lesson 16)."""
        what = reasons.text(error, self.spec.virtual, self.spec.host)
        is_news = self.ledger.failed(key, what)
        where = {"controller": self.spec.name, "key": str(key)}
        if result == "failed" and is_news:
            _LOG.error("reconcile failed", extra=where, exc_info=error)
        elif result == "error" and is_news:
            _LOG.warning("sync failed", extra={**where, "error": what})
        else:
            _LOG.debug("again", extra={**where, "reason": what})
        if result != "requeue":
            self._metrics.errors.labels(self.spec.name).inc()
        self._metrics.retries.labels(self.spec.name).inc()
        self.queue.add_rate_limited(key)
        return result

    def _wrote(self, key: VirtualKey, side: SideName) -> None:
        self.ledger.wrote(key, side)
        if self._loops.wrote(key):
            self._fighting.add(key)
            self._metrics.write_loops.labels(self.spec.name).inc()
            where = {"controller": self.spec.name, "key": str(key)}
            _LOG.warning("an object is written again and again", extra=where)

    async def reconcile(self, key: VirtualKey) -> float | None:
        """Bring one key into agreement; the answer is in how many seconds to look again, if at all."""
        decided = await self.decide(self._ctx, key)
        if decided is None:
            return None
        pair, wanted = decided
        if pair.virtual is None and pair.host is None:
            self._loops.forget(key)
        listener = apply.Listener(
            functools.partial(self._wrote, key), functools.partial(self._meanwhile.as_wanted, key)
        )
        if pair.virtual is not None and (wanted.delete_host or wanted.replace_virtual):
            # Before it is tried: it may be done though nobody hears of it, and is no deletion by somebody on the host.
            self._agreed.pop(key, None)
        await apply.apply(self._ctx, self.spec, pair, wanted, listener=listener)
        agreed = verbs.agreement(self.spec, pair, wanted)
        if agreed is None:
            self._agreed.pop(key, None)
        else:
            self._agreed[key] = agreed.pack()
        return wanted.requeue_after

    def has_agreed(self, key: VirtualKey) -> bool:
        """Has a reconcile of this process brought this pair into agreement?"""
        return key in self._agreed

    async def decide(self, ctx: SyncContext, key: VirtualKey) -> tuple[Pair, Wanted] | None:
        """What one key has and should have, None when it is to be left alone. Writes nothing."""
        pair = self.pair(key)
        if _is_excluded(pair.virtual) or _is_excluded(pair.host):
            return None
        begun = replacement.resumed(pair) or self._replaced(pair)
        return pair, begun or await verbs.reconcile(ctx, self.spec, pair)

    def pair(self, key: VirtualKey) -> Pair:
        """Both objects as the caches have them. A host object that is not this key's is refused."""
        host_key = self.spec.naming.to_host(self._ctx, key)
        virtual = self._ctx.virtual.get(self.spec.virtual, key)
        host = self._ctx.host.get(self.spec.host, host_key) if self.spec.host is not None else None
        if host is not None and not apply.is_ours(self._ctx, self.spec, host, key, virtual):
            host = None
            if virtual is not None and self.spec.selected(self._ctx, virtual):
                message = (
                    f'the host already has a {self.spec.name} object "{host_key.name}" that does not belong to {key}; '
                    "rename this object or remove the one on the host"
                )
                raise apply.Refused(message)
        packed = self._agreed.get(key)
        return Pair(
            key=key, host_key=host_key, virtual=virtual, host=host, agreed=Agreed.unpack(packed) if packed else None
        )

    def _replaced(self, pair: Pair) -> Wanted | None:
        """The virtual object was deleted and made anew under the same name: the old one's host object goes first."""
        if (
            pair.virtual is None
            or pair.host is None
            or not self.spec.replace_on_uid_mismatch
            or not pair.host_key.namespace
        ):
            return None
        belongs_to = (pair.host["metadata"].get("annotations") or {}).get(labels.OBJECT_UID)
        if belongs_to is None or belongs_to == pair.virtual["metadata"]["uid"]:
            return None
        return Wanted(delete_host=Delete())

    async def _tell(self, key: VirtualKey, reason: str, message: str, *, advice: str = "") -> None:
        about = self._ctx.virtual.get(self.spec.virtual, key)
        if about is None:
            return
        host_key = self.spec.naming.to_host(self._ctx, key)
        message = message.replace(str(host_key), str(key)).replace(host_key.name, key.name)
        if advice:
            # What to do must not fall off the end of a long refusal.
            message = f"{message[:_SAID]}. {advice}"
        await self._ctx.recorder.record(about, reason=reason, action=f"Sync{self.spec.virtual.kind}", message=message)


def _is_excluded(obj: Obj | None) -> bool:
    """Objects of other syncers or plugins, and host objects marked to be left alone (spec §1.2)."""
    if obj is None:
        return False
    meta = obj["metadata"]
    return labels.CONTROLLED_BY in (meta.get("labels") or {}) or labels.CONTROLLED_BY in (meta.get("annotations") or {})
