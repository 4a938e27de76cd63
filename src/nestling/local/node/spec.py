"""What the processes of a real node share: names, addresses and folders.

Standard library only, as the processes that read it: they are small and start quickly.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Final

FILE: Final = "node.json"
RUN: Final = "/run/nestling"
"""Sockets and state that live as long as the node does: on a file system that only the node's processes see."""
SOCKET: Final = f"{RUN}/containerd.sock"


@dataclasses.dataclass(frozen=True, slots=True)
class Spec:
    """One real node."""

    key: str
    """Names what is outside the namespaces; from the folder, so that two homes on one machine do not meet."""
    folder: str
    link: str
    """The addresses between machine and node."""
    gateway: str
    """The machine's address on the link: where pods reach API servers."""
    address: str
    """The node's address on the link."""
    pod_cidr: str
    service_cidr: str
    port: int
    """Where the anchor accepts connections on loopback once the namespaces are there."""

    @property
    def device(self) -> str:
        """The machine's end of the link."""
        return f"nst{self.key}"

    @property
    def table(self) -> str:
        """The nft table of the machine."""
        return f"nestling-{self.key}"

    @property
    def cgroup(self) -> str:
        """The name of the cgroups that hold every process of the node."""
        return f"nestling-{self.key}"

    @property
    def anchor_file(self) -> Path:
        """Where the anchor tells who it is."""
        return Path(self.folder, "anchor.json")


def to_json(spec: Spec) -> str:
    """The text that `load` reads."""
    return json.dumps(dataclasses.asdict(spec), indent=2) + "\n"


def load(path: Path) -> Spec:
    """Read a spec; raises OSError, ValueError or TypeError."""
    return Spec(**json.loads(path.read_text(encoding="utf-8")))
