"""Ports on loopback: chosen once, below the range from which the kernel takes ports of outgoing connections.

From inside that range a port that is free today may be somebody's connection at the next start.
"""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Collection, Sequence
from pathlib import Path

from nestling.local import errors

LOOPBACK = "127.0.0.1"
_LOWEST = 16000
_USUAL_EPHEMERAL_START = 32768


def choose(names: Sequence[str], *, avoid: Collection[int] = ()) -> dict[str, int]:
    """A free port for each name; raises `HostError` when this machine has no room for so many."""
    highest = max(_ephemeral_start(), _LOWEST + 2000)
    candidates = random.sample(range(_LOWEST, highest), min(highest - _LOWEST, 2000))
    found: dict[str, int] = {}
    for port in candidates:
        if len(found) == len(names):
            break
        if port not in avoid and is_free(port):
            found[names[len(found)]] = port
    if len(found) < len(names):
        raise errors.HostError(
            f"no {len(names)} free loopback ports between {_LOWEST} and {highest}; end some of the processes there"
        )
    return found


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Who listens on a port, for a message: command and pid as far as this user may see."""
    inodes = _listening_inodes(port)
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if any(str(link.readlink()) in inodes for link in (folder / "fd").iterdir()):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                return f"process {folder.name} ({' '.join(command.split())[:100]})"
    return "another process (of another user)" if inodes else "another process"


def _listening_inodes(port: int) -> frozenset[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    return frozenset(inodes)


def _ephemeral_start() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return _USUAL_EPHEMERAL_START
