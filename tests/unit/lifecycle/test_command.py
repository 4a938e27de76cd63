from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from nestling.drivers import errors
from nestling.lifecycle import command


async def python(code: str, kubeconfig: str = "k") -> int:
    return await command.run([sys.executable, "-c", code], kubeconfig=kubeconfig, environ=dict(os.environ))


async def test_the_exit_code_is_passed_on() -> None:
    assert await python("raise SystemExit(7)") == 7
    assert await python("") == 0


async def test_the_death_by_a_signal_is_told_as_a_shell_does() -> None:
    assert await python("import os; os.kill(os.getpid(), 9)") == 137


async def test_the_kubeconfig_is_private_and_removed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = f"""
import os, pathlib, stat
path = pathlib.Path(os.environ["KUBECONFIG"])
modes = [oct(stat.S_IMODE(p.stat().st_mode)) for p in (path, path.parent)]
pathlib.Path({str(out)!r}).write_text(" ".join([str(path), *modes, path.read_text()]))
"""
    assert await python(code, kubeconfig="text") == 0
    path, *rest = out.read_text().split()
    assert rest == ["0o600", "0o700", "text"]
    assert not Path(path).parent.exists()


async def test_a_program_that_does_not_exist_is_refused() -> None:
    with pytest.raises(errors.UserError, match="no program 'no-such-program'"):
        await command.run(["no-such-program"], kubeconfig="k", environ=dict(os.environ))


async def test_sigterm_reaches_the_command_and_its_answer_counts(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    code = f"""
import pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(42))
pathlib.Path({str(ready)!r}).touch()
signal.pause()
"""
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(python(code))
        while not ready.exists():  # noqa: ASYNC110  a file of another process
            await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
    assert running.result() == 42


def test_the_private_kubeconfig_is_removed_when_the_work_fails() -> None:
    seen: list[Path] = []

    def fail() -> None:
        with command.private_kubeconfig("x") as path:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            seen.append(path)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not seen[0].parent.exists()
