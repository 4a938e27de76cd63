"""A minute of what ``make chaos`` does for longer: see docs/faults.md."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support import chaos, chaos_processes

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


async def test_both_sides_agree_after_faults_between_syncer_and_api_servers(tmp_path: Path) -> None:
    seed = chaos.seed()
    print(f"NESTLING_CHAOS_SEED={seed}")  # noqa: T201 - what replays this run
    async with chaos.world(tmp_path, seed) as world:
        deadline = time.monotonic() + 25
        while time.monotonic() < deadline:
            await world.round(50)


async def test_both_sides_agree_after_killed_and_frozen_processes(tmp_path: Path) -> None:
    seed = chaos.seed()
    print(f"NESTLING_CHAOS_SEED={seed}")  # noqa: T201 - what replays this run
    async with chaos_processes.world(tmp_path, seed) as world:
        await world.round(30)
