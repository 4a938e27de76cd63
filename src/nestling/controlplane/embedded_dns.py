"""The name server inside the control plane (spec §3.1, embedded CoreDNS): a stock binary beside the API server.

Nothing that a tenant writes becomes part of its configuration: it runs where the keys are. ``coredns-custom`` therefore
counts for the pods of CoreDNS only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from nestling.config import model
from nestling.controlplane import corefile, plan, settings

NAME: Final = "coredns"


def wanted(config: model.VClusterConfig) -> bool:
    """Does the name server run in the control plane?"""
    chosen = config.control_plane.coredns
    return bool(chosen.enabled and chosen.embedded)


def component(
    syncer: settings.SyncerSettings, program: Path, *, env: Mapping[str, str], after: tuple[str, ...]
) -> plan.Component:
    """The process, once the API answers; a restart of it is a lag for names and nothing else."""
    return plan.Component(
        name=NAME,
        argv=(str(program), "-conf", str(file(syncer))),
        env=env,
        log_file=str(syncer.state_dir / "logs" / f"{NAME}.log"),
        ready=plan.Probe(url=f"http://127.0.0.1:{syncer.ports.dns_ready}/ready"),
        alive=plan.Probe(url=f"http://127.0.0.1:{syncer.ports.dns_health}/health"),
        after=after,
        stop_seconds=5,
    )


def file(syncer: settings.SyncerSettings) -> Path:
    """Where its Corefile lies."""
    return syncer.state_dir / "Corefile"


def node_hosts_file(syncer: settings.SyncerSettings) -> Path:
    """Where it finds the nodes."""
    return syncer.state_dir / "NodeHosts"


def text(config: model.VClusterConfig, syncer: settings.SyncerSettings, *, host_dns: str) -> str:
    """The user's whole Corefile, or ours.

    Health and readiness are on loopback. Metrics are for whoever scrapes the pod, on a machine on loopback too.
    """
    ports = syncer.ports
    embedded = corefile.Embedded(
        kubeconfig=str(syncer.pki_dir / "admin.conf"),
        node_hosts=str(node_hosts_file(syncer)),
        address="" if syncer.bind_address in settings.ALL_ADDRESSES else syncer.bind_address,
        port=ports.dns,
        health=f"127.0.0.1:{ports.dns_health}",
        ready=f"127.0.0.1:{ports.dns_ready}",
        metrics=f"{'127.0.0.1' if syncer.local else ''}:{ports.dns_metrics}",
    )
    return config.control_plane.coredns.overwrite_config or corefile.text(config, host_dns=host_dns, embedded=embedded)
