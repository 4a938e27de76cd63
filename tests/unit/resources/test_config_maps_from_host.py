"""ConfigMaps of the host that tenants see (spec §2.9)."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.kube import sources
from nestling.kube.resource import CONFIG_MAPS, NAMESPACES, PODS, Obj
from nestling.naming import labels
from tests.support import syncing

CONFIG = """
sync:
  fromHost:
    configMaps:
      enabled: true
      mappings: {byName: {"shared/*": "config/*", "team/one": "default/uno", "": "own"}}
"""


@pytest.fixture
def world() -> syncing.World:
    return syncing.World(CONFIG)


def settings(name: str = "settings", namespace: str = "shared", **body: Any) -> Obj:
    return syncing.obj(name, namespace, labels={"tier": "1"}, **{"data": {"a": "1"}, **body})


def shown(world: syncing.World) -> list[str]:
    return world.virtual.names(CONFIG_MAPS)


async def test_a_mapped_object_appears_with_its_namespace(world: syncing.World) -> None:
    host = world.host.put(CONFIG_MAPS, settings(binaryData={"b": "AA=="}))
    await world.settle()
    seen = world.virtual.there(CONFIG_MAPS, "config", "settings")
    assert (seen["data"], seen["binaryData"]) == ({"a": "1"}, {"b": "AA=="})
    assert seen["metadata"]["labels"] == {"tier": "1"}
    assert seen["metadata"]["uid"] != host["metadata"]["uid"]
    assert "config" in world.virtual.names(NAMESPACES)
    assert await world.again() == []


async def test_only_what_is_mapped_appears(world: syncing.World) -> None:
    world.host.put(CONFIG_MAPS, settings("one", "team"))
    world.host.put(CONFIG_MAPS, settings("two", "team"))
    world.host.put(CONFIG_MAPS, settings("settings", "elsewhere"))
    world.host.put(CONFIG_MAPS, settings("mine", "team-x"))
    await world.settle()
    assert shown(world) == ["mine", "uno"]
    assert world.virtual.there(CONFIG_MAPS, "own", "mine")["data"] == {"a": "1"}


def test_only_the_named_namespaces_and_objects_are_watched(world: syncing.World) -> None:
    watched = {
        (one.query.namespace, one.query.field_selector)
        for _, one in world.manager.caches
        if isinstance(one, sources.Part)
    }
    assert watched == {("shared", None), ("team", "metadata.name=one"), ("team-x", None)}


@pytest.mark.parametrize(
    "host",
    [
        settings("kube-root-ca.crt", "team-x"),
        syncing.obj("copy-x-default-x-other", "team-x", labels={labels.MANAGED_BY: "other"}, data={}),
        syncing.obj("certificates", "team-x", labels={"app": "vcluster"}, data={}),
        syncing.obj("release.v1", "team-x", labels={"owner": "helm"}, data={}),
    ],
    ids=lambda one: one["metadata"]["name"],
)
async def test_what_belongs_to_tenants_and_control_planes_is_kept_back(world: syncing.World, host: Obj) -> None:
    world.host.put(CONFIG_MAPS, host)
    await world.settle()
    assert shown(world) == []


async def test_an_object_that_is_named_is_shown_whatever_it_belongs_to() -> None:
    world = syncing.World(CONFIG.replace('"": "own"', '"/certificates": "own/certificates"'))
    world.host.put(CONFIG_MAPS, syncing.obj("certificates", "team-x", labels={"app": "vcluster"}, data={}))
    await world.settle()
    assert shown(world) == ["certificates"]


async def test_a_copy_of_a_tenants_object_disappears_when_it_becomes_one(world: syncing.World) -> None:
    world.host.put(CONFIG_MAPS, settings())
    await world.settle()
    world.host.change(CONFIG_MAPS, "shared", "settings", {"metadata": {"labels": {labels.MANAGED_BY: "other"}}})
    await world.settle()
    assert shown(world) == []


async def test_changes_of_the_host_come_and_those_of_the_tenant_go(world: syncing.World) -> None:
    world.host.put(CONFIG_MAPS, settings())
    await world.settle()
    world.virtual.change(
        CONFIG_MAPS,
        "config",
        "settings",
        {"data": {"a": "mine", "b": "2"}, "metadata": {"labels": {"tier": "2"}, "annotations": None}},
    )
    await world.settle()
    seen = world.virtual.there(CONFIG_MAPS, "config", "settings")
    assert (seen["data"], seen["metadata"]["labels"]) == ({"a": "1"}, {"tier": "1"})
    assert seen["metadata"]["annotations"][labels.OBJECT_IMPORTED] == "true"
    world.host.change(CONFIG_MAPS, "shared", "settings", {"data": {"a": None, "c": "3"}, "binaryData": {"d": "AA=="}})
    await world.settle()
    seen = world.virtual.there(CONFIG_MAPS, "config", "settings")
    assert (seen["data"], seen["binaryData"]) == ({"c": "3"}, {"d": "AA=="})


async def test_what_the_tenant_deletes_comes_back_even_with_its_namespace(world: syncing.World) -> None:
    world.host.put(CONFIG_MAPS, settings())
    await world.settle()
    world.virtual.drop(CONFIG_MAPS, "config", "settings")
    await world.settle()
    assert shown(world) == ["settings"]
    world.virtual.is_deaf = False
    world.virtual.drop(CONFIG_MAPS, "config", "settings")
    world.virtual.drop(NAMESPACES, "", "config")
    await world.settle()
    assert shown(world) == ["settings"]
    assert "config" in world.virtual.names(NAMESPACES)


async def test_what_the_host_deletes_goes_also_while_nobody_was_looking(world: syncing.World) -> None:
    world.host.put(CONFIG_MAPS, settings())
    world.host.put(CONFIG_MAPS, settings("second"))
    await world.settle()
    world.host.drop(CONFIG_MAPS, "shared", "settings")
    await world.settle()
    assert shown(world) == ["second"]
    world.host.is_deaf = True
    world.host.drop(CONFIG_MAPS, "shared", "second")
    world.host.is_deaf = False
    world.restart()
    await world.settle()
    assert shown(world) == []


async def test_a_mapping_that_is_gone_takes_its_objects_with_it(world: syncing.World) -> None:
    world.host.put(CONFIG_MAPS, settings())
    await world.settle()
    without = syncing.World(CONFIG.replace('"shared/*": "config/*", ', ""))
    world.manager = without.manager
    kept = world.virtual.there(CONFIG_MAPS, "config", "settings")
    without.virtual.put(CONFIG_MAPS, kept)
    await without.settle()
    assert shown(without) == []


async def test_an_object_of_the_tenants_own_is_left_alone(world: syncing.World) -> None:
    own = world.virtual.put(CONFIG_MAPS, syncing.obj("settings", "config", data={"a": "mine"}))
    world.host.put(CONFIG_MAPS, settings())
    await world.settle()
    assert world.virtual.there(CONFIG_MAPS, "config", "settings") == own
    assert "not made from it" in world.events()[0]["message"]
    world.host.drop(CONFIG_MAPS, "shared", "settings")
    await world.settle()
    assert world.virtual.there(CONFIG_MAPS, "config", "settings") == own


async def test_a_tenants_copy_of_the_copy_is_the_tenants(world: syncing.World) -> None:
    world.host.put(CONFIG_MAPS, settings())
    await world.settle()
    copy = world.virtual.there(CONFIG_MAPS, "config", "settings")
    copy["metadata"] = {**copy["metadata"], "name": "my-copy", "uid": "u"}
    world.virtual.put(CONFIG_MAPS, copy)
    await world.settle()
    assert shown(world) == ["my-copy", "settings"]


async def test_an_immutable_object_that_the_host_made_anew_is_made_anew(world: syncing.World) -> None:
    world.host.put(CONFIG_MAPS, settings(immutable=True))
    await world.settle()
    before = world.virtual.there(CONFIG_MAPS, "config", "settings")["metadata"]["uid"]
    world.host.drop(CONFIG_MAPS, "shared", "settings")
    world.host.put(CONFIG_MAPS, settings(immutable=True, data={"a": "2"}))
    await world.settle()
    seen = world.virtual.there(CONFIG_MAPS, "config", "settings")
    assert (seen["data"], seen["metadata"]["uid"] == before) == ({"a": "2"}, False)


async def test_of_two_with_one_name_the_second_takes_over(world: syncing.World) -> None:
    world = syncing.World(CONFIG.replace('"": "own"', '"apart/*": "config/*"'))
    world.host.put(CONFIG_MAPS, settings(data={"from": "shared"}))
    world.host.put(CONFIG_MAPS, settings(namespace="apart", data={"from": "apart"}))
    await world.settle()
    assert world.virtual.there(CONFIG_MAPS, "config", "settings")["data"] == {"from": "apart"}
    world.host.drop(CONFIG_MAPS, "apart", "settings")
    await world.settle()
    assert world.virtual.there(CONFIG_MAPS, "config", "settings")["data"] == {"from": "shared"}


async def test_pods_can_use_it_and_its_copy_is_not_shown_again(world: syncing.World) -> None:
    world.host.put(CONFIG_MAPS, settings("mine", "team-x"))
    await world.settle()
    volumes = [{"name": "c", "configMap": {"name": "mine"}}]
    world.virtual.put(PODS, syncing.pod(namespace="own", volumes=volumes))
    await world.settle()
    below = world.host.there(CONFIG_MAPS, "team-x", "mine-x-own-x-my-vc")
    assert below["data"] == {"a": "1"}
    assert labels.OBJECT_IMPORTED not in below["metadata"]["annotations"]
    assert shown(world) == ["mine"]
    assert await world.again() == []


async def test_nothing_is_ever_written_to_the_source(world: syncing.World) -> None:
    before = world.host.put(CONFIG_MAPS, settings())
    await world.settle()
    world.virtual.change(CONFIG_MAPS, "config", "settings", {"data": {"a": "x"}})
    world.virtual.put(CONFIG_MAPS, syncing.obj("planted", "config", data={}, annotations={labels.FORCE_SYNC: "true"}))
    await world.settle()
    assert world.host.there(CONFIG_MAPS, "shared", "settings") == before
    assert not [one for one in world.host.writes if "/shared/" in one.path]


def test_the_rights_follow_the_mappings(world: syncing.World) -> None:
    rules = world.spec("configmapsfromhost").more_host_rules(world.config)
    assert {(rule.cluster, rule.resource_names) for rule in rules} == {(True, ()), (True, ("one",)), (False, ())}
