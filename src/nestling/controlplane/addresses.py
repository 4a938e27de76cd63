"""Where the control plane is reached by others: the address that endpoints may carry."""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

#: Stands in endpoints when a machine has no address but loopback, which Kubernetes refuses there. It is reserved for
#: documentation (RFC 5737): workloads cannot reach such a control plane, users on the machine can.
PLACEHOLDER: Final = "192.0.2.1"


def usable(address: str) -> bool:
    """Does Kubernetes accept the address in an endpoint? Not loopback, link-local, multicast or unspecified ones."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified)


def choose(*candidates: str | None) -> str:
    """The first usable candidate, else the placeholder."""
    return next((candidate for candidate in candidates if candidate and usable(candidate)), PLACEHOLDER)


def of_machine() -> str | None:
    """The IPv4 address that this machine would send from; no packet leaves for the question."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((PLACEHOLDER, 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])


def control_plane(pod_ip: str | None) -> str:
    """The pod's address, else the machine's, else the placeholder."""
    return choose(pod_ip) if pod_ip else choose(of_machine())
