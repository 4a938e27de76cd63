"""Running helm: the release of a virtual cluster is installed, changed and removed by helm itself."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from nestling.binaries import chain
from nestling.binaries import progress as binaries_progress
from nestling.drivers import base, errors, fetching
from nestling.drivers.helm import hosts

#: What helm says of a release that is not there.
_ABSENT: Final = "release: not found"
_PENDING: Final = "another operation (install/upgrade/rollback) is in progress"


class PendingError(errors.UserError):
    """Somebody else, or a helm that was killed, is in the middle of a change."""


def fetch(reporter: base.Reporter) -> Path:
    """The program, from wherever it can be had."""
    return chain.ensure(["helm"], progress=binaries_progress.Throttled(fetching.Progress(reporter)))["helm"]


@dataclasses.dataclass(frozen=True, slots=True)
class Helm:
    """helm on one cluster."""

    path: Path
    host: hosts.HostCluster

    async def apply(self, name: str, namespace: str, chart: Sequence[str], values: str) -> None:
        """Install the release, or upgrade the one that is there; its objects exist afterwards, ready or not."""
        with _private_file(values) as file:
            await self._run("upgrade", name, *chart, "--install", "-n", namespace, "-f", str(file))

    async def uninstall(self, name: str, namespace: str) -> bool:
        """Remove the release and its objects; tells whether there was one."""
        try:
            await self._run("uninstall", name, "-n", namespace)
        except errors.UserError as error:
            if _ABSENT in str(error):
                return False
            raise
        return True

    async def rollback(self, name: str, namespace: str) -> None:
        """Go back to the revision before the last one."""
        await self._run("rollback", name, "-n", namespace)

    async def status(self, name: str, namespace: str) -> str:
        """``deployed``, ``failed``, ``pending-install`` and so on; empty when there is no release."""
        try:
            answer = await self._run("status", name, "-n", namespace, "-o", "json")
        except errors.UserError as error:
            if _ABSENT in str(error):
                return ""
            raise
        return str((json.loads(answer).get("info") or {}).get("status") or "")

    async def _run(self, *arguments: str) -> str:
        words = [str(self.path), *arguments, *self.host.arguments()]
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.host.environment(),
        )
        try:
            out, err = await process.communicate()
        except asyncio.CancelledError:
            # helm marks the release as failed when it is asked to end, and as pending for ever when it is killed.
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await asyncio.shield(process.wait())
            raise
        if process.returncode != 0:
            raise _refusal(arguments[0], err.decode(errors="replace"))
        return out.decode(errors="replace")


def _refusal(verb: str, said: str) -> errors.UserError:
    """What helm says, without the lines that only repeat."""
    text = "\n".join(line for line in said.strip().splitlines() if not line.startswith("WARNING: "))
    text = text.removeprefix("Error: ").strip() or "no reason given"
    if _PENDING in text:
        return PendingError(f"helm {verb} has to wait: {text}")
    return errors.UserError(f"helm {verb} failed: {text}")


@contextlib.contextmanager
def _private_file(text: str) -> Iterator[Path]:
    """The values may hold passwords: nobody else reads them, and they are in no argument."""
    with tempfile.TemporaryDirectory(prefix="nestling-values-") as folder:
        path = Path(folder) / "values.yaml"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        yield path
