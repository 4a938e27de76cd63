from __future__ import annotations

import pytest

from tests.unit.config.support import config, problem, problems, where

STORE = "controlPlane.backingStore"
REPLICAS = "controlPlane.statefulSet.highAvailability.replicas"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("etcd.embedded", "etcd.deploy"),
        ("etcd.embedded", "database.embedded"),
        ("etcd.deploy", "etcd.external"),
        ("database.embedded", "database.external"),
    ],
)
def test_only_one_store_holds_the_data(one: str, other: str) -> None:
    more = (f"{STORE}.etcd.external.endpoint=https://e:2379", f"{STORE}.database.external.dataSource=mysql://x")
    found = problem("", sets=(f"{STORE}.{one}.enabled=true", f"{STORE}.{other}.enabled=true", *more))
    assert found.path == f"{STORE}.{other}.enabled"
    assert f"contradicts {STORE}.{one}.enabled" in found.message


def test_an_embedded_etcd_may_take_over_from_a_deployed_one() -> None:
    config("""
        controlPlane:
          backingStore:
            etcd: {embedded: {enabled: true, migrateFromDeployedEtcd: true}, deploy: {enabled: true}}
        """)


def test_sqlite_has_one_replica() -> None:
    found = problem("", sets=(f"{STORE}.database.embedded.enabled=true", f"{REPLICAS}=3"))
    assert (found.path, found.message) == (REPLICAS, "is 3, but SQLite serves one replica")


def test_several_replicas_of_etcd_are_fine() -> None:
    assert config("", f"{REPLICAS}=3").control_plane.stateful_set.high_availability.replicas == 3


def test_an_external_etcd_has_an_address() -> None:
    assert problem("", sets=(f"{STORE}.etcd.external.enabled=true",)).path == f"{STORE}.etcd.external.endpoint"


def test_an_external_database_has_an_address_or_a_connector() -> None:
    place = f"{STORE}.database.external"
    assert problem("", sets=(f"{place}.enabled=true",)).path == f"{place}.dataSource"
    config("", f"{place}.enabled=true", f"{place}.connector=shared")


@pytest.mark.parametrize("count", ["0", "-1", "6"])
def test_replicas_are_one_to_five(count: str) -> None:
    assert problem("", sets=(f"{REPLICAS}={count}",)).path == REPLICAS


def test_lease_times_fall_from_lease_to_retry() -> None:
    place = "controlPlane.statefulSet.highAvailability"
    assert problem("", sets=(f"{place}.leaseDuration=40",)).path == f"{place}.leaseDuration"
    assert problem("", sets=(f"{place}.retryPeriod=40",)).path == f"{place}.renewDeadline"
    assert len(problems("", sets=(f"{place}.renewDeadline=60", f"{place}.retryPeriod=60"))) == 2


def test_scheduled_snapshots_need_a_store_of_ours() -> None:
    text = "snapshots: {auto: {schedule: 0 * * * *}}\ncontrolPlane: {backingStore: {etcd: {deploy: {enabled: true}}}}"
    assert where(text) == ["snapshots.auto"]
