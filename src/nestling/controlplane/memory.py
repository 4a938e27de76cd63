"""A soft ceiling for the memory of the stock programs (user lesson 9): near the container's limit they collect more.

Without one a Go program lets garbage grow by a share of what it uses, and the kernel kills it at the limit however much
of that is garbage. GOMEMLIMIT is what the Go runtime aims to stay below; pages of the binary are not counted in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_MIB: Final = 2**20
#: Of the limit, for all stock programs together: the rest is for the supervisor and the syncer. With 5,000 pods those
#: have 14 % of what the pod cannot give back (docs/performance.md).
_STOCK: Final = 0.8
#: How the stock programs share that, and what each gets at least: more than it uses when idle, in MiB. A ceiling below
#: what a program needs would keep it collecting all the time; kube-apiserver has 140 MiB of its own when idle.
_PARTS: Final = {
    "kube-apiserver": (12, 256),
    "kube-controller-manager": (2, 96),
    "kube-scheduler": (2, 64),
    "etcd": (2, 64),
    "kine": (2, 64),
    "coredns": (1, 48),
}
#: Where a container finds its own limit, of cgroups version 2 and 1.
_FILES: Final = ("memory.max", "memory/memory.limit_in_bytes")


def limit(cgroup: Path = Path("/sys/fs/cgroup"), *, machine: int | None = None) -> int | None:
    """The memory limit of this container in bytes; None without one, or with one that the machine cannot reach.

    ``machine`` is the memory of the machine in bytes, asked from the system when it is not given.
    """
    all_of_it = machine or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for name in _FILES:
        try:
            text = (cgroup / name).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        # version 2 writes "max", version 1 a number larger than any machine
        found = int(text) if text.isdecimal() else all_of_it
        return found if 0 < found < all_of_it else None
    return None


def ceilings(memory_limit: int | None, names: Iterable[str]) -> dict[str, str]:
    """GOMEMLIMIT of each of these processes, as the Go runtime reads it; of those that are not written in Go none."""
    if memory_limit is None:
        return {}
    stock = [name for name in names if name in _PARTS]
    parts = sum(_PARTS[name][0] for name in stock)
    return {name: f"{_ceiling(memory_limit, parts, *_PARTS[name])}MiB" for name in stock}


def _ceiling(memory_limit: int, parts: int, part: int, least: int) -> int:
    return max(least, int(memory_limit * _STOCK * part / parts / _MIB))
