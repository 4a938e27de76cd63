"""An API server of plain answers, for the parts that need only ``send`` and ``stream``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Any

from nestling.kube import errors, requests

Step = bytes | Exception | Sequence[bytes | Exception]


def obj(name: str, version: int, *, uid: str = "", namespace: str = "ns", **more: Any) -> bytes:
    """An object as JSON; its UID follows from the name unless given."""
    meta = {"name": name, "namespace": namespace, "uid": uid or f"uid-{name}", "resourceVersion": str(version)}
    labels = more.pop("labels", None)
    return json.dumps({"metadata": meta | ({"labels": labels} if labels else {}), **more}).encode()


def listing(version: int, *items: bytes, token: str = "") -> bytes:
    """A page of a list."""
    meta = {"resourceVersion": str(version)} | ({"continue": token} if token else {})
    return json.dumps({"kind": "List", "metadata": meta, "items": [json.loads(item) for item in items]}).encode()


def line(kind: str, raw: bytes) -> bytes:
    """A line of a watch."""
    return b'{"type":"%s","object":%s}' % (kind.encode(), raw)


def bookmark(version: int) -> bytes:
    """A bookmark line."""
    return line("BOOKMARK", json.dumps({"metadata": {"resourceVersion": str(version)}}).encode())


_EXPIRED = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}


def expired() -> errors.ApiError:
    """410."""
    return errors.from_status(_EXPIRED)


def expired_line() -> bytes:
    """410 within a stream."""
    return line(
        "ERROR", json.dumps({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}).encode()
    )


class Server:
    """Answers requests from a script: lists with bodies, watches with sequences of lines. At its end it is silent."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.asked: list[requests.Request] = []
        #: Set when a request found nothing more in the script.
        self.exhausted = asyncio.Event()

    @property
    def watched_from(self) -> list[str]:
        """The versions that watches were started from."""
        return [request.params["resourceVersion"] for request in self.asked if "watch" in request.params]

    async def send(self, request: requests.Request) -> bytes:
        """The next step, which must be a body or an error."""
        step = await self._next(request)
        assert isinstance(step, bytes), f"a watch was expected, not {request}"
        return step

    async def stream(self, request: requests.Request, *, idle_seconds: float) -> AsyncGenerator[bytes, None]:
        """The next step, which must be lines or an error."""
        step = await self._next(request)
        assert not isinstance(step, bytes), f"a list was expected, not {request}"
        for one in step:
            if isinstance(one, Exception):
                raise one
            yield one

    async def _next(self, request: requests.Request) -> bytes | Iterable[bytes | Exception]:
        self.asked.append(request)
        if not self.steps:
            self.exhausted.set()
            await asyncio.Event().wait()
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step
