"""Short ways to name places in the configuration."""

from __future__ import annotations

from nestling.config import errors


def at(text: str, *more: str | int) -> errors.Path:
    """A path from its dotted form plus parts that may hold dots: ``at("sync.fromHost.customResources", name)``."""
    return (*text.split("."), *more)


def problem(place: str | errors.Path, message: str, hint: str, *about: str) -> errors.Finding:
    """A finding at a place; ``about`` names further keys that it depends on."""
    path = at(place) if isinstance(place, str) else place
    return errors.Finding(path, message, hint, tuple(at(key) for key in about))
