"""Becomes a program inside a node: `python -m nestling.local.node.enter NODE.json PROGRAM [ARGUMENT...]`.

The process keeps its pid, so that a supervisor sees the program itself. Standard library only.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from nestling.local.node import cgroups, kernel, spec


def main(arguments: list[str]) -> int:
    """Enter cgroups and namespaces, then become the program."""
    node = spec.load(Path(arguments[0]))
    anchor = json.loads(node.anchor_file.read_text(encoding="ascii"))
    if kernel.start_time(anchor["pid"]) != anchor["start_time"]:
        raise ProcessLookupError("its anchor does not run")
    cgroups.enter(node.cgroup, os.getpid())
    kernel.enter(anchor["pid"])
    os.chdir(node.folder)
    # Not that of the supervisor, which keeps everything private: root folders of containers are for all their users.
    os.umask(0o022)
    os.execv(arguments[1], arguments[1:])  # noqa: S606 - a program of the plan, no shell


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, ValueError, TypeError, KeyError) as error:
        sys.exit(f"the node cannot be entered: {error}")
