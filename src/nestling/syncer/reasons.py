"""Errors as short texts for logs and the status document, without anything that may be a secret.

An API server quotes refused values: the message about a pod may hold its whole spec, environment included.
"""

from __future__ import annotations

from typing import Final

from nestling.kube import errors
from nestling.kube.resource import CONFIG_MAPS, SECRETS, Resource

_LENGTH: Final = 256
_CAUSES: Final = 5
_CONFIDENTIAL: Final = (SECRETS, CONFIG_MAPS)


def text(error: Exception, *resources: Resource | None) -> str:
    """What went wrong with an object of one of these resources, in at most a line."""
    if isinstance(error, errors.ApiError):
        return _api(error, is_confidential=any(resource in _CONFIDENTIAL for resource in resources))[:_LENGTH]
    if type(error).__module__.startswith("nestling."):
        return str(error)[:_LENGTH]
    return f"internal error ({type(error).__name__}); the log of the syncer has the details"


def _api(error: errors.ApiError, *, is_confidential: bool) -> str:
    what = error.reason or "the API server refused"
    if error.causes:
        fields = [f"{cause.get('field', '?')} ({cause.get('reason', '?')})" for cause in error.causes[:_CAUSES]]
        return f"{what} ({error.status}): {', '.join(fields)}"
    if is_confidential or isinstance(error, errors.Invalid | errors.BadRequest):
        return f"{what} ({error.status})"
    return str(error)
