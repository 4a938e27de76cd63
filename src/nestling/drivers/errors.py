"""Refusals: what is wrong, where, and what to do instead."""

from __future__ import annotations


class UserError(Exception):
    """Something that the user can mend. Its text is complete: it is printed as it is."""


class NotFoundError(UserError):
    """The virtual cluster that was named does not exist."""
