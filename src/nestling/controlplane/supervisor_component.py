"""The life of one component: wait, start, probe, restart with back-off, stop."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nestling.controlplane import (
    plan,
    supervisor_logs,
    supervisor_probe,
    supervisor_process,
    supervisor_spawn,
    supervisor_status,
)

FIRST_DELAY = 0.2
LONGEST_DELAY = 30.0
HEALTHY_SECONDS = 60.0
"""After so long a time of health the next failure counts as the first one."""
_QUICK = 0.1
_IMPATIENCE = 0.04
"""While a process starts, it is asked again after this share of the time that it has taken so far."""
_FAILING_PERIOD = 1.0
_UNKILLABLE_SECONDS = 30.0
_FEWEST_FAILURES = 3


class Bell:
    """Wakes everyone who waits for a condition: they look again and go on waiting, or not."""

    def __init__(self) -> None:
        self._next: asyncio.Event = asyncio.Event()

    def ring(self) -> None:
        """Something changed."""
        self._next.set()
        self._next = asyncio.Event()

    async def until(self, condition: Callable[[], bool], *, timeout_seconds: float | None = None) -> bool:
        """Wait until the condition holds; False when the time was up first."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while not condition():
                    await self._next.wait()
        except TimeoutError:
            return condition()
        return True


class Backoff:
    """How long to wait before the next start: twice as long each time, jittered, from the start again after health."""

    def __init__(self) -> None:
        self.failures = 0

    def failed(self, healthy_seconds: float) -> float:
        """Count a failure after so many seconds of health and say how long to wait."""
        self.failures = 1 if healthy_seconds >= HEALTHY_SECONDS else self.failures + 1
        longest = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(self.failures - 1, 16))
        return random.uniform(longest / 2, longest)  # noqa: S311 - no secret


@dataclass(slots=True)
class Health:
    """What the answers to the probes of one process mean: a value that grows by observations."""

    stuck_seconds: float | None
    start_seconds: float
    ready: bool = False
    healthy_since: float | None = None
    """Since when it has been ready without a break."""
    seen_alive: bool = False
    failing_since: float = 0.0
    failures: int = 0

    def observe(self, *, ready: bool, alive: bool, now: float) -> bool:
        """Take one observation; True when the process must be killed because it is stuck.

        It takes several failures: a supervisor that was itself suspended must not kill for the time that it slept.
        """
        self.ready = ready
        self.healthy_since = (self.healthy_since or now) if ready else None
        if alive:
            self.seen_alive, self.failures = True, 0
            return False
        self.failing_since = self.failing_since if self.failures else now
        self.failures += 1
        if self.stuck_seconds is None or self.failures < _FEWEST_FAILURES:
            return False
        patience = self.stuck_seconds if self.seen_alive else max(self.stuck_seconds, self.start_seconds)
        return now - self.failing_since >= patience

    def healthy_seconds(self, now: float) -> float:
        """How long it has been healthy."""
        return 0.0 if self.healthy_since is None else now - self.healthy_since


class Surroundings(Protocol):
    """What a component needs from its supervisor."""

    bell: Bell
    reaper: supervisor_process.Reaper
    stopping: bool
    hurry: bool
    """Kill at once: the user asked twice."""

    @property
    def plan(self) -> plan.Plan:
        """The plan."""

    def status_of(self, name: str) -> supervisor_status.ComponentStatus:
        """How another component is doing."""

    def changed(self) -> None:
        """Write the status and wake all who wait."""

    def log(self, component: str, message: str) -> None:
        """Say what happened."""

    def give_up(self, message: str) -> None:
        """Stop everything and end with an error."""


