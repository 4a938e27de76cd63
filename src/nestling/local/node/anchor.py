"""Makes the namespaces of a node and holds them: `python -m nestling.local.node.anchor NODE.json`.

Starts with cleaning what an earlier node left, and ends with the same. An anchor that died alone is replaced by one
that enters the namespaces of the processes that live on: containers do not notice. Standard library only. It listens
on loopback when all is there: that is how its supervisor knows.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
from pathlib import Path

from nestling.local.node import cgroups, kernel, outside, spec

_PAUSE = 0.2
_SERVICE_DEVICES = ("svc0", "svc1")


def main(arguments: list[str]) -> int:
    """Run until SIGTERM."""
    node = spec.load(Path(arguments[0]))
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    machine = [os.open(f"/proc/self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name in ("net", "mnt")]
    # Made here, it belongs to the machine's network for as long as it lives.
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", node.port))
    inhabitant = _inhabitant(node)
    if inhabitant is None:
        outside.clean(node)
        outside.prepare(node)
        kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWNET)
        _mounts()
        _network(node, machine[0])
    else:
        kernel.enter(inhabitant)
    _announce(node)
    listener.listen()
    listener.settimeout(0)
    while signal.sigtimedwait(signals, _PAUSE) is None:
        with contextlib.suppress(BlockingIOError):
            while True:
                listener.accept()[0].close()
    listener.close()
    for namespace in machine:
        kernel.setns(namespace)
    outside.clean(node)
    return 0


def _inhabitant(node: spec.Spec) -> int | None:
    """A process that lives in the node's namespaces: its containerd, kubelet or a shim."""
    ours = os.stat("/proc/self/ns/net").st_ino  # noqa: PTH116 - a link that leads to no file
    if not Path("/sys/class/net", node.device).exists():
        return None
    for pid in cgroups.pids(node.cgroup, cgroups.LEAF):
        with contextlib.suppress(OSError):
            other = os.stat(f"/proc/{pid}/ns/net").st_ino != ours  # noqa: PTH116
            if other and Path(f"/proc/{pid}/root{spec.RUN}").exists():
                return pid
    return None


def _mounts() -> None:
    """File systems of the node's own where programs insist on a place; all others are the machine's."""
    resolver = Path(os.path.realpath("/etc/resolv.conf"))
    content = resolver.read_bytes() if resolver.exists() else b""
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    for folder in ("/run", *outside.COVERED):
        kernel.mount("tmpfs", folder, kind="tmpfs", options="mode=755")
    if resolver.is_relative_to("/run"):
        resolver.parent.mkdir(parents=True, exist_ok=True)
        resolver.write_bytes(content)
    Path(spec.RUN).mkdir(mode=0o700)
    # What containers mount may be seen by the kubelet and by other containers, never outside.
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_SHARED)


def _network(node: spec.Spec, machine: int) -> None:
    """A link to the machine, forwarding, and a device that keeps service traffic which no rule rewrites in the node."""

    def outside_ip(*arguments: str) -> None:
        outside.run("ip", *arguments, before=lambda: kernel.setns(machine))

    def inside_ip(*arguments: str) -> None:
        outside.run("ip", *arguments)

    size = node.link.partition("/")[2]
    outside_ip("link", "add", node.device, "type", "veth", "peer", "name", "eth0", "netns", str(os.getpid()))
    outside_ip("address", "add", f"{node.gateway}/{size}", "dev", node.device)
    outside_ip("link", "set", node.device, "up")
    inside_ip("link", "set", "lo", "up")
    inside_ip("address", "add", f"{node.address}/{size}", "dev", "eth0")
    inside_ip("link", "set", "eth0", "up")
    inside_ip("route", "add", "default", "via", node.gateway)
    first, second = _SERVICE_DEVICES
    inside_ip("link", "add", first, "type", "veth", "peer", "name", second)
    for device in _SERVICE_DEVICES:
        inside_ip("link", "set", device, "up")
    inside_ip("route", "add", node.service_cidr, "dev", first, "src", node.address)
    outside_ip("route", "add", node.pod_cidr, "via", node.address)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="ascii")


def _announce(node: spec.Spec) -> None:
    pid = os.getpid()
    draft = node.anchor_file.with_suffix(".new")
    draft.write_text(json.dumps({"pid": pid, "start_time": kernel.start_time(pid)}), encoding="ascii")
    draft.replace(node.anchor_file)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, ValueError, TypeError, outside.LeftoverError) as error:
        sys.exit(f"the node cannot be made: {error}")
