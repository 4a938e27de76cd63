"""Which backing store a virtual cluster uses (spec §4.4), and how the API server reaches it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from nestling.config import model
from nestling.controlplane import etcd, flags, plan, settings

KINE: Final = "kine"


class UnsupportedStoreError(settings.PreparationError):
    """The configuration asks for a store that this version does not run."""


@dataclasses.dataclass(frozen=True, slots=True)
class Store:
    """A store: the process to run for it, if any, and the API server's flags."""

    api_server_flags: Mapping[str, str]
    component: plan.Component | None = None


def binary(config: model.VClusterConfig, *, local: bool) -> str | None:
    """The stock binary that the store needs; None when it runs elsewhere. Refuses stores that are not available.

    On a machine there is nobody to deploy a separate etcd, so that the one beside the API server takes its place.
    """
    store = config.control_plane.backing_store
    if store.database.external.enabled:
        raise UnsupportedStoreError(
            "controlPlane.backingStore.database.external.enabled: external databases are not available yet;"
            " remove the key, and the virtual cluster runs its own etcd"
        )
    if store.etcd.external.enabled:
        if not store.etcd.external.endpoint:
            raise settings.PreparationError(
                "controlPlane.backingStore.etcd.external.endpoint is missing; write for example https://etcd:2379"
            )
        return None
    if store.etcd.deploy.enabled and not local:
        return None
    return KINE if store.database.embedded.enabled else etcd.NAME


def choose(
    config: model.VClusterConfig, syncer: settings.SyncerSettings, binaries: Mapping[str, Path], *, log_dir: Path
) -> Store:
    """The store that the configuration asks for; etcd beside the API server when it asks for none."""
    needed = binary(config, local=syncer.host_kubeconfig is not None)
    external = config.control_plane.backing_store.etcd.external
    if needed == KINE:
        return _kine(config, syncer, binaries[KINE], log_file=str(log_dir / f"{KINE}.log"))
    if needed == etcd.NAME:
        component = etcd.component(config, syncer, binaries[etcd.NAME], log_file=str(log_dir / f"{etcd.NAME}.log"))
        return Store({"etcd-servers": etcd.client_url(syncer.ports), **_own_certificates(syncer)}, component)
    if external.enabled:
        files = {
            "etcd-cafile": external.tls.ca_file,
            "etcd-certfile": external.tls.cert_file,
            "etcd-keyfile": external.tls.key_file,
        }
        return Store({"etcd-servers": external.endpoint, **{flag: file for flag, file in files.items() if file}})
    headless = "" if config.control_plane.backing_store.etcd.deploy.service.enabled else "-headless"
    return Store({"etcd-servers": f"https://{syncer.name}-etcd{headless}:2379", **_own_certificates(syncer)})


def _own_certificates(syncer: settings.SyncerSettings) -> dict[str, str]:
    return {
        "etcd-cafile": str(syncer.pki_dir / "etcd" / "ca.crt"),
        "etcd-certfile": str(syncer.pki_dir / "apiserver-etcd-client.crt"),
        "etcd-keyfile": str(syncer.pki_dir / "apiserver-etcd-client.key"),
    }


def _kine(config: model.VClusterConfig, syncer: settings.SyncerSettings, program: Path, *, log_file: str) -> Store:
    embedded = config.control_plane.backing_store.database.embedded
    options = "_journal=WAL&cache=shared&_busy_timeout=30000&_txlock=immediate"
    socket = f"unix://{syncer.data_dir / 'kine.sock'}"
    own = {
        "endpoint": embedded.data_source or f"sqlite://{syncer.data_dir / 'state.db'}?{options}",
        "listen-address": socket,
        "metrics-bind-address": f"127.0.0.1:{syncer.ports.etcd_peer}",
    }
    files = {"ca-file": embedded.ca_file, "cert-file": embedded.cert_file, "key-file": embedded.key_file}
    own |= {flag: file for flag, file in files.items() if file}
    argv = flags.command_line(str(program), own, extra=embedded.extra_args)
    return Store({"etcd-servers": socket}, plan.Component(name=KINE, argv=argv, log_file=log_file))
