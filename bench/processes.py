"""Memory and processor time of processes, from /proc."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench import results
from nestling.controlplane import supervisor_status

_TICKS: Final = os.sysconf("SC_CLK_TCK")
SUPERVISOR: Final = "supervisor"
SYNCER: Final = "syncer"


@dataclasses.dataclass(frozen=True, slots=True)
class Usage:
    """Of one process, now."""

    rss_mb: float
    pss_mb: float
    cpu_seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Moment:
    """All processes of one supervisor at a time; two of them make a ``results.Weight`` for each process."""

    when: float
    usages: Mapping[str, Usage]


def pids(state_dir: Path) -> dict[str, int]:
    """The processes of a supervisor, and it itself, by name."""
    status, supervisor = supervisor_status.read(state_dir), supervisor_status.supervisor(state_dir)
    parts = status.components if status else {}
    found = {name: part.pid for name, part in parts.items() if part.pid}
    return {SUPERVISOR: supervisor.pid, **found} if supervisor else found


def moment(state_dir: Path, *, memory: bool = True) -> Moment:
    """The processes of a supervisor now. Counting pages takes a while in large processes; leave it out in a hurry."""
    return Moment(time.monotonic(), {name: usage(pid, memory=memory) for name, pid in pids(state_dir).items()})


def spent(*state_dirs: Path) -> float:
    """The processor seconds of these supervisors' processes and of the benchmark itself, so far."""
    found = (usage(pid, memory=False) for place in state_dirs for pid in pids(place).values())
    return time.process_time() + sum(one.cpu_seconds for one in found)


def weights(when: str, side: str, before: Moment, after: Moment) -> list[results.Weight]:
    """What each process used between two moments."""
    seconds = after.when - before.when
    return [
        results.Weight(
            when=when,
            side=side,
            process=name,
            rss_mb=now.rss_mb,
            pss_mb=now.pss_mb,
            cpu_percent=100 * (now.cpu_seconds - before.usages[name].cpu_seconds) / seconds,
        )
        for name, now in after.usages.items()
        if name in before.usages
    ]


def usage(pid: int, *, memory: bool = True) -> Usage:
    """One process now. PSS shares pages fairly among the processes that map them, such as a binary's."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
    rss, pss = _memory(pid) if memory else (0.0, 0.0)
    return Usage(rss, pss, (int(fields[11]) + int(fields[12])) / _TICKS)


def _memory(pid: int) -> tuple[float, float]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    found = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return found["Rss"] * 1024 / 1e6, found["Pss"] * 1024 / 1e6
