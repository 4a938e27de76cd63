"""How ``nestling start`` becomes two processes: one prepares and goes on as the first syncer, the other supervises it.

Preparation and syncer need the same libraries, whose imports take most of a second of processor time, and those of the
supervisor take a fifth. So they are loaded once, the supervisor is there before the plan is, and the API server has the
processors of a small node for itself (docs/performance.md). Standard library only.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from nestling.controlplane import plan, supervisor_spawn

FLAG = "--prepared-by"
_READ = 64 * 1024


@dataclass(frozen=True, slots=True)
class First:
    """The first process of a component, which is to say what the plan is; ``NAME:PID:OUTPUT:TOLD`` as an argument."""

    component: str
    child: supervisor_spawn.Child
    told: int
    """What it tells the path of the plan through; closed without a word when there will be none."""

    @classmethod
    def parse(cls, text: str) -> First:
        """The inverse of ``str``; raises ``ValueError``."""
        component, pid, output, told = text.split(":")
        return cls(component, supervisor_spawn.Child(int(pid), int(output)), int(told))

    def __str__(self) -> str:
        return f"{self.component}:{self.child.pid}:{self.child.output}:{self.told}"

    def plan_file(self) -> Path:
        """Wait for the plan, repeating what the process writes; without a plan, end as it ends.

        Process 1 of a container ignores signals that it has no handler for, so there is one.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end)
        fcntl.fcntl(self.child.output, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        told = b""
        while not told.endswith(b"\n"):
            readable, _, _ = select.select([self.told, self.child.output], [], [])
            if self.told in readable:
                part = os.read(self.told, _READ)
                if not part:
                    self._end_alike()
                told += part
            elif self.child.output in readable:
                _repeat(os.read(self.child.output, _READ))
        os.close(self.told)
        return Path(os.fsdecode(told.rstrip(b"\n")))

    def _end_alike(self) -> NoReturn:
        while rest := os.read(self.child.output, _READ):
            _repeat(rest)
        _, status = os.waitpid(self.child.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        sys.exit(code if code > 0 else 1)


def begin(component: plan.Component, folder: str) -> NoReturn:
    """Start the process that prepares, and become its supervisor. The descriptor to tell the plan through is added to
    the component's arguments.
    """
    told, tell = os.pipe()
    argv = (*component.argv, str(tell))
    child = supervisor_spawn.spawn(plan.Component(component.name, argv, component.env), folder, keep=(tell,))
    for descriptor in (told, child.output):
        fcntl.fcntl(descriptor, fcntl.F_SETFD, 0)
    first = First(component.name, child, told)
    os.execv(sys.executable, [sys.executable, "-m", "nestling.controlplane.supervisor", FLAG, str(first)])  # noqa: S606


def tell(descriptor: int, plan_file: Path) -> None:
    """In the process that prepares: the plan is there."""
    with os.fdopen(descriptor, "wb") as pipe:
        pipe.write(os.fsencode(plan_file) + b"\n")


def _repeat(output: bytes) -> None:
    sys.stderr.buffer.write(output)
    sys.stderr.buffer.flush()


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)
