"""The supervisor with real processes: small Python and shell programs stand in for etcd and the API server."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from nestling.controlplane import plan, supervisor_status
from tests.support import envtest

pytestmark = pytest.mark.integration

DEADLINE = 30.0
SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"ok")
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class Run:
    """One state folder and the supervisors that were started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state_dir = folder / "state"
        self.processes: list[subprocess.Popen[str]] = []

    def write(self, *components: plan.Component, **options: object) -> Path:
        values = plan.Plan(name="test", state_dir=str(self.state_dir), components=components)
        file = self.folder / "plan.json"
        file.write_text(plan.to_json(dataclasses.replace(values, **options)))  # type: ignore[arg-type]  # a test's shorthand
        return file

    def start(self, *components: plan.Component, **options: object) -> subprocess.Popen[str]:
        return self.launch(self.write(*components, **options))

    def launch(self, file: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "nestling.controlplane.supervisor", str(file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def status(self) -> supervisor_status.Status | None:
        return supervisor_status.read(self.state_dir)

    def part(self, name: str) -> supervisor_status.ComponentStatus:
        status = self.status()
        return status.components[name] if status else supervisor_status.ComponentStatus()

    def pid(self, name: str) -> int:
        until(lambda: self.part(name).pid is not None)
        return self.part(name).pid or 0

    def ready(self) -> None:
        until(lambda: (status := self.status()) is not None and status.state == "running" and status.ready)

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    return supervisor_status.start_time(pid) is not None


def sleeper(name: str, **options: object) -> plan.Component:
    return shell(name, "exec sleep 1000", **options)


def shell(name: str, script: str, **options: object) -> plan.Component:
    return program(name, ["sh", "-c", script], **options)


def program(name: str, argv: Sequence[str], **options: object) -> plan.Component:
    return dataclasses.replace(plan.Component(name=name, argv=tuple(argv)), **options)  # type: ignore[arg-type]  # a test's shorthand


def server(name: str, port: int, **options: object) -> plan.Component:
    probe = plan.Probe(url=f"http://127.0.0.1:{port}/", period_seconds=0.1, timeout_seconds=0.3)
    return program(name, [sys.executable, "-c", SERVER, str(port)], ready=probe, **options)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    running = Run(tmp_path)
    yield running
    running.end()


def test_components_start_as_soon_as_what_they_wait_for_is_ready(run: Run, tmp_path: Path) -> None:
    order = tmp_path / "order"
    run.start(
        shell("last", f"echo last >> {order}; exec sleep 1000", after=("web",)),
        server("web", envtest.free_port()),
        shell("first", f"echo first >> {order}; exec sleep 1000"),
    )
    until(lambda: run.pid("first") > 0 and run.part("last").state in {"waiting", "running"})
    run.ready()
    assert order.read_text() == "first\nlast\n"
    log = (run.state_dir / supervisor_status.LOG).read_text()
    assert log.index("web: ready") < log.index("last: started")


def test_a_component_that_dies_is_started_again_and_its_dependants_are_left_alone(run: Run) -> None:
    run.start(server("web", envtest.free_port()), sleeper("app", after=("web",)))
    run.ready()
    web, app = run.pid("web"), run.pid("app")
    os.kill(web, signal.SIGKILL)
    until(lambda: run.part("web").restarts == 1)
    run.ready()
    assert run.pid("web") != web
    assert run.pid("app") == app
    assert "killed by SIGKILL" in (run.part("web").last_exit or "")


def test_back_off_grows_while_a_component_fails(run: Run) -> None:
    run.start(shell("bad", "echo reason >&2; exit 3"))
    until(lambda: run.part("bad").restarts >= 3 and run.part("bad").state == "backoff")
    message = run.part("bad").message
    assert "exit code 3" in message
    assert "reason" in message


def test_a_stopped_process_is_killed_and_started_again(run: Run) -> None:
    run.start(server("web", envtest.free_port(), stuck_seconds=0.5))
    run.ready()
    first = run.pid("web")
    os.kill(first, signal.SIGSTOP)
    until(lambda: run.part("web").restarts == 1)
    run.ready()
    assert not alive(first)


def test_a_component_that_never_becomes_alive_is_started_again(run: Run) -> None:
    probe = plan.Probe(url=f"http://127.0.0.1:{envtest.free_port()}/", period_seconds=0.05, timeout_seconds=0.1)
    run.start(sleeper("mute", ready=probe, stuck_seconds=0.2, start_seconds=0.4))
    until(lambda: run.part("mute").restarts >= 1)


def test_children_die_with_a_supervisor_that_is_killed_and_the_next_start_works(run: Run) -> None:
    first = run.start(server("web", envtest.free_port()), sleeper("app"))
    run.ready()
    pids = [run.pid("web"), run.pid("app")]
    first.kill()
    first.wait()
    until(lambda: not any(alive(pid) for pid in pids))
    assert supervisor_status.supervisor(run.state_dir) is None
    run.launch(run.folder / "plan.json")
    until(lambda: run.part("web").pid not in {None, pids[0]})
    run.ready()


def test_a_component_that_outlived_its_supervisor_is_killed_first(run: Run) -> None:
    orphan = subprocess.Popen(["sleep", "1000"])
    try:
        file = run.write(sleeper("app"))
        run.state_dir.mkdir()
        part = supervisor_status.ComponentStatus(pid=orphan.pid, start_time=supervisor_status.start_time(orphan.pid))
        supervisor_status.write(run.state_dir, supervisor_status.Status(name="test", components={"app": part}))
        run.launch(file)
        assert orphan.wait(DEADLINE) == -signal.SIGKILL
        run.ready()
    finally:
        orphan.kill()
        orphan.wait()


def test_a_stale_pid_of_somebody_else_is_left_alone(run: Run) -> None:
    stranger = subprocess.Popen(["sleep", "1000"])
    try:
        file = run.write(sleeper("app"))
        run.state_dir.mkdir()
        part = supervisor_status.ComponentStatus(pid=stranger.pid, start_time=1)
        supervisor_status.write(run.state_dir, supervisor_status.Status(name="test", components={"app": part}))
        run.launch(file)
        run.ready()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_what_a_component_leaves_behind_in_its_group_goes_with_it(run: Run, tmp_path: Path) -> None:
    child = tmp_path / "child"
    run.start(shell("parent", f"sleep 1000 & echo $! > {child}; wait"))
    until(lambda: child.exists() and child.read_text().strip() != "")
    pid = int(child.read_text())
    os.kill(run.pid("parent"), signal.SIGKILL)
    until(lambda: not alive(pid))


def test_sigterm_stops_in_reverse_order(run: Run, tmp_path: Path) -> None:
    order = tmp_path / "order"
    trap = 'trap "echo {0} >> {1}; exit 0" TERM; while :; do sleep 0.02; done'
    process = run.start(
        shell("store", trap.format("store", order)),
        shell("api", trap.format("api", order), uses=("store",)),
        shell("app", trap.format("app", order), after=("api",)),
    )
    run.ready()
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE) == 0
    assert order.read_text() == "app\napi\nstore\n"
    status = run.status()
    assert status is not None
    assert (status.state, status.ready) == ("stopped", False)
    assert {part.state for part in status.components.values()} == {"stopped"}


def test_what_ignores_sigterm_is_killed_at_its_deadline(run: Run) -> None:
    process = run.start(shell("deaf", 'trap "" TERM; while :; do sleep 0.02; done', stop_seconds=0.3))
    run.ready()
    pid = run.pid("deaf")
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE) == 0
    assert not alive(pid)


