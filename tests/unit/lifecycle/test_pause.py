from __future__ import annotations

from pathlib import Path

from nestling.lifecycle import pause
from tests.unit.lifecycle import fakes


async def test_pause_stops_and_a_second_one_does_nothing(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster(), fakes.cluster("b", status="Paused"))
    await pause.pause(current, "my-vc")
    await pause.pause(current, "b")
    assert driver.calls == ["pause my-vc"]


async def test_resume_starts_and_a_running_one_is_left_alone(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster(), fakes.cluster("b", status="Paused"))
    await pause.resume(current, "my-vc")
    await pause.resume(current, "b")
    assert driver.calls == ["ensure_running b"]
