from __future__ import annotations

import asyncio
from pathlib import Path

from nestling.local import lock, report


def content(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_one_after_the_other_and_nothing_left_behind(tmp_path: Path) -> None:
    inside, most = 0, 0

    async def work() -> None:
        nonlocal inside, most
        async with lock.hold(tmp_path / "x.lock", report.Silent(), what="x"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(work())
    assert most == 1
    assert content(tmp_path) == []
