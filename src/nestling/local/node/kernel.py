"""System calls that Python 3.11 has no functions for: namespaces and mounts. Linux only, root only."""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path
from typing import Final

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWNET: Final = 0x40000000
MS_BIND: Final = 0x1000
MS_REC: Final = 0x4000
MS_PRIVATE: Final = 1 << 18
MS_SHARED: Final = 1 << 20

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Leave the namespaces of the parent; raises OSError."""
    _check(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int = 0) -> None:
    """Enter a namespace that is open; raises OSError."""
    _check(_libc.setns(descriptor, kind), "setns")


def mount(source: str, target: str, *, kind: str = "none", flags: int = 0, options: str = "") -> None:
    """Mount; raises OSError, which names the target."""
    done = _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode() or None)
    _check(done, f"mount {target}")


def enter(pid: int) -> None:
    """Enter the mount and network namespaces of a process; raises OSError."""
    descriptors = [os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name in ("net", "mnt")]
    for descriptor in descriptors:
        setns(descriptor)
        os.close(descriptor)


def start_time(pid: int) -> int | None:
    """When a process started, in ticks since boot; None when there is none."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
        return int(fields[19]) if fields[0] not in "ZX" else None
    return None


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
