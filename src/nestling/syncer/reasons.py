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
_AGAIN: Final = "It is tried again by itself."
#: For which errors with which words in them: the first row that fits counts.
_ADVICE: Final[tuple[tuple[type[errors.ApiError], str, str], ...]] = (
    (
        errors.Forbidden,
        "exceeded quota",
        f"Delete what is not needed, or ask for a larger quota on the host cluster. {_AGAIN}",
    ),
    (
        errors.Forbidden,
        "violates PodSecurity",
        "Change the pod so that the host cluster's pod security standard allows it, or ask for an exception there.",
    ),
    (
        errors.Forbidden,
        "because it is being terminated",
        "The host namespace of this virtual cluster is being deleted; ask who deletes it.",
    ),
    (
        errors.Forbidden,
        "cannot ",
        f"The syncer lacks this right on the host cluster; ask the administrator of the virtual cluster. {_AGAIN}",
    ),
    (
        errors.ApiError,
        "admission webhook",
        "A policy of the host cluster refuses it; change the object so that the policy allows it.",
    ),
    (
        errors.ApiError,
        "ValidatingAdmissionPolicy",
        "A policy of the host cluster refuses it; change the object so that the policy allows it.",
    ),
    (
        errors.ApiError,
        "database space exceeded",
        f"The store of one of the two clusters is full; ask the administrator to make room. {_AGAIN}",
    ),
    (errors.TooLarge, "", "On the host cluster the object is larger than allowed; make it smaller."),
    (
        errors.ApiError,
        "request is too large",
        "On the host cluster the object is larger than its store takes (1.5 MiB); make it smaller.",
    ),
    (errors.ApiError, "Too long", "On the host cluster the object is larger than allowed; make it smaller."),
)


def text(error: Exception, *resources: Resource | None) -> str:
    """What went wrong with an object of one of these resources, in at most a line."""
    if isinstance(error, errors.ApiError):
        return _api(error, is_confidential=any(resource in _CONFIDENTIAL for resource in resources))[:_LENGTH]
    if type(error).__module__.startswith("nestling."):
        return str(error)[:_LENGTH]
    return f"internal error ({type(error).__name__}); the log of the syncer has the details"


def advice(error: errors.ApiError) -> str:
    """What a tenant can do about a refusal, as a sentence; empty where the answer itself says it."""
    return next((text for kinds, words, text in _ADVICE if isinstance(error, kinds) and words in error.message), "")


def _api(error: errors.ApiError, *, is_confidential: bool) -> str:
    what = error.reason or "the API server refused"
    if error.causes:
        fields = [f"{cause.get('field', '?')} ({cause.get('reason', '?')})" for cause in error.causes[:_CAUSES]]
        return f"{what} ({error.status}): {', '.join(fields)}"
    if is_confidential or isinstance(error, errors.Invalid | errors.BadRequest):
        return f"{what} ({error.status})"
    return str(error)
