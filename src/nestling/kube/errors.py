"""Errors of the Kubernetes API: one class per case that callers treat differently, each with the Status that the server
sent.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

_DECODER: Final = msgspec.json.Decoder(dict[str, Any])


class ApiError(Exception):
    """The API server refused a request."""

    def __init__(
        self, status: int, reason: str, message: str, body: dict[str, Any], retry_after: float | None = None
    ) -> None:
        super().__init__(f"{message} ({reason or status})")
        self.status = status
        self.reason = reason
        self.message = message
        self.body = body
        #: Seconds that the server asks us to wait.
        self.retry_after = retry_after


class BadRequest(ApiError):
    """400: the request makes no sense to the server."""


class Unauthorized(ApiError):
    """401: the credentials are missing, wrong or expired."""


class Forbidden(ApiError):
    """403: the credentials are not allowed to do this."""


class NotFound(ApiError):
    """404: no such object, or no such resource."""


class MethodNotAllowed(ApiError):
    """405: the resource does not know this verb."""


class Conflict(ApiError):
    """409: the object is not what the request was decided on."""


class AlreadyExists(ApiError):
    """409: an object of this name is there."""


class Expired(ApiError):
    """410: the resourceVersion or the continue token is too old."""


class Invalid(ApiError):
    """422: the object is not valid."""


class TooManyRequests(ApiError):
    """429: the server asks for patience."""


class ServerError(ApiError):
    """5xx: the server failed or is not ready."""


class ConnectionFailed(Exception):
    """The API server could not be reached, or the connection broke."""


_BY_STATUS: Final[dict[int, type[ApiError]]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    409: Conflict,
    410: Expired,
    422: Invalid,
    429: TooManyRequests,
}


def from_response(status: int, body: bytes, retry_after: float | None = None) -> ApiError:
    """The error for a response; its body need not be a Status."""
    try:
        parsed = _DECODER.decode(body)
    except msgspec.DecodeError:
        parsed = {"message": body[:1000].decode(errors="replace").strip()}
    return from_status(parsed, status=status, retry_after=retry_after)


def from_status(body: dict[str, Any], *, status: int | None = None, retry_after: float | None = None) -> ApiError:
    """The error for a Status object, as it also comes in a watch."""
    code = status if status is not None else int(body.get("code") or 500)
    reason = str(body.get("reason") or "")
    message = str(body.get("message") or f"the API server answered {code}")
    if reason == "AlreadyExists":
        kind: type[ApiError] = AlreadyExists
    else:
        kind = _BY_STATUS.get(code, ServerError if code >= 500 else ApiError)
    return kind(code, reason, message, body, retry_after)
