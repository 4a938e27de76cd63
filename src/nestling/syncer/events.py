"""Warning events on virtual objects: the tenant learns from ``kubectl describe`` why something is not synced (spec
§1.7).
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import logging
from collections.abc import Callable

from nestling.kube import client, errors, requests
from nestling.kube.resource import EVENTS, Obj
from nestling.syncer import event_limits

_LOG = logging.getLogger(__name__)
_SOURCE = "vcluster"
_LONGEST = 253


@dataclasses.dataclass(frozen=True, slots=True)
class EventRecorder:
    """Writes core/v1 Events into the virtual cluster.

    The same event again raises its count instead of adding a new one, and not at every try (``event_limits``).
    """

    client: client.Client
    now: Callable[[], float]
    limits: event_limits.Limits = dataclasses.field(default_factory=event_limits.Limits)

    async def record(self, about: Obj, *, reason: str, action: str, message: str) -> None:
        """Record a Warning. A failure to do so is logged: an event must never hold up syncing."""
        event = warning(about, reason=reason, action=action, message=message, at=self.now())
        meta = event["metadata"]
        place = f"{meta['namespace']}/{meta['name']}"
        number = self.limits.take(place, f"{about['metadata'].get('uid')} {reason}", self.now())
        if not number:
            return
        event["count"] = number
        try:
            await self.client.send(requests.create(EVENTS, event, meta["namespace"]))
        except errors.AlreadyExists:
            await self._count(meta["namespace"], meta["name"], event["lastTimestamp"], number)
        except (errors.ApiError, errors.ConnectionFailed) as error:
            self.limits.forget(place)
            _LOG.warning(
                "event not recorded", extra={"reason": reason, "event_name": meta["name"], "error": str(error)}
            )

    async def _count(self, namespace: str, name: str, last: str, number: int) -> None:
        try:
            current = await self.client.get(EVENTS, name, namespace)
            patch = {"count": int(current.get("count") or 1) + number, "lastTimestamp": last}
            await self.client.send(requests.patch(EVENTS, name, patch, namespace))
        except (errors.ApiError, errors.ConnectionFailed) as error:
            _LOG.warning("event not counted", extra={"event_name": name, "error": str(error)})


def _name(about: str, identity: str) -> str:
    """Names end at 253 characters, those of objects and those of their events."""
    digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return f"{about[: _LONGEST - len(digest) - 1].rstrip('-.')}.{digest}"


def warning(about: Obj, *, reason: str, action: str, message: str, at: float) -> Obj:
    """The Event. Its name follows from what it says, so that repeating it finds the first one."""
    meta = about["metadata"]
    namespace = meta.get("namespace") or "default"
    stamp = datetime.datetime.fromtimestamp(at, tz=datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    identity = "\0".join((meta.get("uid", ""), reason, action, message))
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": _name(meta["name"], identity),
            "namespace": namespace,
        },
        "involvedObject": {
            "apiVersion": about.get("apiVersion"),
            "kind": about.get("kind"),
            "name": meta["name"],
            "namespace": meta.get("namespace"),
            "uid": meta.get("uid"),
            "resourceVersion": meta.get("resourceVersion"),
        },
        "type": "Warning",
        "reason": reason,
        "action": action,
        "message": message[:1024],
        "source": {"component": _SOURCE},
        "reportingComponent": _SOURCE,
        "reportingInstance": _SOURCE,
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
    }
