"""A virtual cluster as a user has it, while its processes and those of the host are killed and frozen."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support import chaos, chaos_processes

pytestmark = [pytest.mark.integration, pytest.mark.timeout(0)]


async def test_both_sides_agree_after_any_kills(tmp_path: Path) -> None:
    async with chaos_processes.world(tmp_path, chaos.seed()) as world:
        deadline = time.monotonic() + chaos.seconds(300)
        while time.monotonic() < deadline:
            await world.round(40)
        print(world.summary())  # noqa: T201 - how much was tried
