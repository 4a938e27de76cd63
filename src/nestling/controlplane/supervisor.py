"""The supervisor: starts the processes of a plan, keeps them running, and ends with them.

Run as `python -m nestling.controlplane.supervisor [--detach] PLAN.json`, or with the process that makes the plan in
place of the plan (`handover`). Standard library only, one thread, about 20 MB: it is process 1 of a control plane's
container and lives as long as the virtual cluster. SIGTERM and SIGINT stop everything in reverse order, a second one at
once; SIGHUP is ignored. Exit code 0 after a stop, 1 when a component failed for good, 2 for a plan that cannot be run,
3 when another supervisor holds the state folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from nestling.controlplane import handover, supervisor_component, supervisor_logs, supervisor_process, supervisor_status
from nestling.controlplane import plan as plan_module

EXIT_FAILED = 1
EXIT_PLAN = 2
EXIT_RUNNING = 3


class Supervisor:
    """Holds the runners of a plan and what they share."""

    def __init__(
        self, plan: plan_module.Plan, *, leftovers: tuple[str, ...] = (), first: handover.First | None = None
    ) -> None:
        self.plan = plan
        self._first = first
        self._leftovers = leftovers
        self.bell = supervisor_component.Bell()
        self.reaper = supervisor_process.Reaper()
        self.stopping = False
        self.hurry = False
        self._failure = ""
        self._state_dir = Path(plan.state_dir)
        self._output = supervisor_logs.Output(plan.echo)
        self._log_file = supervisor_logs.LogFile(self._state_dir / supervisor_status.LOG, plan.max_log_bytes)
        self._write_planned = False
        self._runners = {
            component.name: supervisor_component.Runner(
                component, self, supervisor_component.new_log(component, plan, self._output)
            )
            for component in plan.components
        }

    async def run(self) -> int:
        """Run until a signal or a permanent failure; returns the exit code."""
        loop = asyncio.get_running_loop()
        if self._first:
            self._runners[self._first.component].take_over(self._first.child)
        loop.add_signal_handler(signal.SIGCHLD, self.reaper.collect)
        loop.add_signal_handler(signal.SIGHUP, lambda: None)
        self.reaper.collect()  # what ended before there was a handler
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop, f"{number.name} received")
        for name in self._leftovers:
            self.log(name, "killed: it was left over from a supervisor that is gone")
        self.log("supervisor", f"supervising {', '.join(self._runners)}, pid {os.getpid()}")
        async with asyncio.TaskGroup() as group:
            for runner in self._runners.values():
                group.create_task(runner.run())
        self.log("supervisor", f"ended: {self._failure or 'all stopped'}")
        self._write(final=True)
        return EXIT_FAILED if self._failure else 0

    def stop(self, reason: str) -> None:
        """Stop everything; called a second time, kill it."""
        self.log("supervisor", f"{reason}: {'killing' if self.stopping else 'stopping'} everything")
        self.hurry = self.stopping
        self.stopping = True
        self.changed()

    def give_up(self, message: str) -> None:
        """Stop everything because of a permanent failure."""
        self._failure = self._failure or message
        if not self.stopping:
            self.stop(message)

    def status_of(self, name: str) -> supervisor_status.ComponentStatus:
        """How a component is doing."""
        return self._runners[name].status

    def changed(self) -> None:
        """Wake all who wait, and write the status once for all changes of this turn of the loop."""
        self.bell.ring()
        if not self._write_planned:
            self._write_planned = True
            asyncio.get_running_loop().call_soon(self._write)

    def log(self, component: str, message: str) -> None:
        """Write a line of the supervisor itself."""
        self._log_file.write(f"{supervisor_logs.timestamp()} {component}: {message}\n".encode())
        self._output.line(
            "supervisor", message.encode() if component == "supervisor" else f"{component}: {message}".encode()
        )

    def _write(self, *, final: bool = False) -> None:
        self._write_planned = False
        components = {name: runner.status for name, runner in self._runners.items()}
        status = supervisor_status.Status(
            name=self.plan.name,
            state="running",
            ready=not self.stopping and all(component.ready for component in components.values()),
            updated=supervisor_logs.timestamp(),
            message=self._failure,
            components=components,
        )
        if final:
            status.state = "failed" if self._failure else "stopped"
        elif self.stopping:
            status.state = "stopping"
        # A full disk must not end the control plane; the next change writes again.
        with contextlib.suppress(OSError):
            supervisor_status.write(self._state_dir, status)


def main(arguments: list[str]) -> int:
    """Run the plan named on the command line, or told by the process named there; with `--detach` in the background,
    once it holds the lock.
    """
    detach, handed_over = (arguments[:1] == [flag] for flag in ("--detach", handover.FLAG))
    if len(arguments) != 1 + detach + handed_over:
        _complain(f"usage: python -m nestling.controlplane.supervisor [--detach] PLAN.json | {handover.FLAG} PROCESS")
        return EXIT_PLAN
    first = handover.First.parse(arguments[-1]) if handed_over else None
    plan_file = first.plan_file() if first else Path(arguments[-1])
    os.umask(0o077)
    try:
        plan = plan_module.load(plan_file)
        state_dir = Path(plan.state_dir)
        lock = supervisor_status.lock(state_dir)
    except plan_module.PlanError as error:
        _complain(str(error))
        return EXIT_PLAN
    except supervisor_status.AlreadyRunningError as error:
        _complain(str(error))
        return EXIT_RUNNING
    except OSError as error:
        _complain(f"the state folder cannot be used: {error}")
        return EXIT_PLAN
    if detach:
        if os.fork():
            return 0
        _leave_terminal(state_dir)
    leftovers = supervisor_process.kill_leftovers(supervisor_status.read(state_dir))
    supervisor_status.announce(state_dir, lock, plan_file)
    return asyncio.run(Supervisor(plan, leftovers=leftovers, first=first).run())


def _leave_terminal(state_dir: Path) -> None:
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    output = os.open(state_dir / "supervisor.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for source, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(null)
    os.close(output)


def _complain(message: str) -> None:
    sys.stderr.write(f"supervisor: {message}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
