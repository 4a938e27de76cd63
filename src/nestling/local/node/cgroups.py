"""The cgroups of a node: every process of it is in them, so they say what is to be ended, and nobody else's ever is."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LEAF: Final = "node"
"""containerd, its shims and the kubelet; pods are beside it: a cgroup of version 2 holds processes or cgroups."""
_PAUSE: Final = 0.05
_WANTED: Final = ("cpuset", "cpu", "io", "memory", "hugetlb", "pids")


def hierarchies(mounts: str | None = None) -> list[Path]:
    """Where cgroup file systems are mounted, each once."""
    text = Path("/proc/self/mountinfo").read_text(encoding="utf-8") if mounts is None else mounts
    found: dict[Path, None] = {}
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        if after.split()[0] in {"cgroup", "cgroup2"} and before.split()[3] == "/":
            found[Path(before.split()[4])] = None
    return list(found)


def make(name: str) -> None:
    """Make the cgroups of a node in every hierarchy; raises OSError when the kernel refuses."""
    for root in hierarchies():
        if (root / "cgroup.controllers").exists():
            _delegate(root)
        for folder in (root / name, root / name / LEAF):
            folder.mkdir(exist_ok=True)
            _inherit_cpuset(folder)
        if (root / "cgroup.controllers").exists():
            _delegate(root / name)


def enter(name: str, pid: int) -> None:
    """Put a process into the node's cgroups; what it starts is in them too."""
    for root in hierarchies():
        with contextlib.suppress(FileNotFoundError):
            (root / name / LEAF / "cgroup.procs").write_text(str(pid), encoding="ascii")


def pids(name: str, part: str = "") -> set[int]:
    """The processes of a node, or of a part of its cgroups."""
    found: set[int] = set()
    for folder in _folders(name, part):
        with contextlib.suppress(OSError):
            found |= {int(line) for line in (folder / "cgroup.procs").read_text(encoding="ascii").split()}
    return found - {0}


def kill(name: str, *, seconds: float, spare: frozenset[int] = frozenset()) -> set[int]:
    """Kill every process of a node and wait for their end; returns those that are left. Containers may be frozen."""
    deadline = time.monotonic() + seconds
    while left := pids(name) - spare - {os.getpid()}:
        _thaw(name)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return left
        time.sleep(_PAUSE)
    return set()


def remove(name: str, *, seconds: float = 10.0) -> list[Path]:
    """Remove the cgroups; returns those that stay because processes are in them."""
    deadline = time.monotonic() + seconds
    while True:
        left = []
        for folder in sorted(_folders(name), key=lambda path: len(path.parts), reverse=True):
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                left.append(folder)
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(_PAUSE)


def _folders(name: str, part: str = "") -> Iterator[Path]:
    for root in hierarchies():
        top = root / name / part
        for folder, _, _ in os.walk(top):
            yield Path(folder)


def _thaw(name: str) -> None:
    for folder in _folders(name):
        with contextlib.suppress(OSError):
            if (folder / "freezer.state").exists():
                (folder / "freezer.state").write_text("THAWED", encoding="ascii")


def _delegate(folder: Path) -> None:
    """Version 2: let the cgroups below have the controllers that this one has."""
    available = set((folder / "cgroup.controllers").read_text(encoding="ascii").split())
    for controller in _WANTED:
        if controller in available:
            with contextlib.suppress(OSError):  # the kubelet says which one it misses
                (folder / "cgroup.subtree_control").write_text(f"+{controller}", encoding="ascii")


def _inherit_cpuset(folder: Path) -> None:
    """Version 1: a new cpuset has no processors, and no process may enter it."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        file = folder / name
        with contextlib.suppress(OSError):
            if file.exists() and not file.read_text(encoding="ascii").strip():
                file.write_text((folder.parent / name).read_text(encoding="ascii"), encoding="ascii")
