"""What the syncer process of a virtual cluster says of itself, from a port of this machine that leads to it."""

from __future__ import annotations

import http.client

from nestling.drivers import errors


def get(port: int, path: str, *, whose: str, seconds: float) -> bytes:
    """The answer at ``/status``, ``/metrics`` or ``/readyz``; raises ``UserError`` for none.

    ``whose`` says in errors which process was asked.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise errors.UserError(f"the syncer process {whose} does not answer: {error}") from error
    finally:
        connection.close()
    # /readyz says 503 with its lines while something is missing, which is an answer.
    if answer.status not in (200, 503):
        raise errors.UserError(f"the syncer process {whose} answers {path} with {answer.status} {answer.reason}")
    return body
