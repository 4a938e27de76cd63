"""Refusals: what is wrong, where, and what to do instead."""

from __future__ import annotations


class UserError(Exception):
    """Something that the user can mend. Its text is complete: it is printed as it is."""


def first(error: BaseException) -> BaseException:
    """The first single error of what failed concurrently."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class NotFoundError(UserError):
    """The virtual cluster that was named does not exist."""