class Runner:
    """Runs one component until the supervisor stops."""

    def __init__(self, component: plan.Component, supervisor: Surroundings, log: supervisor_logs.ComponentLog) -> None:
        self._component = component
        self._supervisor = supervisor
        self._log = log
        self._backoff = Backoff()
        self.status = supervisor_status.ComponentStatus()
        self._probe_problem = ""
        self._first: supervisor_process.Process | None = None

    def take_over(self, child: supervisor_spawn.Child) -> None:
        """The first process of this component runs already."""
        self._first = self._watched(child)

    async def run(self) -> None:
        """Live the whole life; returns when the component has stopped for good."""
        bell, supervisor = self._supervisor.bell, self._supervisor
        await bell.until(lambda: supervisor.stopping or self._dependencies_ready())
        while not self._stopping():
            healthy_seconds, ended_well = await self._once()
            if self._stopping() or not self._again(ended_well):
                break
            delay = self._backoff.failed(healthy_seconds)
            if supervisor.plan.max_restarts is not None and self._backoff.failures > supervisor.plan.max_restarts:
                self._fail(f"failed {self._backoff.failures} times in a row; last: {self._why()}")
                break
            self._set("backoff", f"{self._why()}; next start in {delay:.1f} s")
            await bell.until(self._stopping, timeout_seconds=delay)
            self.status.restarts += 1
        if self.status.state not in {"failed", "done"}:
            self._set("stopped")

    def _stopping(self) -> bool:
        return self._supervisor.stopping

    def _again(self, ended_well: bool) -> bool:  # noqa: FBT001 - private, one caller
        if self._component.restart:
            return True
        if ended_well:
            self.status.ready = True
            self._set("done")
        else:
            self._fail(self._why())
        return False

    async def _once(self) -> tuple[float, bool]:
        """One process from start to end: how long it was healthy at the end, and whether it ended with code 0."""
        health = Health(self._component.stuck_seconds, self._component.start_seconds)
        try:
            process = self._start()
        except supervisor_spawn.StartError as error:
            self.status.last_exit = str(error)
            return 0.0, False
        async with asyncio.TaskGroup() as group:
            prober = group.create_task(self._observe(process, health))
            await self._supervisor.bell.until(lambda: process.exit is not None or self._supervisor.stopping)
            prober.cancel()
        if process.exit is None:
            await self._stop(process)
        healthy = health.healthy_seconds(time.monotonic())
        self.status.pid = self.status.start_time = None
        self.status.ready = False
        self.status.last_exit = f"{process.exit or 'could not be killed'} at {supervisor_logs.timestamp()}"
        if not self._supervisor.stopping:
            self._supervisor.log(self._component.name, f"ended: {self._why()}")
        return healthy, process.exit_ok

    def _start(self) -> supervisor_process.Process:
        supervisor = self._supervisor
        process, self._first = self._first, None
        process = process or self._watched(supervisor_spawn.spawn(self._component, supervisor.plan.state_dir))
        self.status.pid, self.status.start_time = process.pid, process.start_time
        supervisor.log(self._component.name, f"started, pid {process.pid}")
        self._set("starting")
        return process

    def _watched(self, child: supervisor_spawn.Child) -> supervisor_process.Process:
        process = supervisor_process.Process(child, self._log, changed=self._supervisor.bell.ring)
        self._supervisor.reaper.add(process)
        return process

    async def _observe(self, process: supervisor_process.Process, health: Health) -> None:
        ready, alive = self._component.ready, self._component.alive or self._component.ready
        if ready is None:
            health.healthy_since = time.monotonic()
            self.status.ready = self._component.restart
            self._set("running")
        started, was_ready = time.monotonic(), False
        while alive is not None:
            problem = None if ready is None else await supervisor_probe.ask(ready)
            stuck_problem = problem if alive is ready or not problem else await supervisor_probe.ask(alive)
            if health.observe(ready=problem is None, alive=stuck_problem is None, now=time.monotonic()):
                self._supervisor.log(self._component.name, f"stuck ({stuck_problem}): killing it to start it again")
                self._probe_problem = f"stuck ({stuck_problem})"
                process.signal(signal.SIGKILL)
                return
            self._note(problem, health)
            was_ready = was_ready or health.ready
            steady = alive.period_seconds if health.ready else _FAILING_PERIOD
            starting = max(_QUICK, (time.monotonic() - started) * _IMPATIENCE)
            await asyncio.sleep(steady if was_ready else min(steady, starting))

    def _note(self, problem: str | None, health: Health) -> None:
        state: supervisor_status.State = "running" if health.ready else "unready" if health.seen_alive else "starting"
        if (state, problem or "") == (self.status.state, self.status.message) and self.status.ready == health.ready:
            return
        if health.ready != self.status.ready:
            self._supervisor.log(self._component.name, "ready" if health.ready else f"not ready: {problem}")
        self.status.ready = health.ready
        self._set(state, problem or "")

    async def _stop(self, process: supervisor_process.Process) -> None:
        supervisor = self._supervisor
        bell, dependants = supervisor.bell, plan.dependants(supervisor.plan, self._component.name)
        finished = {"stopped", "done", "failed"}
        await bell.until(
            lambda: (
                supervisor.hurry
                or process.exit is not None
                or all(supervisor.status_of(name).state in finished for name in dependants)
            )
        )
        self._set("stopping")
        process.signal(signal.SIGTERM)
        # A stopped process (SIGSTOP) acts on SIGTERM only when it goes on.
        process.signal(signal.SIGCONT)
        deadline = self._component.stop_seconds
        if not await bell.until(lambda: process.exit is not None or supervisor.hurry, timeout_seconds=deadline):
            supervisor.log(self._component.name, f"did not stop within {deadline:g} s: killing it")
        process.signal(signal.SIGKILL)
        await bell.until(lambda: process.exit is not None, timeout_seconds=_UNKILLABLE_SECONDS)

    def _dependencies_ready(self) -> bool:
        return all(self._supervisor.status_of(name).ready for name in self._component.after)

    def _why(self) -> str:
        parts = [self._probe_problem or self.status.last_exit or "", self._log.last_line]
        self._probe_problem = ""
        return "; last line: ".join(part for part in parts if part)

    def _fail(self, message: str) -> None:
        self._set("failed", message)
        self._supervisor.give_up(f"{self._component.name}: {message}")

    def _set(self, state: supervisor_status.State, message: str = "") -> None:
        if state != self.status.state:
            self.status.since = supervisor_logs.timestamp()
        self.status.state, self.status.message = state, message
        self._supervisor.changed()


def new_log(
    component: plan.Component, the_plan: plan.Plan, output: supervisor_logs.Output
) -> supervisor_logs.ComponentLog:
    """The log of a component as the plan wants it."""
    file = supervisor_logs.LogFile(Path(component.log_file), the_plan.max_log_bytes) if component.log_file else None
    return supervisor_logs.ComponentLog(component.name, file, output)
