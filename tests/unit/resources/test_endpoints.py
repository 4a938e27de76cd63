"""Endpoints of Services without selector (spec §2.3)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import ENDPOINTS, SERVICES, Obj
from tests.support import syncing

HOST = ("team-x", "db-x-default-x-my-vc")
SUBSETS = [
    {
        "addresses": [
            {
                "ip": "10.0.0.5",
                "targetRef": {"kind": "Pod", "name": "web", "namespace": "default", "uid": "u", "resourceVersion": "3"},
            },
            {"ip": "10.0.0.6", "targetRef": {"kind": "Node", "name": "n1"}},
        ],
        "notReadyAddresses": [{"ip": "10.0.0.7"}],
        "ports": [{"port": 5432}],
    }
]


@pytest.fixture
def world() -> syncing.World:
    return syncing.World()


def put(world: syncing.World, selector: dict[str, str] | None = None) -> Obj:
    world.virtual.put(SERVICES, syncing.service("db", clusterIP="10.96.0.150", selector=selector or {}))
    annotations = {"endpoints.kubernetes.io/last-change-trigger-time": "2026-01-01T00:00:00Z"}
    return world.virtual.put(ENDPOINTS, syncing.obj("db", annotations=annotations, subsets=SUBSETS))


async def test_endpoints_of_a_service_without_selector_are_synced(world: syncing.World) -> None:
    put(world)
    await world.settle()
    (subset,) = world.host.there(ENDPOINTS, *HOST)["subsets"]
    assert [one["ip"] for one in subset["addresses"]] == ["10.0.0.5", "10.0.0.6"]
    assert subset["notReadyAddresses"] == [{"ip": "10.0.0.7"}]
    assert await world.again() == []


async def test_references_to_pods_are_to_their_host_pods_and_others_are_left_out(world: syncing.World) -> None:
    put(world)
    await world.settle()
    first, second = world.host.there(ENDPOINTS, *HOST)["subsets"][0]["addresses"]
    assert first["targetRef"] == {"kind": "Pod", "name": "web-x-default-x-my-vc", "namespace": "team-x"}
    assert "targetRef" not in second


async def test_endpoints_of_a_service_with_selector_are_the_hosts_business(world: syncing.World) -> None:
    put(world, {"app": "db"})
    await world.settle()
    assert world.host.get_now(ENDPOINTS, *HOST) is None


async def test_a_selector_that_appears_removes_our_copy(world: syncing.World) -> None:
    put(world)
    await world.settle()
    world.virtual.change(SERVICES, "default", "db", {"spec": {"selector": {"app": "db"}}})
    await world.settle()
    assert world.host.get_now(ENDPOINTS, *HOST) is None
    assert world.virtual.get_now(ENDPOINTS, "default", "db")


async def test_a_selector_that_disappears_syncs_them(world: syncing.World) -> None:
    put(world, {"app": "db"})
    await world.settle()
    world.virtual.change(SERVICES, "default", "db", {"spec": {"selector": None}})
    await world.settle()
    assert world.host.get_now(ENDPOINTS, *HOST)


async def test_endpoints_that_the_host_made_itself_are_taken_over_when_the_selector_disappears(
    world: syncing.World,
) -> None:
    """The host's controller has given its Endpoints the labels of the Service, but not our annotations."""
    put(world, {"app": "db"})
    await world.settle()
    copied = {"vcluster.loft.sh/managed-by": "my-vc", "vcluster.loft.sh/namespace": "default"}
    world.host.put(ENDPOINTS, syncing.obj(HOST[1], HOST[0], labels=copied, subsets=[]))
    world.virtual.change(SERVICES, "default", "db", {"spec": {"selector": None}})
    await world.settle()
    assert world.host.there(ENDPOINTS, *HOST)["subsets"][0]["ports"] == [{"port": 5432}]
    assert await world.again() == []


async def test_changes_go_down_and_deletions_too(world: syncing.World) -> None:
    put(world)
    await world.settle()
    world.virtual.change(ENDPOINTS, "default", "db", {"subsets": [{"addresses": [{"ip": "10.0.0.9"}], "ports": []}]})
    await world.settle()
    assert world.host.there(ENDPOINTS, *HOST)["subsets"] == [{"addresses": [{"ip": "10.0.0.9"}], "ports": []}]
    world.virtual.drop(ENDPOINTS, "default", "db")
    await world.settle()
    assert world.host.get_now(ENDPOINTS, *HOST) is None


async def test_endpoints_that_vanish_on_the_host_come_back(world: syncing.World) -> None:
    put(world)
    await world.settle()
    world.host.drop(ENDPOINTS, *HOST)
    await world.settle()
    assert world.host.get_now(ENDPOINTS, *HOST)
    assert world.virtual.get_now(ENDPOINTS, "default", "db")


async def test_the_api_servers_endpoints_are_not_synced(world: syncing.World) -> None:
    world.virtual.put(SERVICES, syncing.service("kubernetes", clusterIP="10.96.0.1"))
    world.virtual.put(ENDPOINTS, syncing.obj("kubernetes", subsets=SUBSETS))
    world.host.put(ENDPOINTS, syncing.obj("my-vc", "team-x", subsets=[]))
    await world.settle()
    assert world.host.there(ENDPOINTS, "team-x", "my-vc")["subsets"] == []
    assert world.virtual.get_now(ENDPOINTS, "default", "kubernetes")
