"""The program of the pause container, as bytes: it holds the namespaces of a pod and does nothing.

Ten instructions, so they are written here instead of being compiled: ignore SIGCHLD (the kernel then reaps the
orphans of a pod that shares its process namespace), and sleep for ever.
"""

from __future__ import annotations

import struct
from typing import Final

_BASE: Final = 0x400000
_HEADERS: Final = 64 + 56
_ACTION: Final = struct.pack("<QQQQ", 1, 0, 0, 0)
"""struct sigaction with SIG_IGN."""

_AMD64: Final = bytes.fromhex(
    "b80d000000"  # mov eax, 13 (rt_sigaction)
    "bf11000000"  # mov edi, 17 (SIGCHLD)
    "488d3518000000"  # lea rsi, [rip + 24]: the action behind the code
    "31d2"  # xor edx, edx
    "41ba08000000"  # mov r10d, 8
    "0f05"  # syscall
    "b822000000"  # mov eax, 34 (pause)
    "0f05"  # syscall
    "ebf7"  # jmp to the mov before
    "9090909090"
)
_ARM64: Final = struct.pack(
    "<14I",
    0xD28010C8,  # mov x8, 134 (rt_sigaction)
    0xD2800220,  # mov x0, 17 (SIGCHLD)
    0x10000181,  # adr x1, 48 bytes on: the action behind the code
    0xD2800002,  # mov x2, 0
    0xD2800103,  # mov x3, 8
    0xD4000001,  # svc 0
    0xD2800928,  # mov x8, 73 (ppoll)
    0xD2800000,  # mov x0, 0
    0xD2800001,  # mov x1, 0
    0xD2800002,  # mov x2, 0
    0xD2800003,  # mov x3, 0
    0xD4000001,  # svc 0
    0x17FFFFFA,  # b to the mov of 73
    0xD503201F,  # nop
)
_MACHINES: Final = {"amd64": (62, _AMD64), "arm64": (183, _ARM64)}


def pause(architecture: str) -> bytes:
    """A static executable; raises KeyError for an architecture that is not known."""
    machine, code = _MACHINES[architecture]
    body = code + _ACTION
    size = _HEADERS + len(body)
    identity = b"\x7fELF" + bytes([2, 1, 1, 0]) + bytes(8)
    header = identity + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)
    return header + segment + body
