from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from nestling.controlplane import supervisor_status as status


def test_this_process_lives() -> None:
    assert status.this_process().alive


def test_a_pid_with_another_start_time_is_somebody_else() -> None:
    assert not dataclasses.replace(status.this_process(), start_time=1).alive


def test_a_pid_of_another_boot_is_somebody_else() -> None:
    assert not dataclasses.replace(status.this_process(), boot_id="before").alive


def test_a_stale_file_names_no_supervisor(tmp_path: Path) -> None:
    gone = dataclasses.asdict(dataclasses.replace(status.this_process(), start_time=1))
    status.replace(tmp_path / status.SUPERVISOR, gone)
    assert status.supervisor(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense"])
def test_broken_files_are_like_none(tmp_path: Path, text: str) -> None:
    (tmp_path / status.SUPERVISOR).write_text(text)
    (tmp_path / status.STATUS).write_text(text)
    assert status.supervisor(tmp_path) is None
    assert status.read(tmp_path) is None


def test_a_status_survives_its_file(tmp_path: Path) -> None:
    written = status.Status(name="x", components={"etcd": status.ComponentStatus(state="running", pid=7, ready=True)})
    status.write(tmp_path, written)
    assert status.read(tmp_path) == written
    assert [path.name for path in tmp_path.iterdir()] == [status.STATUS]


def test_the_lock_names_its_holder(tmp_path: Path) -> None:
    status.write(tmp_path, status.Status(name="of an earlier supervisor", ready=True))
    descriptor = status.lock(tmp_path)
    status.announce(tmp_path, descriptor, tmp_path / "plan.json")
    assert status.supervisor(tmp_path) == status.this_process()
    assert status.read(tmp_path) is None
    with pytest.raises(status.AlreadyRunningError, match=f"pid {os.getpid()}"):
        status.lock(tmp_path)
    os.close(descriptor)
    os.close(status.lock(tmp_path))
