from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nestling.controlplane import supervisor_status
from nestling.drivers.local import folder, process

SLEEP = "import signal; signal.pause()"


@pytest.fixture
def place(tmp_path: Path) -> folder.Folder:
    found = folder.Folder(tmp_path / "cluster")
    found.path.mkdir()
    return found


@pytest.fixture
def marked(place: folder.Folder) -> Iterator[subprocess.Popen[bytes]]:
    env = {**os.environ, process.MARK: str(place.path)}
    child = subprocess.Popen([sys.executable, "-c", SLEEP], env=env)
    yield child
    child.kill()
    child.wait()


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen([sys.executable, "-c", SLEEP])
    yield child
    child.kill()
    child.wait()


def test_the_command_line_names_the_plan_and_nothing_else(place: folder.Folder) -> None:
    plan = place.path / "plan.json"
    assert process.start_command(plan)[1:] == ["-m", "nestling.controlplane.supervisor", str(plan)]


def test_processes_are_found_by_the_folder_in_their_environment(
    place: folder.Folder, marked: subprocess.Popen[bytes]
) -> None:
    assert process.ours(place) == {marked.pid: supervisor_status.start_time(marked.pid)}
    assert process.ours(folder.Folder(place.path.with_name("clust"))) == {}
    assert process.ours(folder.Folder(place.path.with_name("cluster-2"))) == {}


def test_descendants_belong_to_it_too(place: folder.Folder) -> None:
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEP!r}], env={{}})"
    env = {**os.environ, process.MARK: str(place.path)}
    child = subprocess.Popen([sys.executable, "-c", code], env=env)
    try:
        while len(process.ours(place)) < 2:
            assert child.poll() is None
    finally:
        for pid in process.ours(place):
            os.kill(pid, 9)
        child.wait()


async def test_stop_ends_them(place: folder.Folder, marked: subprocess.Popen[bytes]) -> None:
    await process.stop(place, seconds=0)
    assert marked.wait(10) == -9
    assert process.ours(place) == {}


async def test_stop_without_processes_does_nothing(place: folder.Folder) -> None:
    await process.stop(place, seconds=5)


async def test_a_pid_that_belongs_to_somebody_else_now_is_left_alone(
    place: folder.Folder, stranger: subprocess.Popen[bytes]
) -> None:
    started = supervisor_status.start_time(stranger.pid)
    assert started is not None
    supervisor_status.replace(
        place.path / supervisor_status.SUPERVISOR,
        {"pid": stranger.pid, "start_time": started + 1, "boot_id": supervisor_status.boot_id()},
    )
    await process.stop(place, seconds=5)
    assert stranger.poll() is None
