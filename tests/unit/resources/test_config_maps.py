"""ConfigMaps: used ones only (spec §2.1, §1.6)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import CONFIG_MAPS, PODS
from nestling.naming import labels
from tests.support import syncing

HOST = ("team-x", "settings-x-default-x-my-vc")
USER = syncing.pod(volumes=[{"name": "v", "configMap": {"name": "settings"}}])


@pytest.fixture
def world() -> syncing.World:
    return syncing.World()


async def test_a_config_map_that_nothing_uses_stays_above(world: syncing.World) -> None:
    world.virtual.put(CONFIG_MAPS, syncing.obj("settings", data={"a": "b"}))
    await world.settle()
    assert world.host.names(CONFIG_MAPS) == []


async def test_one_that_a_pod_uses_is_synced_whichever_came_first(world: syncing.World) -> None:
    world.virtual.put(PODS, USER)
    await world.settle()
    world.virtual.put(CONFIG_MAPS, syncing.obj("settings", data={"a": "b"}, binaryData={"c": "ZA=="}, immutable=True))
    await world.settle()
    host = world.host.there(CONFIG_MAPS, *HOST)
    assert (host["data"], host["binaryData"], host["immutable"]) == ({"a": "b"}, {"c": "ZA=="}, True)
    assert await world.again() == []


async def test_the_last_user_is_gone_and_so_is_the_host_object(world: syncing.World) -> None:
    world.virtual.put(CONFIG_MAPS, syncing.obj("settings", data={"a": "b"}))
    world.virtual.put(PODS, USER)
    world.virtual.put(PODS, {**USER, "metadata": {**USER["metadata"], "name": "second"}})
    await world.settle()
    world.virtual.drop(PODS, "default", "web")
    await world.settle()
    assert world.host.names(CONFIG_MAPS) == [HOST[1]]
    world.virtual.drop(PODS, "default", "second")
    await world.settle()
    assert world.host.names(CONFIG_MAPS) == []
    assert world.virtual.get_now(CONFIG_MAPS, "default", "settings")


async def test_all_of_them_when_the_configuration_says_so() -> None:
    world = syncing.World("sync: {toHost: {configMaps: {all: true}}}")
    world.virtual.put(CONFIG_MAPS, syncing.obj("settings", data={"a": "b"}))
    await world.settle()
    assert world.host.names(CONFIG_MAPS) == [HOST[1]]


async def test_force_sync(world: syncing.World) -> None:
    forced = {labels.FORCE_SYNC: "true"}
    world.virtual.put(CONFIG_MAPS, syncing.obj("settings", annotations=forced, data={"a": "b"}))
    await world.settle()
    assert world.host.names(CONFIG_MAPS) == [HOST[1]]
    assert labels.FORCE_SYNC in world.virtual.there(CONFIG_MAPS, "default", "settings")["metadata"]["annotations"]


async def test_data_goes_both_ways(world: syncing.World) -> None:
    world.virtual.put(CONFIG_MAPS, syncing.obj("settings", data={"a": "b"}))
    world.virtual.put(PODS, USER)
    await world.settle()
    world.host.change(CONFIG_MAPS, *HOST, {"data": {"a": "hosts"}})
    await world.settle()
    assert world.virtual.there(CONFIG_MAPS, "default", "settings")["data"] == {"a": "hosts"}
    world.virtual.change(CONFIG_MAPS, "default", "settings", {"data": {"a": None, "x": "y"}})
    await world.settle()
    assert world.host.there(CONFIG_MAPS, *HOST)["data"] == {"x": "y"}


async def test_the_root_certificates_of_all_namespaces_are_one_object(world: syncing.World) -> None:
    for namespace in ("default", "team"):
        world.virtual.put(CONFIG_MAPS, syncing.obj("kube-root-ca.crt", namespace, data={"ca.crt": "virtual"}))
    world.host.put(CONFIG_MAPS, syncing.obj("kube-root-ca.crt", "team-x", data={"ca.crt": "hosts"}))
    for namespace in ("default", "team"):
        projected = {"sources": [{"configMap": {"name": "kube-root-ca.crt"}}]}
        world.virtual.put(PODS, syncing.pod("web", namespace, volumes=[{"name": "v", "projected": projected}]))
    await world.settle()
    assert world.host.names(CONFIG_MAPS) == ["kube-root-ca.crt", "vcluster-kube-root-ca.crt-x-my-vc"]
    assert world.host.there(CONFIG_MAPS, "team-x", "kube-root-ca.crt")["data"] == {"ca.crt": "hosts"}
    assert world.virtual.there(CONFIG_MAPS, "team", "kube-root-ca.crt")["data"] == {"ca.crt": "virtual"}
    assert world.events() == []
    assert await world.again() == []


async def test_a_namespace_that_is_deleted_leaves_the_shared_root_certificate(world: syncing.World) -> None:
    await test_the_root_certificates_of_all_namespaces_are_one_object(world)
    world.virtual.drop(PODS, "team", "web")
    world.virtual.drop(CONFIG_MAPS, "team", "kube-root-ca.crt")
    await world.settle()
    assert "vcluster-kube-root-ca.crt-x-my-vc" in world.host.names(CONFIG_MAPS)


async def test_the_shared_root_certificate_is_there_without_a_pod_in_default(world: syncing.World) -> None:
    for namespace in ("default", "team"):
        world.virtual.put(CONFIG_MAPS, syncing.obj("kube-root-ca.crt", namespace, data={"ca.crt": "virtual"}))
    await world.settle()
    assert world.host.names(CONFIG_MAPS) == ["vcluster-kube-root-ca.crt-x-my-vc"]
