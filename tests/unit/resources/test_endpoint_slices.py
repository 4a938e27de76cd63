"""EndpointSlices that tenants write (spec §2.3)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import ENDPOINT_SLICES, SERVICES, Obj
from tests.support import syncing

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
HOST = ("team-x", "db-1-x-default-x-my-vc")


@pytest.fixture
def world() -> syncing.World:
    return syncing.World()


def put(world: syncing.World, service: str = "db", **labels: str) -> Obj:
    if world.virtual.get_now(SERVICES, "default", service) is None:
        world.virtual.put(SERVICES, syncing.service(service, clusterIP="10.96.0.150"))
    endpoints = [
        {
            "addresses": ["10.0.0.5"],
            "targetRef": {"kind": "Pod", "name": "web", "namespace": "default", "uid": "u"},
        }
    ]
    return world.virtual.put(
        ENDPOINT_SLICES,
        syncing.obj(
            "db-1",
            labels={SERVICE_NAME: service, MANAGED_BY: "me", **labels},
            addressType="IPv4",
            endpoints=endpoints,
            ports=[{"port": 5432}],
        ),
    )


async def test_a_slice_belongs_to_the_host_service(world: syncing.World) -> None:
    put(world)
    await world.settle()
    host = world.host.there(ENDPOINT_SLICES, *HOST)
    assert host["metadata"]["labels"][SERVICE_NAME] == "db-x-default-x-my-vc"
    assert host["addressType"] == "IPv4"
    assert host["endpoints"][0]["targetRef"] == {
        "kind": "Pod",
        "name": "web-x-default-x-my-vc",
        "namespace": "team-x",
    }
    assert await world.again() == []


async def test_the_label_of_a_long_service_name_is_a_valid_label(world: syncing.World) -> None:
    put(world, "s" * 63)
    await world.settle()
    assert len(world.host.there(ENDPOINT_SLICES, *HOST)["metadata"]["labels"][SERVICE_NAME]) == 63


async def test_the_virtual_label_stays(world: syncing.World) -> None:
    put(world)
    await world.settle()
    labels = world.virtual.there(ENDPOINT_SLICES, "default", "db-1")["metadata"]["labels"]
    assert labels == {SERVICE_NAME: "db", MANAGED_BY: "me"}


@pytest.mark.parametrize("maker", ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"])
async def test_slices_of_controllers_are_the_hosts_business(world: syncing.World, maker: str) -> None:
    put(world, **{MANAGED_BY: maker})
    await world.settle()
    assert world.host.names(ENDPOINT_SLICES) == []


async def test_slices_of_a_service_with_selector_are_the_hosts_business(world: syncing.World) -> None:
    put(world)
    await world.settle()
    world.virtual.change(SERVICES, "default", "db", {"spec": {"selector": {"app": "db"}}})
    await world.settle()
    assert world.host.names(ENDPOINT_SLICES) == []


async def test_a_slice_without_service_waits_for_it(world: syncing.World) -> None:
    put(world)
    world.virtual.drop(SERVICES, "default", "db")
    await world.settle()
    assert world.host.names(ENDPOINT_SLICES) == []
    world.virtual.put(SERVICES, syncing.service("db", clusterIP="10.96.0.150"))
    await world.settle()
    assert world.host.names(ENDPOINT_SLICES) == [HOST[1]]


async def test_another_service_of_the_slice_is_another_label(world: syncing.World) -> None:
    put(world)
    await world.settle()
    put(world, "other")
    await world.settle()
    assert world.host.there(ENDPOINT_SLICES, *HOST)["metadata"]["labels"][SERVICE_NAME] == "other-x-default-x-my-vc"


async def test_the_api_servers_slice_is_not_synced(world: syncing.World) -> None:
    world.virtual.put(SERVICES, syncing.service("kubernetes", clusterIP="10.96.0.1"))
    put(world, "kubernetes")
    await world.settle()
    assert world.host.names(ENDPOINT_SLICES) == []
