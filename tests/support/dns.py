"""Asks a name server by UDP, with nothing but the standard library."""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import Final

_TYPES: Final = {"A": 1, "AAAA": 28}
_POINTER: Final = 0xC0


def ask(name: str, *, port: int, address: str = "127.0.0.1", kind: str = "A") -> list[str]:
    """The addresses of a name, sorted; none when there is no such name, or no server that answers."""
    question = b"".join(bytes([len(part)]) + part.encode() for part in name.rstrip(".").split("."))
    question += struct.pack(">xHH", _TYPES[kind], 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        asking.connect((address, port))
        try:
            asking.send(struct.pack(">HHHHHH", 1, 0x0100, 1, 0, 0, 0) + question)
            answer = asking.recv(4096)
        except OSError:
            return []
    (count,) = struct.unpack_from(">H", answer, 6)
    return sorted(_addresses(answer, 12 + len(question), count, _TYPES[kind]))


def _addresses(answer: bytes, place: int, count: int, kind: int) -> list[str]:
    found = []
    for _ in range(count):
        place = _after_name(answer, place)
        found_kind, _, _, length = struct.unpack_from(">HHIH", answer, place)
        place += 10
        if found_kind == kind:
            found.append(str(ipaddress.ip_address(answer[place : place + length])))
        place += length
    return found


def _after_name(answer: bytes, place: int) -> int:
    while answer[place]:
        if answer[place] >= _POINTER:
            return place + 2
        place += 1 + answer[place]
    return place + 1
