"""Addresses of real nodes: each host of a machine has a /23 of its own, half for the link, half for pods."""

from __future__ import annotations

import hashlib
import ipaddress
import socket
import struct
from collections.abc import Collection
from pathlib import Path
from typing import Final

from nestling.local import errors, layout, record
from nestling.local.node import spec

RANGE: Final = ipaddress.IPv4Network("10.201.0.0/16")
_UP: Final = 0x1


def of(host: record.Record, place: layout.Layout) -> spec.Spec:
    """The node of a host whose record has a network."""
    link, gateway, address, pods = parts(host.network)
    return spec.Spec(
        key=key(place.folder),
        folder=str(place.node),
        link=link,
        gateway=gateway,
        address=address,
        pod_cidr=pods,
        service_cidr=host.service_cidr,
        port=host.ports[record.NODE],
    )


def remains(place: layout.Layout) -> spec.Spec:
    """The node of a host as far as the folder tells it: enough to take it away, where the record may be lost."""
    return spec.Spec(
        key=key(place.folder),
        folder=str(place.node),
        link="",
        gateway="",
        address="",
        pod_cidr="",
        service_cidr="",
        port=0,
    )


def parts(network: str) -> tuple[str, str, str, str]:
    """Link, the machine's address and the node's address on it, and the addresses of pods."""
    first, pods = ipaddress.IPv4Network(network).subnets(prefixlen_diff=1)
    link = next(first.subnets(new_prefix=30))
    gateway, address = link.hosts()
    return str(link), str(gateway), str(address), str(pods)


def key(folder: Path) -> str:
    """Eight digits that stand for a host's folder: names of devices have 15 characters at most."""
    return hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:8]


def choose(*, taken: Collection[str], routes: Collection[str]) -> str:
    """A network that no other host has and no route of the machine leads to; raises `HostError` when there is none."""
    used = [ipaddress.IPv4Network(one) for one in (*taken, *routes)]
    for candidate in RANGE.subnets(new_prefix=23):
        if not any(candidate.overlaps(one) for one in used):
            return str(candidate)
    raise errors.HostError(
        f"no addresses for a real node: all of {RANGE} is in use on this machine; remove a host with "
        f"nestling host down --name NAME --delete, or take simulated nodes: --node simulated"
    )


def overlaps(one: str, others: Collection[str]) -> bool:
    """Whether a network shares addresses with another."""
    network = ipaddress.IPv4Network(one)
    return any(network.overlaps(ipaddress.IPv4Network(other)) for other in others)


def routes(table: str | None = None) -> list[str]:
    """The destinations of this machine's routes, but for default routes."""
    text = Path("/proc/net/route").read_text(encoding="ascii") if table is None else table
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        destination, mask = (socket.inet_ntoa(struct.pack("<L", int(fields[index], 16))) for index in (1, 7))
        network = ipaddress.IPv4Network(f"{destination}/{mask}", strict=False)
        if network.prefixlen and int(fields[3], 16) & _UP:
            found.append(str(network))
    return found
