"""What the end of a stock component's log means for its user, and what to do: etcd and kube-apiserver speak to their
developers.

Pure. What the log says last counts: a log goes on over restarts, and so over causes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

#: As much of a log as a start that failed writes; Go programs end with the stacks of all their threads.
_TAIL: Final = 1024 * 1024
_RESTORE: Final = "put a copy of it back, or delete what it belongs to and create it again"
_DAMAGED: Final = (
    "(?i:not a directory)|failed to (open|recover|read).*(database|wal|snap|backend|data dir)|invalid database"
    "|(?i:checksum error)|crc mismatch|walpb|file size too small|backend.newBackend|unexpected fault address"
)

_ROWS: Final = tuple(
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        ("(?i)no space left on device", "the disk is full; make room, then repeat the command"),
        ("(?i)read-only file system", "the disk is mounted read-only; make it writable, then repeat the command"),
        ("(?i)permission denied", "a file may not be read or written; give it back to the user who runs this"),
        (
            "(?i)address already in use",
            "another program listens on a port that it needs; end that program, then repeat the command",
        ),
        (
            "cluster cannot be downgraded",
            "the data was written by a newer etcd; use the newer version again (the data is unchanged)",
        ),
        (
            "cluster ID mismatch|member .* has already been bootstrapped",
            f"the data folder belongs to another virtual cluster; {_RESTORE}",
        ),
        (
            _DAMAGED,
            f"the data folder is damaged; {_RESTORE}",
        ),
        (
            "Error: (unknown (shorthand )?flag|invalid argument)",
            "an extra argument is not known to this version of the program; take it out of the extraArgs in the values",
        ),
        ("(?i)database space exceeded", "the store is full; see docs/faults.md, A full store"),
        (
            "(?i)certificate has expired or is not yet valid|x509: certificate signed by unknown authority",
            "certificates do not fit each other, or the clock of this machine is wrong; check the date",
        ),
    )
)


def meaning(log: str) -> str:
    """What a log says in words for its user; empty when nothing that is known is in it."""
    found = [(max((match.start() for match in pattern.finditer(log)), default=-1), text) for pattern, text in _ROWS]
    position, text = max(found, key=lambda row: row[0])
    return text if position >= 0 else ""


def of_file(path: Path) -> str:
    """The same for a log file; one that cannot be read says nothing."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            return meaning(file.read().decode(errors="replace"))
    except OSError:
        return ""