def test_a_second_sigterm_does_not_wait(run: Run) -> None:
    process = run.start(shell("deaf", 'trap "" TERM; while :; do sleep 0.02; done', stop_seconds=1000))
    run.ready()
    process.send_signal(signal.SIGTERM)
    until(lambda: run.part("deaf").state == "stopping")
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE) == 0


def test_sighup_is_ignored(run: Run) -> None:
    process = run.start(sleeper("app"))
    run.ready()
    process.send_signal(signal.SIGHUP)
    os.kill(run.pid("app"), signal.SIGKILL)
    until(lambda: run.part("app").restarts == 1)
    assert process.poll() is None


def test_a_second_supervisor_is_refused_with_the_pid_of_the_first(run: Run) -> None:
    first = run.start(sleeper("app"))
    run.ready()
    second = run.launch(run.folder / "plan.json")
    _, error = second.communicate(timeout=DEADLINE)
    assert second.returncode == 3
    assert f"pid {first.pid}" in error
    assert first.poll() is None


def test_a_plan_that_cannot_run_is_refused(run: Run) -> None:
    (run.folder / "plan.json").write_text("{}")
    process = run.launch(run.folder / "plan.json")
    _, error = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2
    assert "plan.json" in error


def test_too_many_restarts_end_everything_with_an_error(run: Run) -> None:
    process = run.start(sleeper("app"), shell("bad", "exit 1"), max_restarts=1)
    assert process.wait(DEADLINE) == 1
    status = run.status()
    assert status is not None
    assert status.state == "failed"
    assert status.message.startswith("bad: failed 2 times")


