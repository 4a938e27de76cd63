"""The backing store and the number of replicas (spec §4.4, §4.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nestling.config import errors, model
from nestling.config.rules import paths

_STORE: Final = "controlPlane.backingStore"
_REPLICAS: Final = "controlPlane.statefulSet.highAvailability.replicas"


def enabled_stores(config: model.VClusterConfig) -> list[str]:
    """The stores that are switched on, as key paths."""
    store = config.control_plane.backing_store
    switches = {
        "etcd.embedded": store.etcd.embedded.enabled,
        "etcd.deploy": store.etcd.deploy.enabled,
        "etcd.external": store.etcd.external.enabled,
        "database.embedded": store.database.embedded.enabled,
        "database.external": store.database.external.enabled,
    }
    return [f"{_STORE}.{name}.enabled" for name, on in switches.items() if on]


def one_store(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """At most one store holds the data."""
    on = enabled_stores(config)
    # The original lets an embedded etcd take the data of a deployed one over while both are configured.
    taking_over = config.control_plane.backing_store.etcd.embedded.migrate_from_deployed_etcd
    if len(on) > 1 and not (taking_over and on == [f"{_STORE}.etcd.embedded.enabled", f"{_STORE}.etcd.deploy.enabled"]):
        others = " and ".join(on[:-1])
        yield paths.problem(on[-1], f"contradicts {others}: only one store holds the data", "keep one of them", *on)


def sqlite_has_one_replica(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """SQLite is a file of one pod."""
    replicas = config.control_plane.stateful_set.high_availability.replicas
    if replicas > 1 and config.control_plane.backing_store.database.embedded.enabled:
        yield paths.problem(
            _REPLICAS,
            f"is {replicas}, but SQLite serves one replica",
            f"write 1, or {_STORE}.etcd.embedded.enabled: true instead of database.embedded",
            f"{_STORE}.database.embedded.enabled",
        )


def external_stores_say_where(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """A store that somebody else runs has an address."""
    store = config.control_plane.backing_store
    if store.etcd.external.enabled and not store.etcd.external.endpoint:
        yield paths.problem(
            f"{_STORE}.etcd.external.endpoint", "is missing", "write the address of etcd, such as https://etcd:2379"
        )
    database = store.database.external
    if database.enabled and not (database.data_source or database.connector):
        yield paths.problem(
            f"{_STORE}.database.external.dataSource",
            "is missing",
            "write for example mysql://user:password@tcp(host:3306)/name or postgres://user:password@host/name",
        )


def replicas_count(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """There is at least one replica; etcd has 1 to 5 members next to the control plane."""
    replicas = config.control_plane.stateful_set.high_availability.replicas
    if replicas < 1:
        yield paths.problem(_REPLICAS, f"is {replicas}", "write 1 or more; to stop the virtual cluster, pause it")
    embedded = config.control_plane.backing_store.etcd.embedded.enabled or not enabled_stores(config)
    if embedded and replicas > 5:
        yield paths.problem(_REPLICAS, f"is {replicas}, but etcd runs at most 5 members", "write 1, 3 or 5")


def lease_times(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """Leader election needs leaseDuration > renewDeadline > retryPeriod, or no leader is ever safe."""
    times = config.control_plane.stateful_set.high_availability
    place = "controlPlane.statefulSet.highAvailability"
    if times.lease_duration <= times.renew_deadline:
        yield paths.problem(
            f"{place}.leaseDuration",
            f"is {times.lease_duration}, not above renewDeadline ({times.renew_deadline})",
            "write a larger leaseDuration, such as 60 with a renewDeadline of 40",
            f"{place}.renewDeadline",
        )
    if times.renew_deadline <= times.retry_period:
        yield paths.problem(
            f"{place}.renewDeadline",
            f"is {times.renew_deadline}, not above retryPeriod ({times.retry_period})",
            "write a larger renewDeadline, such as 40 with a retryPeriod of 15",
            f"{place}.retryPeriod",
        )


def scheduled_snapshots_need_our_store(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """A deployed etcd cannot be snapshotted on a schedule (spec §7)."""
    if config.snapshots and config.snapshots.auto and config.control_plane.backing_store.etcd.deploy.enabled:
        yield paths.problem(
            "snapshots.auto",
            "does not work with a deployed etcd",
            f"use {_STORE}.etcd.embedded, or take snapshots by hand",
            f"{_STORE}.etcd.deploy.enabled",
        )


RULES: Final = (
    one_store,
    sqlite_has_one_replica,
    external_stores_say_where,
    replicas_count,
    lease_times,
    scheduled_snapshots_need_our_store,
)
