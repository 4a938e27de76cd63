"""The beginning of what ``make chaos`` plays for minutes or hours, always the same: see docs/faults.md."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.support import chaos, chaos_processes, faults

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

#: Any would do. NESTLING_CHAOS_SEED plays another one.
SEED: Final = 4


async def test_both_sides_agree_after_faults_between_syncer_and_api_servers(tmp_path: Path) -> None:
    async with chaos.world(tmp_path, chaos.seed(SEED)) as world:
        for _ in range(2):
            await world.round(50)


async def test_both_sides_agree_after_killed_and_frozen_processes(tmp_path: Path) -> None:
    async with chaos_processes.world(tmp_path, chaos.seed(SEED)) as world:
        # given up after minutes by real processes; the other test has them, and less patience
        world.kinds = tuple(kind for kind in faults.Kind if kind is not faults.Kind.SILENT)
        await world.round(30)
