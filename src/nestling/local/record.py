"""What is decided once for an embedded host and kept in its `host.json`."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nestling.controlplane import settings
from nestling.local import errors

FILE = "host.json"
DEFAULT_NAME = "default"
DEFAULT_NODES = 2
DEFAULT_SERVICE_CIDR = "10.96.0.0/16"
LOOPBACK = "127.0.0.1"
POD_CIDR = "10.128.0.0/11"
"""Addresses of simulated pods; nothing routes there. Each node takes a /20 of it."""

API_SERVER = "kube-apiserver"
ETCD = "etcd"
ETCD_PEER = "etcd-peer"
ETCD_HTTP = "etcd-http"
CONTROLLER_MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
KWOK = "kwok"
NODE = "node"
"""The anchor of a real node."""
PORTS = (API_SERVER, ETCD, ETCD_PEER, ETCD_HTTP, CONTROLLER_MANAGER, SCHEDULER, KWOK)

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?")
_VERSION = re.compile(r"v?\d+\.\d+\.\d+.*")
_MOST_NODES = 500

SIMULATED = "simulated"
CONTAINERD = "containerd"


@dataclass(frozen=True, slots=True)
class Record:
    """The unchanging facts of one embedded host."""

    name: str
    kubernetes_version: str
    ports: Mapping[str, int]
    nodes: int = DEFAULT_NODES
    service_cidr: str = DEFAULT_SERVICE_CIDR
    audit: bool = False
    created: str = ""
    node: str = SIMULATED
    """What its nodes are: simulated, or one real node made with containerd."""
    network: str = ""
    """The addresses of a real node and its pods."""

    @property
    def real(self) -> bool:
        """Whether it has a real node."""
        return self.node == CONTAINERD

    @property
    def address(self) -> str:
        """Where API servers listen: on loopback, or where the pods of a real node reach them."""
        return str(ipaddress.ip_network(self.network)[1]) if self.real else LOOPBACK

    @property
    def server(self) -> str:
        """The URL of the API server."""
        return f"https://{self.address}:{self.ports[API_SERVER]}"

    @property
    def kubernetes_service_ip(self) -> str:
        """The address of the Service `default/kubernetes`: the first of the range."""
        return str(next(ipaddress.ip_network(self.service_cidr).hosts()))

    @property
    def minor(self) -> int:
        """The minor version of Kubernetes: 36 for v1.36.3."""
        return int(self.kubernetes_version.split(".")[1])


def check_name(name: str) -> None:
    """Raise `HostError` for a name that cannot be a folder and part of object names."""
    if not _NAME.fullmatch(name):
        raise errors.HostError(
            f"the host name {name!r} is not usable: take up to 32 lower-case letters, digits and -, "
            f"beginning and ending with a letter or digit"
        )


def check(record: Record) -> None:
    """Raise `HostError` for numbers that make no cluster."""
    if not 1 <= record.nodes <= _MOST_NODES:
        raise errors.HostError(f"{record.nodes} nodes: an embedded host has 1 to {_MOST_NODES}")
    try:
        network = ipaddress.ip_network(record.service_cidr)
    except ValueError as error:
        raise errors.HostError(f"the service CIDR {record.service_cidr!r} is not usable: {error}") from error
    if network.version != 4 or not 12 <= network.prefixlen <= 24:
        raise errors.HostError(f"the service CIDR {record.service_cidr} must be IPv4 with a prefix of /12 to /24")


def load(folder: Path) -> Record | None:
    """The record of a host folder, None when there is none; raises `HostError` when it cannot be read."""
    path = folder / FILE
    try:
        found = Record(**settings.known_fields(Record, json.loads(path.read_text(encoding="utf-8"))))
        _check_loaded(found)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise errors.HostError(
            f"{path} cannot be read ({error.strerror}): the embedded host belongs to another user; run this as that "
            f"user, or name another folder with NESTLING_HOME"
        ) from error
    except (OSError, ValueError, TypeError, AttributeError, errors.HostError) as error:
        raise errors.HostError(
            f"{path} cannot be read ({error}); restore it, or remove the host with: {remove_command(folder.name)}"
        ) from error
    return found


def remove_command(name: str) -> str:
    """What removes a host whose virtual clusters are lost anyway."""
    return f"nestling host down --delete --force{'' if name == DEFAULT_NAME else f' --name {name}'}"


def _check_loaded(found: Record) -> None:
    """Raise ValueError, TypeError, AttributeError or `HostError` for values that no version of Nestling writes.

    Whoever reads the record later relies on them: a wrong one would look like a mistake in the program.
    """
    for name, kind in (("name", str), ("audit", bool), ("nodes", int), ("created", str), ("network", str)):
        if type(getattr(found, name)) is not kind:
            raise TypeError(f"{name} is not of type {kind.__name__}")
    check_name(found.name)
    if not _VERSION.fullmatch(found.kubernetes_version):
        raise ValueError(f"kubernetes_version {found.kubernetes_version!r} is no version")
    if found.node not in {SIMULATED, CONTAINERD}:
        raise ValueError(f"node {found.node!r} is no kind of node")
    needed = {*PORTS} - {KWOK} | ({NODE} if found.real else {KWOK})
    if missing := sorted(needed - found.ports.keys()):
        raise ValueError(f"ports lacks {', '.join(missing)}")
    if wrong := sorted(name for name, port in found.ports.items() if type(port) is not int or not 0 < port < 65536):
        raise ValueError(f"ports has no number for {', '.join(wrong)}")
    if found.real:
        ipaddress.IPv4Network(found.network)
    check(found)


def save(folder: Path, record: Record) -> None:
    """Write the record so that a reader sees the old or the new one."""
    settings.write_private(folder / FILE, json.dumps(dataclasses.asdict(record), indent=2) + "\n")
