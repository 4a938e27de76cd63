"""What can be wrong with the embedded host, in words for its user."""

from __future__ import annotations


class HostError(Exception):
    """The embedded host cannot do what was asked; the message says why and what to do."""
