"""Which backing store a virtual cluster uses (spec §4.4), and how the API server reaches it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from nestling.config import model
from nestling.controlplane import etcd, flags, plan, settings

KINE: Final = "kine"
#: kine's SQLite database below the data folder, where vCluster has it, too.
SQLITE: Final = "state.db"
_DATABASE: Final = "SQLite"
#: The longest path that a socket can have.
_LONGEST_SOCKET: Final = 107
#: As vCluster has them, and a file that can give room back while it is used (``sqlite_file``): so kine need not write
#: it anew at each start, which takes as long as the file is large, and as much room.
_OPTIONS: Final = (
    "_journal=WAL&cache=shared&_busy_timeout=30000&_txlock=immediate"
    "&_vacuum=incremental&_kine_disable_startup_vacuum=true"
)
_DATABASES: Final = ("mysql://", "postgres://", "postgresql://")


@dataclasses.dataclass(frozen=True, slots=True)
class Store:
    """A store: the process to run for it, if any, and the API server's flags."""

    api_server_flags: Mapping[str, str]
    component: plan.Component | None = None


def binary(config: model.VClusterConfig, *, local: bool) -> str | None:
    """The stock binary that the store needs; None when it runs elsewhere.

    On a machine there is nobody to deploy a separate etcd, so that the one beside the API server takes its place.
    """
    store = config.control_plane.backing_store
    if store.etcd.external.enabled:
        if not store.etcd.external.endpoint:
            raise settings.PreparationError(
                "controlPlane.backingStore.etcd.external.endpoint is missing; write for example https://etcd:2379"
            )
        return None
    if store.etcd.deploy.enabled and not local:
        return None
    return KINE if store.database.embedded.enabled or store.database.external.enabled else etcd.NAME


def uses_sqlite(config: model.VClusterConfig, *, local: bool) -> bool:
    """Whether the data is in our own file of SQLite, behind kine."""
    database = config.control_plane.backing_store.database
    elsewhere = database.external.enabled or bool(database.embedded.data_source)
    return binary(config, local=local) == KINE and not elsewhere


def keep_database(config: model.VClusterConfig, data_dir: Path) -> model.VClusterConfig:
    """Stay with SQLite when the data folder holds a database of vCluster's, whose default that is, and no store is
    asked for: the data would seem lost in an empty etcd.
    """
    plane = config.control_plane
    store = plane.backing_store
    asked = (
        store.etcd.embedded.enabled,
        store.etcd.deploy.enabled,
        store.etcd.external.enabled,
        store.database.external.enabled,
    )
    if any(asked) or list(_held(data_dir)) != [_DATABASE]:
        return config
    embedded = store.database.embedded.model_copy(update={"enabled": True})
    database = store.database.model_copy(update={"embedded": embedded})
    backing = store.model_copy(update={"database": database})
    return config.model_copy(update={"control_plane": plane.model_copy(update={"backing_store": backing})})


def check_data(config: model.VClusterConfig, data_dir: Path, *, local: bool) -> None:
    """Refuse to begin with an empty store beside a full one: what is on the host would seem to be nobody's, and go.

    Of a store that runs elsewhere nothing is known here. Raises :class:`PreparationError`.
    """
    held = _held(data_dir)
    asked = _kept_in(config, local=local)
    if held and asked not in held:
        name, place = next(iter(held.items()))
        raise settings.PreparationError(
            f"the data of this virtual cluster is in {name} ({place}), and controlPlane.backingStore asks for {asked},"
            f" which would be empty: write the store as it was, or move {place} away to begin with nothing"
        )


def _held(data_dir: Path) -> dict[str, Path]:
    """The stores that have data in the folder, as one calls them, and where."""
    places = {_DATABASE: data_dir / SQLITE, etcd.NAME: data_dir / "etcd" / "member"}
    return {name: place for name, place in places.items() if place.exists()}


def _kept_in(config: model.VClusterConfig, *, local: bool) -> str:
    """Where the data will be, as one calls it."""
    if uses_sqlite(config, local=local):
        return _DATABASE
    return etcd.NAME if binary(config, local=local) == etcd.NAME else "a store elsewhere"


def choose(
    config: model.VClusterConfig, syncer: settings.SyncerSettings, binaries: Mapping[str, Path], *, log_dir: Path
) -> Store:
    """The store that the configuration asks for; etcd beside the API server when it asks for none."""
    needed = binary(config, local=syncer.local)
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
    """kine on a socket that only this user can open. Where the database is goes into the environment: it may hold a
    password, which command lines show to everybody.
    """
    database = config.control_plane.backing_store.database
    chosen = database.external if database.external.enabled else database.embedded
    socket = f"unix://{syncer.data_dir / 'kine.sock'}"
    if len(socket.removeprefix("unix://")) > _LONGEST_SOCKET:
        raise settings.PreparationError(
            f"the data folder {syncer.data_dir} has too long a path for a socket in it;"
            " name another one with NESTLING_HOME, or use etcd"
        )
    metrics = f"127.0.0.1:{syncer.ports.etcd_peer}"
    own = {"listen-address": socket, "metrics-bind-address": metrics}
    files = {"ca-file": chosen.ca_file, "cert-file": chosen.cert_file, "key-file": chosen.key_file}
    own |= {flag: file for flag, file in files.items() if file}
    component = plan.Component(
        name=KINE,
        argv=flags.command_line(str(program), own, extra=chosen.extra_args),
        env={"KINE_ENDPOINT": _data_source(config, syncer)},
        log_file=log_file,
        ready=plan.Probe(url=f"http://{metrics}/metrics"),
    )
    return Store({"etcd-servers": socket}, component)


def _data_source(config: model.VClusterConfig, syncer: settings.SyncerSettings) -> str:
    database = config.control_plane.backing_store.database
    if not database.external.enabled:
        return database.embedded.data_source or f"sqlite://{syncer.data_dir / SQLITE}?{_OPTIONS}"
    if not database.external.data_source.startswith(_DATABASES):
        raise settings.PreparationError(
            "controlPlane.backingStore.database.external.dataSource: no known database;"
            " write mysql://user:password@tcp(host:3306)/name or postgres://user:password@host:5432/name"
        )
    return database.external.data_source
