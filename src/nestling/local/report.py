"""Telling what goes on: the command line shows it, others leave it out."""

from __future__ import annotations

import contextlib
from typing import Protocol


class Reporter(Protocol):
    """Where progress goes."""

    def info(self, message: str) -> None:
        """Something that goes on."""

    def done(self, message: str) -> None:
        """Something that succeeded."""

    def warn(self, message: str) -> None:
        """Something that the user should know."""

    def step(self, text: str) -> contextlib.AbstractContextManager[None]:
        """A step that takes time."""


class Silent:
    """Says nothing."""

    def info(self, message: str) -> None:
        """Drop it."""

    def done(self, message: str) -> None:
        """Drop it."""

    def warn(self, message: str) -> None:
        """Drop it."""

    def debug(self, message: str) -> None:
        """Drop it."""

    def step(self, text: str) -> contextlib.AbstractContextManager[None]:
        """Just do it."""
        return contextlib.nullcontext()
