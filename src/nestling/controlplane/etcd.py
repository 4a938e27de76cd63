"""etcd as part of a control plane: one member beside the API server, on loopback, with certificates on both sides."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from nestling.config import model
from nestling.controlplane import flags, plan, settings

NAME: Final = "etcd"

#: Below the chart's volume of 5 GiB: etcd refuses writes, and says so, before the disk is full.
QUOTA_BYTES: Final = 4 * 1024**3


def client_url(ports: settings.Ports) -> str:
    """Where the API server finds the member."""
    return f"https://127.0.0.1:{ports.etcd_client}"


def http_url(ports: settings.Ports) -> str:
    """Where everybody else does: health, metrics, the gateway for JSON.

    Apart from gRPC: on one port, Go's HTTP/2 server in place of gRPC's own serves both, more slowly.
    """
    return f"https://127.0.0.1:{ports.etcd_http}"


def member_flags(name: str, data_dir: Path, ports: settings.Ports) -> dict[str, str]:
    """The flags of the one member. The API server compacts the history every five minutes, so etcd need not."""
    pki = data_dir / "pki" / "etcd"
    peer = f"https://127.0.0.1:{ports.etcd_peer}"
    client = client_url(ports)
    return {
        "name": name,
        "data-dir": str(data_dir / "etcd"),
        "listen-client-urls": client,
        "listen-client-http-urls": http_url(ports),
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"{name}={peer}",
        "client-cert-auth": "true",
        "trusted-ca-file": str(pki / "ca.crt"),
        "cert-file": str(pki / "server.crt"),
        "key-file": str(pki / "server.key"),
        "peer-client-cert-auth": "true",
        "peer-trusted-ca-file": str(pki / "ca.crt"),
        "peer-cert-file": str(pki / "peer.crt"),
        "peer-key-file": str(pki / "peer.key"),
        **settings.ETCD_ALONE,
        "quota-backend-bytes": str(QUOTA_BYTES),
        "snapshot-count": "10000",
        "logger": "zap",
        "log-level": "warn",
    }


def argv(config: model.VClusterConfig, syncer: settings.SyncerSettings, binary: Path) -> tuple[str, ...]:
    """The command line of etcd, with ``controlPlane.backingStore.etcd.embedded`` applied."""
    embedded = config.control_plane.backing_store.etcd.embedded
    member = member_flags(f"{syncer.name}-0", syncer.data_dir, syncer.ports)
    if embedded.snapshot_count:
        member["snapshot-count"] = str(embedded.snapshot_count)
    return flags.command_line(str(binary), member, extra=embedded.extra_args)


def component(
    config: model.VClusterConfig, syncer: settings.SyncerSettings, binary: Path, *, log_file: str
) -> plan.Component:
    """etcd as the supervisor runs it; ready while the member has a leader, seen as a client sees it."""
    pki = syncer.pki_dir / "etcd"
    return plan.Component(
        name=NAME,
        argv=argv(config, syncer, binary),
        log_file=log_file,
        ready=plan.Probe(
            url=f"{http_url(syncer.ports)}/health",
            ca_file=str(pki / "ca.crt"),
            cert_file=str(pki / "healthcheck-client.crt"),
            key_file=str(pki / "healthcheck-client.key"),
        ),
    )