def test_a_task_that_succeeds_opens_the_way_and_one_that_fails_ends_all(run: Run) -> None:
    run.start(shell("task", "exit 0", restart=False), sleeper("app", after=("task",)))
    run.ready()
    assert run.part("task").state == "done"
    run.processes[0].send_signal(signal.SIGTERM)
    run.processes[0].wait(DEADLINE)
    failed = run.start(shell("task", "exit 5", restart=False), sleeper("app"))
    assert failed.wait(DEADLINE) == 1


def test_a_program_that_is_not_there_is_tried_again(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "program"
    run.start(program("late", [str(path)]))
    until(lambda: run.part("late").state == "backoff")
    assert "cannot start" in run.part("late").message
    path.write_text("#!/bin/sh\nexec sleep 1000\n")
    path.chmod(0o755)
    run.ready()


def test_lines_go_to_the_log_file_and_to_standard_output(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "talk.log"
    talker = shell("talk", "echo out; echo err >&2; printf unfinished; exec sleep 1000", log_file=str(log))
    process = run.start(talker, echo="json")
    until(lambda: log.exists() and log.read_text() == "out\nerr\n")
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=DEADLINE)
    assert log.read_text() == "out\nerr\nunfinished\n"
    lines = [json.loads(line) for line in output.splitlines()]
    said = [line["message"] for line in lines if line["component"] == "talk"]
    assert said == ["out", "err", "unfinished"]


def test_files_are_private(run: Run, tmp_path: Path) -> None:
    run.start(shell("talk", "echo out; exec sleep 1000", log_file=str(tmp_path / "logs" / "talk.log")))
    run.ready()
    assert stat.S_IMODE(run.state_dir.stat().st_mode) == 0o700
    for path in [*run.state_dir.iterdir(), tmp_path / "logs" / "talk.log"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_orphans_are_reaped_by_a_supervisor_that_is_their_parent(run: Run, tmp_path: Path) -> None:
    """As process 1 of a container it inherits orphans; a subreaper inherits them in the same way."""
    child = tmp_path / "child"
    file = run.write(shell("maker", f"(setsid sh -c 'echo $$ > {child}; sleep 0.2') & exec sleep 0.05"))
    code = (
        "import ctypes, sys; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0);"
        "from nestling.controlplane import supervisor; sys.exit(supervisor.main([sys.argv[1]]))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE, text=True)
    run.processes.append(process)
    until(lambda: child.exists() and child.read_text().strip() != "")
    pid = int(child.read_text())
    until(lambda: not Path(f"/proc/{pid}").exists())
    assert process.poll() is None


def test_detached_it_lives_on_and_reports_a_refusal(run: Run) -> None:
    file = run.write(sleeper("app"))
    command = [sys.executable, "-m", "nestling.controlplane.supervisor", "--detach", str(file)]
    assert subprocess.run(command, check=True, capture_output=True, timeout=DEADLINE).stdout == b""
    run.ready()
    process = supervisor_status.supervisor(run.state_dir)
    assert process is not None
    try:
        assert os.getsid(process.pid) == process.pid
        refused = subprocess.run(command, check=False, capture_output=True, text=True, timeout=DEADLINE)
        assert refused.returncode == 3
        assert f"pid {process.pid}" in refused.stderr
    finally:
        os.kill(process.pid, signal.SIGTERM)
        until(lambda: not process.alive)


def test_memory_stays_small(run: Run) -> None:
    process = run.start(server("web", envtest.free_port()))
    run.ready()
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    kilobytes = int(next(line for line in lines if line.startswith("VmRSS")).split()[1])
    assert kilobytes < 32 * 1024
