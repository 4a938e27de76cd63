"""``nestling info``."""

from __future__ import annotations

import hashlib
import platform
import sys
from pathlib import Path
from typing import Final

import click

from nestling.cli import cobra, ui, version

EXAMPLES = """
nestling info
"""

#: Go's names, as the original prints them.
ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
MACHINE_ID: Final = Path("/etc/machine-id")


def machine_id(path: Path = MACHINE_ID) -> str:
    """A name for this machine that tells nothing else about it: the system's own must not be shown to others."""
    try:
        own = path.read_bytes().strip()
    except OSError:
        return ""
    return hashlib.sha256(b"nestling\0" + own).hexdigest() if own else ""


@click.command("info", cls=cobra.Command, examples=EXAMPLES)
def command() -> None:
    """Show version, system and architecture of this program, as YAML."""
    rows = {
        "version": version.current(),
        "os": sys.platform,
        "arch": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "machineID": machine_id(),
    }
    # Each value is one plain word, for which YAML needs no library.
    ui.emit("\n".join(["info:", *(f"  {key}: {value}" for key, value in rows.items() if value)]))
