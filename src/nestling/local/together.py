"""Several things at once, with the first failure as itself: callers know single errors, not groups."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def run(*work: Coroutine[Any, Any, object]) -> None:
    """Wait for all; when one fails the others are cancelled, and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in work:
                group.create_task(coroutine)
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
