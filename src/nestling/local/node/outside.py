"""What a node has outside its namespaces, and taking all of it away again. Standard library only.

Everything is named after the host's folder, so cleaning needs no record of what was done, and can be repeated.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from nestling.local.node import cgroups, spec

COVERED: Final = ("/var/lib/cni", "/var/log/containers")
"""Fixed folders of containerd and kubelet: each node sees a file system of its own there."""
_SETTINGS: Final = {
    "net/ipv4/ip_forward": 1,
    "fs/inotify/max_user_instances": 1024,
    "fs/inotify/max_user_watches": 131072,
}
"""Kernel settings of the machine and the least value that a node can live with."""
_KILL_SECONDS: Final = 20.0


class LeftoverError(Exception):
    """Something of a node does not go away; the message says what."""


def run(*command: str, text: str | None = None, before: Callable[[], None] | None = None) -> None:
    """Run a command; raises OSError with its own words."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, preexec_fn=before)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip() or f'exit code {done.returncode}'}")


def prepare(node: spec.Spec) -> None:
    """Make what is outside: cgroups, folders, settings, the nft table. The link comes later, with the namespaces."""
    cgroups.make(node.cgroup)
    for folder in COVERED:
        Path(folder).mkdir(parents=True, exist_ok=True)
    _raise_settings(node)
    run("nft", "-f", "-", text=rules(node))


def rules(node: spec.Spec) -> str:
    """Packets of pods that leave the machine get its address."""
    return f"""table ip {node.table} {{
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    ip saddr {{ {node.link}, {node.pod_cidr} }} oifname != "{node.device}" masquerade
  }}
}}
"""


def clean(node: spec.Spec) -> None:
    """End every process of the node and take away all that it has outside; does nothing when there is nothing.

    Raises `LeftoverError` for what does not go.
    """
    if left := cgroups.kill(node.cgroup, seconds=_KILL_SECONDS):
        raise LeftoverError(f"processes of the node do not end: {', '.join(map(str, sorted(left)))}")
    if stay := cgroups.remove(node.cgroup):
        raise LeftoverError(f"cgroups of the node do not go: {', '.join(map(str, stay))}")
    node.anchor_file.unlink(missing_ok=True)
    if Path("/sys/class/net", node.device).exists():
        with contextlib.suppress(OSError):  # it goes with the namespace, maybe at this moment
            run("ip", "link", "delete", node.device)
    with contextlib.suppress(OSError):  # there is none
        run("nft", "delete", "table", "ip", node.table)
    if not others():
        _restore(node)


def others() -> list[str]:
    """The cgroups of nodes on this machine."""
    return sorted({found.name for root in cgroups.hierarchies() for found in root.glob("nestling-????????")})


def _restore(node: spec.Spec) -> None:
    for name, value in _changed(node).items():
        Path("/proc/sys", name).write_text(str(value), encoding="ascii")
    _changed_file(node).unlink(missing_ok=True)
    for folder in COVERED:
        with contextlib.suppress(OSError):  # it was there before us, and holds something
            Path(folder).rmdir()


def _raise_settings(node: spec.Spec) -> None:
    """Raise what is too low, and remember what it was: before, so that nothing is forgotten."""
    present = {name: int(Path("/proc/sys", name).read_text(encoding="ascii")) for name in _SETTINGS}
    low = {name: value for name, value in present.items() if value < _SETTINGS[name]}
    if low:
        _changed_file(node).write_text(json.dumps(low | _changed(node)), encoding="ascii")
    for name in low:
        Path("/proc/sys", name).write_text(str(_SETTINGS[name]), encoding="ascii")


def _changed(node: spec.Spec) -> dict[str, int]:
    """The settings that were changed for nodes of this home, with their values of before."""
    try:
        return {name: int(value) for name, value in json.loads(_changed_file(node).read_bytes()).items()}
    except (OSError, ValueError):
        return {}


def _changed_file(node: spec.Spec) -> Path:
    return Path(node.folder).parent.parent / ".settings-before.json"
