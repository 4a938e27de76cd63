"""What can go wrong between us and an API server, as types.

Every answer that is not a success becomes an ``ApiError`` of the class that says what the caller may do about it, with
the server's Status. No answer at all is a ``ConnectionFailed``.
"""

from __future__ import annotations

from typing import Final

import msgspec

from nestling.kube.resource import Obj

_DECODE: Final = msgspec.json.Decoder().decode
_SHOWN_BODY = 300


class ApiError(Exception):
    """The API server answered with an error; ``body`` is its Status object."""

    def __init__(
        self, *, status: int, reason: str, message: str, body: Obj | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.body: Obj = body if body is not None else {}
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.message} ({self.status} {self.reason})" if self.reason else f"{self.message} ({self.status})"

    @property
    def details(self) -> Obj:
        """The Status details: kind and name of the object, causes by field."""
        details = self.body.get("details")
        return details if isinstance(details, dict) else {}

    @property
    def causes(self) -> list[Obj]:
        """One entry per refused field, each with ``field``, ``reason`` and ``message``."""
        causes = self.details.get("causes")
        return causes if isinstance(causes, list) else []


class BadRequest(ApiError):
    """400: the request makes no sense to the server; repeating it will not help."""


class Unauthorized(ApiError):
    """401: the credentials are missing, wrong or expired."""


class Forbidden(ApiError):
    """403: RBAC, a quota or an admission rule says no."""


class NotFound(ApiError):
    """404: no such object, or no such resource."""


class MethodNotAllowed(ApiError):
    """405: the resource does not know this verb, such as listing token reviews."""


class NotAcceptable(ApiError):
    """406: the server does not have the representation that was asked for."""


class AlreadyExists(ApiError):
    """409 on create: the name is taken."""


class Conflict(ApiError):
    """409: the object is not the one, or not the version, that the request was decided on. Read again, decide again."""


class Expired(ApiError):
    """410: the resourceVersion or continue token is older than the server's memory. List again."""


class TooLarge(ApiError):
    """413: the object is too big for the store."""


class Unsupported(ApiError):
    """415: the server does not take this kind of body, such as a strategic merge patch of a custom resource."""


class Invalid(ApiError):
    """422: the object breaks a rule; ``causes`` says which field."""


class TooManyRequests(ApiError):
    """429: later; ``retry_after`` says when. Also the answer to an eviction that a disruption budget holds up."""


class ServerError(ApiError):
    """5xx: the server could not, this time."""


class Timeout(ServerError):
    """504: the server gave up waiting, for example for its own store."""


class ConnectionFailed(Exception):
    """No answer: the server cannot be reached, or the connection broke. A write may or may not have happened."""

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(f"cannot reach {url}: {cause}")
        self.url = url
        self.cause = cause


class CredentialsFailed(ConnectionFailed):
    """The request was not sent, for want of credentials: a plugin failed, a certificate file is broken."""

    def __str__(self) -> str:
        return f"no credentials for {self.url}: {self.cause}"


_BY_STATUS: Final[dict[int, type[ApiError]]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    406: NotAcceptable,
    409: Conflict,
    410: Expired,
    413: TooLarge,
    415: Unsupported,
    422: Invalid,
    429: TooManyRequests,
    504: Timeout,
}


def from_response(status: int, body: bytes, retry_after: float | None = None) -> ApiError:
    """The error that an HTTP answer means. Bodies that are no Status (a proxy's page) are quoted."""
    try:
        decoded = _DECODE(body)
    except msgspec.DecodeError:
        decoded = None
    if isinstance(decoded, dict) and decoded.get("kind") == "Status":
        return from_status(decoded, status=status, retry_after=retry_after)
    text = body[:_SHOWN_BODY].decode(errors="replace").strip()
    message = f"the server answered {status}" + (f": {text}" if text else "")
    return _class(status, "")(status=status, reason="", message=message, retry_after=retry_after)


def from_status(body: Obj, *, status: int | None = None, retry_after: float | None = None) -> ApiError:
    """The error that a Status object means: the body of an answer, or the object of an ERROR event of a watch."""
    code = status if status is not None else int(body.get("code") or 500)
    reason = str(body.get("reason") or "")
    message = str(body.get("message") or f"the server answered {code}")
    if retry_after is None:
        seconds = (body.get("details") or {}).get("retryAfterSeconds")
        retry_after = float(seconds) if seconds else None
    return _class(code, reason)(status=code, reason=reason, message=message, body=body, retry_after=retry_after)


def _class(status: int, reason: str) -> type[ApiError]:
    if reason == "AlreadyExists":
        return AlreadyExists
    return _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
