"""What a machine must have for a real node, and what to do where it has not."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nestling.local.node import cgroups, parts

COMMANDS: Final = {"ip": "iproute2", "nft": "nftables", "mount": "mount", "umount": "mount"}
"""Programs of the system that the node calls, and the Debian packages that hold them."""
_SOCKET: Final = "node/kubelet/pod-resources/4294967295"
"""The longest path of a socket below the folder of a host: the kubelet makes it under a random number at first."""
_LONGEST_SOCKET: Final = 107
_CAPABILITIES: Final = {"CAP_SYS_ADMIN": 21, "CAP_NET_ADMIN": 12}


@dataclass(frozen=True, slots=True)
class Machine:
    """What is asked of this machine."""

    linux: bool
    root: bool
    capabilities: frozenset[str]
    hierarchies: tuple[str, ...]
    """Names of the cgroup controllers that are there."""
    commands: frozenset[str]


def look(which: Callable[[str], str | None] | None = None) -> Machine:
    """See what this machine has."""
    find = which or (lambda name: shutil.which(name, path=parts.search_path()))
    linux = sys.platform.startswith("linux")
    return Machine(
        linux=linux,
        root=os.geteuid() == 0,
        capabilities=frozenset(name for name, bit in _CAPABILITIES.items() if linux and parts.has_capability(bit)),
        hierarchies=tuple(_controllers()) if linux else (),
        commands=frozenset(name for name in COMMANDS if find(name)),
    )


def problems(machine: Machine, folder: Path) -> list[str]:
    """What stands in the way of a real node, each with what to do about it; nothing when it can be made. Pure."""
    if not machine.linux:
        return ["a real node needs Linux"]
    if not machine.root:
        return ["a real node needs root: run the command with sudo"]
    found = []
    if missing := sorted(set(_CAPABILITIES) - machine.capabilities):
        found.append(f"root lacks {' and '.join(missing)} here: in a container, run that one privileged (--privileged)")
    if missing := [name for name in ("memory", "cpu", "pids") if name not in machine.hierarchies]:
        found.append(
            f"the cgroup controllers {', '.join(missing)} are not there: mount the cgroup file system at /sys/fs/cgroup"
        )
    for package in dict.fromkeys(COMMANDS[name] for name in COMMANDS if name not in machine.commands):
        names = [name for name in COMMANDS if COMMANDS[name] == package and name not in machine.commands]
        found.append(f"the command {' and '.join(names)} is missing: apt-get install {package}")
    if Path("/run") in folder.absolute().parents:
        found.append(f"{folder} is below /run, which a node has for itself: name another folder with NESTLING_HOME")
    if (excess := len(os.fsencode(folder.absolute() / _SOCKET)) - _LONGEST_SOCKET) > 0:
        found.append(
            f"{folder} is {excess} characters too long for the sockets below it: "
            "name a shorter folder with NESTLING_HOME"
        )
    return found


def _controllers() -> list[str]:
    found: list[str] = []
    for root in cgroups.hierarchies():
        listed = root / "cgroup.controllers"
        if listed.exists():
            found += listed.read_text(encoding="ascii").split()
        else:
            found += root.name.split(",")
    return found
