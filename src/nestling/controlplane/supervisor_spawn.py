"""Starts a process so that it cannot outlive the supervisor.

The supervisor has one thread, so code between fork and exec is safe, and the parent whose death the kernel watches for
(PR_SET_PDEATHSIG watches the *thread* that forked) is the supervisor itself.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from nestling.controlplane import plan

_PR_SET_PDEATHSIG = 1


class StartError(Exception):
    """A program that cannot be executed."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process that was started, and the descriptor that its output is read from."""

    pid: int
    output: int


def spawn(component: plan.Component, folder: str, *, keep: tuple[int, ...] = ()) -> Child:
    """Start a process in a folder; it has the descriptors to ``keep``, and no others. Raises ``StartError``."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def bind_to_parent() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel knew
            os._exit(1)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    output, end = os.pipe()
    try:
        started = subprocess.Popen(
            component.argv,
            stdin=subprocess.DEVNULL,
            stdout=end,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=_environment(component.env),
            start_new_session=True,
            preexec_fn=bind_to_parent,  # noqa: PLW1509 - one thread only, see the module's text
            pass_fds=keep,
        )
    except (OSError, subprocess.SubprocessError) as error:
        os.close(output)
        raise StartError(f"cannot start {component.argv[0]}: {error}") from error
    finally:
        os.close(end)
    # the reaper waits for it; without this, Popen would complain that nobody does
    started.returncode = 0
    return Child(started.pid, output)


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, **extra}
