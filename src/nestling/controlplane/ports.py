"""Loopback ports of the parts behind the API server.

In a pod they are the well-known ones. On a machine with several virtual clusters each gets free ones, remembered in the
state folder so that they stay the same; they are taken below the range of outgoing connections, which could otherwise
occupy one at a restart.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import random
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from nestling.controlplane import settings

FILE: Final = "ports.json"
CANDIDATES: Final = range(20000, 32000)


def is_free(port: int, address: str = "127.0.0.1") -> bool:
    """Could a server listen there now? An address that this machine lacks counts as free: the server will say so."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen(1)
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def assign(old: dict[str, int], free: Callable[[int], bool], *, avoid: frozenset[int] = frozenset()) -> settings.Ports:
    """A free port for each part, the old one where it is still free."""
    chosen: dict[str, int] = {}
    taken = set(avoid)
    for field in dataclasses.fields(settings.Ports):
        candidates = [old.get(field.name, 0), *random.sample(CANDIDATES, 200)]
        port = next((port for port in candidates if port and port not in taken and free(port)), None)
        if port is None:
            raise settings.PreparationError(
                "no free loopback port between 20000 and 32000; end some of the processes there"
            )
        chosen[field.name] = port
        taken.add(port)
    return settings.Ports(**chosen)


def on_machine(state_dir: Path, api_port: int) -> settings.Ports:
    """The remembered or new ports of a virtual cluster on this machine."""
    file = state_dir / FILE
    try:
        old = json.loads(file.read_text())
    except (OSError, ValueError):
        old = {}
    known = {name: port for name, port in old.items() if isinstance(port, int)} if isinstance(old, dict) else {}
    ports = assign(known, is_free, avoid=frozenset({api_port}))
    settings.write_private(file, json.dumps(dataclasses.asdict(ports)))
    return ports
