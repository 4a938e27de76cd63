"""Logs of the syncer process: structlog in front of the standard library, one line per event, console or JSON.

structlog takes rich along where it is installed, for tracebacks that we do not use; that costs every syncer 4 MB. So it
is imported here, without rich.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final


@contextlib.contextmanager
def _without(name: str) -> Iterator[None]:
    """Such a module cannot be imported, unless it already was."""
    is_new = name not in sys.modules
    if is_new:
        sys.modules[name] = None  # type: ignore[assignment]  # says that there is none
    try:
        yield
    finally:
        if is_new:
            del sys.modules[name]


with _without("rich"):
    import structlog

__all__ = ["SECRET_KEYS", "configure", "redact", "structlog"]

#: Keys whose values are never written, whatever a caller passes.
SECRET_KEYS: Final = frozenset({"token", "password", "data", "stringData", "authorization", "client_key", "key_data"})


def redact(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Replace the values of keys that may hold a secret."""
    for key in SECRET_KEYS & event.keys():
        event[key] = "(redacted)"
    return event


def configure(encoding: str, *, level: int = logging.INFO) -> None:
    """Set up the process's logging once: ``json`` for machines, anything else for people."""
    shared: list[Callable[..., Any]] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts" if encoding == "json" else "timestamp"),
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    final: list[Callable[..., Any]] = (
        [
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("msg"),
            structlog.processors.JSONRenderer(),
        ]
        if encoding == "json"
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
