"""Running one command of the user with a private kubeconfig (``connect NAME -- COMMAND``)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from nestling.drivers import errors

#: Signals that the command gets from us. A terminal sends SIGINT and SIGQUIT to the command itself.
FORWARDED: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_FROM_TERMINAL: Final = frozenset({signal.SIGINT, signal.SIGQUIT})


@contextlib.contextmanager
def private_kubeconfig(text: str) -> Iterator[Path]:
    """A kubeconfig that only this user can read and that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="nestling-connect-"))
    try:
        path = folder / "kubeconfig"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        yield path
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find(program: str, environ: Mapping[str, str]) -> str:
    """Where a program is; raises ``UserError``."""
    found = shutil.which(program, path=environ.get("PATH"))
    if found is None:
        raise errors.UserError(f"there is no program {program!r} on the PATH; write it with its path, or install it")
    return found


async def run(command: Sequence[str], *, kubeconfig: str, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code; 128 + n when signal n ended it, as a shell does."""
    with private_kubeconfig(kubeconfig) as path:
        found = find(command[0], environ)
        return await run_program(command, found, {**environ, "KUBECONFIG": str(path)})


async def run_program(command: Sequence[str], executable: str, environ: Mapping[str, str]) -> int:
    """The same with the environment as it is."""
    loop = asyncio.get_running_loop()
    early: list[signal.Signals] = []
    process: asyncio.subprocess.Process | None = None

    def forward(number: signal.Signals) -> None:
        if process is None:
            early.append(number)
        elif process.returncode is None and not (number in _FROM_TERMINAL and in_foreground()):
            process.send_signal(number)

    for number in FORWARDED:
        loop.add_signal_handler(number, forward, number)
    try:
        process = await asyncio.create_subprocess_exec(*command, executable=executable, env=dict(environ))
        for number in early:
            process.send_signal(number)
        code = await process.wait()
    except PermissionError as error:
        raise errors.UserError(f"cannot run {executable}: {error.strerror}") from error
    finally:
        for number in FORWARDED:
            loop.remove_signal_handler(number)
    return 128 - code if code < 0 else code


def in_foreground() -> bool:
    """True when the terminal sends its signals to us, and so to the command as well."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False
