"""Carries exec, attach, port-forward and logs between the virtual API server and the host's.

The protocol inside (SPDY, WebSocket) is the client's and the host's; the bytes are not looked at.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from typing import Final

import msgspec

from nestling.kube import dial, tls
from nestling.kubelet import directory, routes, tunnel, wire
from nestling.resources.pods import messages

_LOG: Final = logging.getLogger(__name__)
_SWITCHING: Final = 101
_OK: Final = 200
_FIRST_ERROR: Final = 400
_LONGEST_ERROR: Final = 1 << 16
#: Headers of a log that go through.
_LOG_HEADERS: Final = ("Content-Type", "Content-Length", "Transfer-Encoding")


@dataclasses.dataclass(frozen=True, slots=True)
class Streams:
    """The way to the containers of one tenant."""

    pods: directory.Directory
    dialer: dial.Dialer
    meter: tunnel.Meter

    async def carry(self, request: wire.Request, route: routes.Route, client: dial.Ends) -> None:
        """Carry one stream from its begin to its end; the connection of the client is used up then.

        Raises:
            routes.Refused: there is no such pod or container, or the host refuses; nothing was sent to the client.
            errors.ConnectionFailed, wire.Malformed: no answer of the host, the same.
            ConnectionError: the client has gone.
        """
        if route.pod is None:
            raise ValueError("a stream needs a pod")
        found = await self.pods.find(route.pod)
        if route.container and route.container not in found.containers:
            raise routes.Refused(404, f'container "{route.container}" does not exist in pod "{found.key.name}"')
        is_log = route.kind is routes.Kind.LOGS
        headers = [("Connection", "close")] if is_log else routes.request_headers(request)
        path = routes.host_path(route, request.query, found.host_key)
        host = await self.dialer.open(request.method, path, headers)
        try:
            with self.meter.open.labels(route.kind.value).track_inprogress():
                answer, early = await tunnel.answer(client, host)
                if answer.status != (_OK if is_log else _SWITCHING):
                    raise await _refusal(answer, host[0], found)
                client[1].write(_head(answer, is_log=is_log) + answer.head.rest)
                if is_log:
                    await tunnel.down(client, host, self.meter)
                    return
                if early := request.head.rest + early:
                    host[1].write(early)
                await tunnel.join(client, host, self.meter)
        finally:
            host[1].close()


def _head(answer: wire.Answer, *, is_log: bool) -> bytes:
    if not is_log:
        return dial.head(wire.status_line(answer.status), routes.answer_headers(answer))
    kept = [(name, value) for name in _LOG_HEADERS for value in answer.head.values(name)]
    return dial.head(wire.status_line(answer.status), [*kept, ("Connection", "close")])


async def _refusal(answer: wire.Answer, reader: tls.Reader, found: directory.Target) -> routes.Refused:
    """Why the host does not do it, in the tenant's words."""
    body = await _body(answer, reader)
    if answer.status in (401, 403):
        said = body.decode(errors="replace")
        _LOG.warning("the host refuses a stream", extra={"pod": str(found.host_key), "answer": said})
        return routes.Refused(403, "the host cluster does not allow this; the log of the control plane says why")
    pairs = [(found.host_key, found.key)]
    text = messages.Translator(pairs, {found.host_uid: found.uid}).text(_message(body))
    status = answer.status if answer.status >= _FIRST_ERROR else 502
    return routes.Refused(status, text or "the host cluster does not do this")


async def _body(answer: wire.Answer, reader: tls.Reader) -> bytes:
    """The body of a refusal, as far as it comes at once and is not too long."""
    length = min(int(answer.head.value("Content-Length") or _LONGEST_ERROR), _LONGEST_ERROR)
    body = answer.head.rest
    try:
        async with asyncio.timeout(5.0):
            while len(body) < length and (more := await reader.read(length)):
                body += more
    except (TimeoutError, OSError):
        # what has come must do
        return body
    return body


def _message(body: bytes) -> str:
    """The message of a Status, else the text as it is; a chunked body keeps its numbers, which harms nobody."""
    try:
        return str(msgspec.json.decode(body)["message"])
    except (msgspec.DecodeError, TypeError, KeyError):
        return body.decode(errors="replace").strip()
