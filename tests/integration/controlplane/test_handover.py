"""The two processes of ``nestling start``, with small programs in place of preparation and syncer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nestling.controlplane import plan, supervisor_status
from tests.integration.controlplane import virtual

pytestmark = pytest.mark.integration

BEGIN = """
import json, sys
from nestling.controlplane import handover, plan
handover.begin(plan.Component("syncer", tuple(json.loads(sys.argv[1]))), sys.argv[2])
"""
#: Says so, tells the plan, goes on.
GOOD = """
import os, pathlib, sys, time
from nestling.controlplane import handover
print("preparing", flush=True)
handover.tell(int(sys.argv[2]), pathlib.Path(sys.argv[1]))
print("syncing", flush=True)
time.sleep(1000)
"""
AGAIN = 'import time; print("again", flush=True); time.sleep(1000)'


class Start:
    """``begin`` in a process, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.plan_file = folder / "plan.json"
        again = plan.Component(
            "syncer", (sys.executable, "-c", AGAIN), log_file=str(folder / "syncer.log"), stop_seconds=5
        )
        self.plan_file.write_text(plan.to_json(plan.Plan("my-vc", str(folder), (again,))))

    def begin(self, program: str) -> subprocess.Popen[bytes]:
        """Start; the program gets the plan's path and the descriptor."""
        words = json.dumps([sys.executable, "-c", program, str(self.plan_file)])
        with (self.folder / "errors").open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", BEGIN, words, str(self.folder)], stderr=errors, stdout=subprocess.DEVNULL
            )
        return self.process

    def errors(self) -> str:
        """What it wrote to stderr."""
        return (self.folder / "errors").read_text()

    def written(self) -> str:
        """All that it wrote: what comes about when the plan does may be in either place."""
        return self.errors() + self.log()

    def log(self) -> str:
        """The log of the component."""
        file = self.folder / "syncer.log"
        return file.read_text() if file.exists() else ""

    def syncer(self) -> supervisor_status.ComponentStatus:
        """How the supervisor says that it is."""
        status = supervisor_status.read(self.folder)
        return status.components["syncer"] if status else supervisor_status.ComponentStatus()

    def running(self) -> int:
        """Wait until it runs; its pid."""
        virtual.until(lambda: self.syncer().state == "running", "running syncer", explain=self.errors)
        return self.syncer().pid or 0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    made = Start(tmp_path)
    yield made
    if made.process is not None:
        made.process.kill()
        made.process.wait()


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_who_prepared_is_supervised_and_its_output_is_the_components(start: Start) -> None:
    process = start.begin(GOOD)
    pid = start.running()
    assert parent(pid) == process.pid
    virtual.until(lambda: "syncing" in start.written(), "line after the plan", explain=start.errors)
    assert [start.written().count(word) for word in ("preparing", "syncing", "again")] == [1, 1, 0]
    process.terminate()
    assert process.wait(30) == 0
    assert supervisor_status.start_time(pid) is None


def test_it_has_no_descriptor_of_the_supervisor(start: Start) -> None:
    """Neither end of the pipe to tell the plan through is left open: the next syncer has none either."""
    start.begin(GOOD)
    pid = start.running()
    virtual.until(lambda: "syncing" in start.written(), "line after the plan", explain=start.errors)
    assert sorted(file.name for file in Path(f"/proc/{pid}/fd").iterdir()) == ["0", "1", "2"]


def test_a_syncer_that_dies_is_started_as_the_plan_says(start: Start) -> None:
    start.begin(GOOD)
    first = start.running()
    os.kill(first, signal.SIGKILL)
    virtual.until(lambda: "again" in start.log() and start.running() != first, "second syncer", explain=start.errors)
    assert start.syncer().restarts == 1


def test_a_syncer_that_dies_as_soon_as_it_has_told_is_started_as_the_plan_says(start: Start) -> None:
    """Its end comes before the supervisor listens for ends."""
    start.begin(GOOD.replace("time.sleep(1000)", "os.kill(os.getpid(), 9)"))
    virtual.until(lambda: "again" in start.log(), "second syncer", explain=start.errors)
    assert start.syncer().restarts == 1


def test_a_refusal_is_repeated_and_its_code_is_the_code(start: Start) -> None:
    process = start.begin('import sys; sys.stderr.write("the port is in use\\n"); sys.exit(3)')
    assert process.wait(30) == 3
    assert start.errors() == "the port is in use\n"
    assert supervisor_status.read(start.folder) is None


def test_a_death_while_preparing_is_a_failure(start: Start) -> None:
    process = start.begin("import os; os.kill(os.getpid(), 9)")
    assert process.wait(30) == 1


def test_a_signal_while_preparing_ends_both(start: Start) -> None:
    """Also where the supervisor is process 1, for which signals without a handler do not count."""
    process = start.begin('import os, time; print(f"pid {os.getpid()}", flush=True); time.sleep(1000)')
    virtual.until(lambda: "pid" in start.errors(), "process that prepares", explain=start.errors)
    pid = int(start.errors().split()[1])
    process.terminate()
    assert process.wait(30) == 128 + signal.SIGTERM
    virtual.until(lambda: supervisor_status.start_time(pid) is None, "end of both", explain=start.errors)


def test_a_supervisor_that_is_killed_while_preparing_takes_the_other_with_it(start: Start) -> None:
    process = start.begin('import os, time; print(f"pid {os.getpid()}", flush=True); time.sleep(1000)')
    virtual.until(lambda: "pid" in start.errors(), "process that prepares", explain=start.errors)
    pid = int(start.errors().split()[1])
    process.kill()
    process.wait()
    virtual.until(lambda: supervisor_status.start_time(pid) is None, "end of both", explain=start.errors)
