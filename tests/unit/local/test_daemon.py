from __future__ import annotations

from pathlib import Path

import pytest

from nestling.controlplane import supervisor_status
from nestling.local import daemon, errors


def folder_with(tmp_path: Path, *, restarts: int) -> Path:
    """A host whose supervisor is this process; one part is not ready."""
    lock = supervisor_status.lock(tmp_path)
    supervisor_status.announce(tmp_path, lock, tmp_path / "plan.json")
    report(tmp_path, restarts)
    return tmp_path


def report(folder: Path, restarts: int) -> None:
    part = supervisor_status.ComponentStatus(state="backoff", restarts=restarts)
    supervisor_status.write(folder, supervisor_status.Status("host-default", components={"etcd": part}))


async def test_a_part_that_ended_often_in_earlier_days_is_given_time(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, restarts=400)
    with pytest.raises(errors.HostError, match="not ready after"):
        await daemon.wait_ready(folder, progress=lambda _: None, seconds=0.2)


async def test_a_part_that_ends_again_and_again_while_we_wait_is_given_up(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, restarts=0)
    looks = 0
    real = supervisor_status.read

    def one_more(place: Path) -> supervisor_status.Status | None:
        nonlocal looks
        looks += 1
        report(place, looks)
        return real(place)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supervisor_status, "read", one_more)
        with pytest.raises(errors.HostError, match="does not come up: etcd is backoff"):
            await daemon.wait_ready(folder, progress=lambda _: None, seconds=60)
