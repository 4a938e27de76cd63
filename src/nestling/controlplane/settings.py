"""What a virtual control plane is told at its start, and what it hands to its syncer process.

Both are plain values without behaviour, so that the command line, the drivers and the tests build them in the same way.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

#: Where a pod of the chart finds things (spec §6, statefulset.yaml).
POD_CONFIG: Final = Path("/var/lib/vcluster/config.yaml")
POD_DATA: Final = Path("/data")
POD_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
#: Where the API server listens unless the configuration says otherwise.
API_PORT: Final = 8443

#: A member of etcd waits up to ten heartbeats for other candidates, at random, before it leads. Alone it waits for
#: nobody: with the fewest heartbeats that etcd takes, the store is there a quarter of a second sooner.
ETCD_ALONE: Final = {"heartbeat-interval": "100", "election-timeout": "500"}
#: What plans call the syncer, and its environment: no heap for each of its short-lived threads, and the pages of lists
#: go back when they are read.
SYNCER: Final = "syncer"
SPARING: Final = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
    # else pydantic looks through all packages for plugins, for which it loads a dozen modules
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}
#: What ``controlPlane.proxy.bindAddress`` says for "on every address".
ALL_ADDRESSES: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to


class PreparationError(Exception):
    """The virtual control plane cannot start; the text tells the user what to change."""


@dataclasses.dataclass(frozen=True, slots=True)
class HostDns:
    """The name server of the host cluster, as its pods reach it and as a machine outside the cluster does."""

    pods: str
    machine: str


@dataclasses.dataclass(frozen=True, slots=True)
class StartSettings:
    """The flags of ``nestling start``.

    ``host_kubeconfig`` is None in a pod, where the service account's token is used; ``local`` follows from it.
    ``port``, ``bind_address`` and ``log_format`` are None when the configuration decides. ``state_dir`` holds plan,
    status and log files.
    """

    name: str
    namespace: str
    config_file: Path
    data_dir: Path
    state_dir: Path
    host_kubeconfig: Path | None = None
    port: int | None = None
    bind_address: str | None = None
    log_format: str | None = None
    pod_ip: str | None = None
    #: On a machine, from whoever may look; a pod has its own.
    host_dns: HostDns | None = None

    @property
    def local(self) -> bool:
        """True when this runs as processes of a machine and not in a pod of the host cluster."""
        return self.host_kubeconfig is not None


@dataclasses.dataclass(frozen=True, slots=True)
class Ports:
    """The loopback ports of the parts behind the API server: fixed in a pod, free ones on a machine."""

    etcd_client: int = 2379
    etcd_peer: int = 2380
    # its health, metrics and JSON gateway
    etcd_http: int = 2381
    controller_manager: int = 10257
    scheduler: int = 10259
    health: int = 9443
    kubelet: int = 10250
    # of the embedded CoreDNS
    dns: int = 1053
    dns_health: int = 8080
    dns_ready: int = 8181
    dns_metrics: int = 9153


@dataclasses.dataclass(frozen=True, slots=True)
class HostFacts:
    """What preparation learned from the host: the Service NAME's UID and ClusterIPs, and whence it gives addresses.

    ``node_ports`` is "" when the host does not tell.
    """

    service_uid: str
    cluster_ips: tuple[str, ...]
    service_cidr: str
    load_balancer: tuple[str, ...] = ()
    node_ports: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class SyncerSettings:
    """All that the syncer process needs; a file of mode 0600, without secrets (those stay in the PKI folder)."""

    name: str
    namespace: str
    config_file: Path
    data_dir: Path
    state_dir: Path
    host_kubeconfig: Path | None
    port: int
    bind_address: str
    log_format: str
    pod_ip: str | None
    kubernetes_version: str
    ports: Ports
    facts: HostFacts
    #: Whom pods ask about names of the host cluster; "" for the resolvers of their node.
    host_dns: str = ""

    @property
    def local(self) -> bool:
        """True when this runs as processes of a machine and not in a pod of the host cluster."""
        return self.host_kubeconfig is not None

    @property
    def pki_dir(self) -> Path:
        """The folder of certificates and keys (spec §4.2)."""
        return self.data_dir / "pki"

    @property
    def owner(self) -> dict[str, str]:
        """An owner reference to the host Service NAME: deleting that collects what depends on it (spec §1.3)."""
        return {"apiVersion": "v1", "kind": "Service", "name": self.name, "uid": self.facts.service_uid}

    @property
    def own_address(self) -> str:
        """What kubeconfigs name: localhost, unless the API server listens on one other address only (a real node)."""
        address = loopback(self.bind_address)
        return "localhost" if address.startswith("127.") or address == "[::1]" else address

    @property
    def local_server(self) -> str:
        """The address of the virtual API server as seen from this machine or pod."""
        return f"https://{loopback(self.bind_address)}:{self.port}"


def pod_namespace(path: Path = POD_NAMESPACE) -> str:
    """The namespace of the pod that this process runs in; raises :class:`PreparationError` outside a pod."""
    try:
        return path.read_text().strip()
    except OSError as error:
        message = f"cannot find the host namespace: {path} does not exist outside a pod; give --namespace"
        raise PreparationError(message) from error


def default_state_dir(data_dir: Path, host_kubeconfig: Path | None) -> Path:
    """Beside the data folder on a machine; inside it in a pod, where only the data volume is writable."""
    return data_dir.absolute().parent if host_kubeconfig is not None else data_dir / "run"


def loopback(bind_address: str) -> str:
    """The address to reach a listener from its own machine, in URL form: loopback when it listens on all addresses."""
    if bind_address in ALL_ADDRESSES:
        return "127.0.0.1"
    return f"[{bind_address}]" if ":" in bind_address else bind_address


def to_json(settings: SyncerSettings | StartSettings, *, indent: int | None = 1) -> str:
    """The settings as the text that the syncer process, or the one that prepares, reads."""
    return json.dumps(dataclasses.asdict(settings), default=str, indent=indent)


def from_json(text: str) -> SyncerSettings:
    """The inverse of :func:`to_json`; raises ``KeyError`` or ``TypeError`` when the file is of another version."""
    data = _with_paths(json.loads(text))
    data["ports"] = Ports(**data["ports"])
    facts = data["facts"]
    for key in ("cluster_ips", "load_balancer"):
        facts[key] = tuple(facts[key])
    data["facts"] = HostFacts(**facts)
    return SyncerSettings(**data)


def start_from_json(text: str) -> StartSettings:
    """The inverse of :func:`to_json`."""
    data = _with_paths(json.loads(text))
    data["host_dns"] = HostDns(**data["host_dns"]) if data["host_dns"] else None
    return StartSettings(**data)


def _with_paths(data: dict[str, Any]) -> dict[str, Any]:
    paths = {key: Path(data[key]) for key in ("config_file", "data_dir", "state_dir")}
    return {**data, **paths, "host_kubeconfig": Path(data["host_kubeconfig"]) if data["host_kubeconfig"] else None}


def known_fields(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a dataclass has fields for: a newer version may have written more, which are left out."""
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: value for name, value in values.items() if name in names}


def write_private(path: Path, text: str | bytes) -> None:
    """Replace a file in one step, readable by its owner only."""
    content = text.encode() if isinstance(text, str) else text
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.replace(path)
    except BaseException:
        # On a full disk half a file must not take up what room there is.
        temporary.unlink(missing_ok=True)
        raise
