"""The syncer between two real API servers while everything between them breaks, as often as time allows."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support import chaos

pytestmark = [pytest.mark.integration, pytest.mark.timeout(0)]


async def test_both_sides_agree_after_any_faults(tmp_path: Path) -> None:
    async with chaos.world(tmp_path, chaos.seed()) as world:
        deadline = time.monotonic() + chaos.seconds(300)
        while time.monotonic() < deadline:
            await world.round(60)
        print(world.summary())  # noqa: T201 - how much was tried
