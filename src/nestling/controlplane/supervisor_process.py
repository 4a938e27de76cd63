"""One child process while it runs: its output, signals, its end, reaped together with orphans."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable

from nestling.controlplane import supervisor_logs, supervisor_spawn, supervisor_status

_READ = 64 * 1024


class Process:
    """A running component: pid, output, exit."""

    def __init__(
        self, child: supervisor_spawn.Child, log: supervisor_logs.ComponentLog, *, changed: Callable[[], None]
    ) -> None:
        self._log = log
        self._changed = changed
        self.exit: str | None = None
        """How it ended, in words; None while it runs."""
        self.exit_ok = False
        self.pid = child.pid
        self.start_time = supervisor_status.start_time(self.pid)
        self._output: int = child.output
        self._open = True
        os.set_blocking(self._output, False)
        asyncio.get_running_loop().add_reader(self._output, self._read)

    def signal(self, number: signal.Signals) -> None:
        """Signal the process and all of its group; nothing happens after its end."""
        if self.exit is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def reaped(self, wait_status: int) -> None:
        """Called by the reaper with the status of waitpid."""
        code = os.waitstatus_to_exitcode(wait_status)
        self.exit_ok = code == 0
        self.exit = describe_exit(code)
        self._drain()
        self._changed()

    def _drain(self) -> None:
        while self._open and self._read():
            pass
        self._close()
        self._log.flush()

    def _read(self) -> bool:
        try:
            data = os.read(self._output, _READ)
        except BlockingIOError:
            return False
        if data:
            self._log.feed(data)
        else:
            self._close()
        return bool(data)

    def _close(self) -> None:
        if self._open:
            self._open = False
            asyncio.get_running_loop().remove_reader(self._output)
            os.close(self._output)


class Reaper:
    """Collects every child that ends, ours by pid and, as process 1 of a container, orphans too."""

    def __init__(self) -> None:
        self._processes: dict[int, Process] = {}

    def add(self, process: Process) -> None:
        """Watch a process; call it before the loop runs again, so that no end is missed."""
        self._processes[process.pid] = process

    def collect(self) -> None:
        """Handle SIGCHLD: signals may be merged, so all that ended are taken."""
        with contextlib.suppress(ChildProcessError):
            while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                process = self._processes.pop(ended.si_pid, None)
                if process is not None:
                    # What it leaves behind in its group goes too; before the wait, while the group id is still its own.
                    process.signal(signal.SIGKILL)
                _, status = os.waitpid(ended.si_pid, 0)
                if process is not None:
                    process.reaped(status)


def describe_exit(code: int) -> str:
    """An exit code in words, as the subprocess module counts them: negative for a signal."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def kill_leftovers(status: supervisor_status.Status | None) -> tuple[str, ...]:
    """Kill the components of a supervisor that is gone, should one have survived; returns their names."""
    killed = []
    for name, part in (status.components if status else {}).items():
        if part.pid and part.start_time and supervisor_status.start_time(part.pid) == part.start_time:
            with contextlib.suppress(ProcessLookupError):
                os.kill(part.pid, signal.SIGKILL)
                killed.append(name)
    return tuple(killed)
