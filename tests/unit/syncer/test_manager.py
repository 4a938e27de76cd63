"""How the parts are wired: scopes, handlers, references."""

from __future__ import annotations

import dataclasses

import pytest

from nestling import resources
from nestling.kube.resource import (
    CONFIG_MAPS,
    EVENTS,
    NAMESPACES,
    PODS,
    SECRETS,
    SERVICES,
    STORAGE_CLASSES,
    Resource,
)
from nestling.naming import labels
from nestling.naming.tenant import VirtualKey
from tests.support import syncing


@pytest.fixture
def world() -> syncing.World:
    return syncing.World()


def query(world: syncing.World, resource: Resource) -> tuple[str | None, str | None]:
    found = world.manager._host[resource].query
    return found.namespace, found.label_selector


def test_only_kinds_that_are_switched_on_are_synced() -> None:
    names = {spec.name for spec in syncing.World().manager.specs}
    without = {
        spec.name
        for spec in syncing.World("sync: {toHost: {pods: {enabled: false}, services: {enabled: false}}}").manager.specs
    }
    assert names - without == {"pods", "podtokens", "services"}


def test_host_caches_hold_our_own_objects_only(world: syncing.World) -> None:
    assert query(world, CONFIG_MAPS) == ("team-x", f"{labels.MANAGED_BY}=my-vc")


def test_the_widest_scope_that_a_kind_asks_for_counts(world: syncing.World) -> None:
    assert query(world, SERVICES) == ("team-x", None)
    assert query(world, EVENTS) == ("team-x", None)


def test_mirrored_classes_are_watched_in_the_whole_cluster() -> None:
    world = syncing.World("sync: {fromHost: {storageClasses: {enabled: true}}}")
    assert query(world, STORAGE_CLASSES) == (None, None)


def test_without_from_host_kinds_no_cluster_wide_watch(world: syncing.World) -> None:
    assert all(informer.query.namespace == "team-x" for informer in world.manager._host.values())


def test_service_name_is_always_known() -> None:
    world = syncing.World("sync: {toHost: {services: {enabled: false}, pods: {enabled: false}}}")
    assert query(world, SERVICES) == ("team-x", None)
    assert world.manager.context.owner_uid


def test_a_host_object_of_another_virtual_cluster_makes_no_work(world: syncing.World) -> None:
    other = syncing.service("web-x-default-x-other", "team-x", labels={labels.MANAGED_BY: "other"})
    world.host.put(SERVICES, other)
    assert [len(one.queue) for one in world.manager.controllers if one.spec.name == "services"] == [1]  # kube-dns


async def test_referrers_are_found_by_what_pods_name(world: syncing.World) -> None:
    volumes = [{"name": "v", "configMap": {"name": "settings"}}, {"name": "s", "secret": {"secretName": "keys"}}]
    world.virtual.put(PODS, syncing.pod(volumes=volumes))
    referrers = world.manager.context.referrers
    assert referrers(CONFIG_MAPS, VirtualKey("default", "settings")) == [(PODS, VirtualKey("default", "web"))]
    assert referrers(SECRETS, VirtualKey("default", "keys")) == [(PODS, VirtualKey("default", "web"))]
    assert referrers(SECRETS, VirtualKey("default", "settings")) == []
    assert referrers(CONFIG_MAPS, VirtualKey("team", "settings")) == []


async def test_what_a_changed_object_refers_to_is_looked_at(world: syncing.World) -> None:
    await world.settle()
    queue = world.controller_of("configmaps").queue
    world.virtual.put(PODS, syncing.pod(volumes=[{"name": "v", "configMap": {"name": "settings"}}]))
    assert await queue.get() == ("default", "settings")
    queue.done(VirtualKey("default", "settings"))
    world.virtual.change(PODS, "default", "web", {"metadata": {"labels": {"a": "b"}}})
    assert len(queue) == 0
    world.virtual.drop(PODS, "default", "web")
    assert await queue.get() == ("default", "settings")


async def test_watched_objects_make_work(world: syncing.World) -> None:
    world.virtual.put(PODS, syncing.pod())
    await world.settle()
    queue = world.controller_of("pods").queue
    assert len(queue) == 0
    world.virtual.change(NAMESPACES, "", "default", {"metadata": {"labels": {"team": "a"}}})
    assert await queue.get() == ("default", "web")


async def test_an_index_counts_each_reference_of_each_kind_once() -> None:
    specs = resources.specs()
    doubled = tuple(dataclasses.replace(spec, name="again") if spec.name == "configmaps" else spec for spec in specs)
    world = syncing.World(specs=(*specs, *(spec for spec in doubled if spec.name == "again")))
    world.virtual.put(PODS, syncing.pod(volumes=[{"name": "v", "configMap": {"name": "settings"}}]))
    assert len(world.manager.context.referrers(CONFIG_MAPS, VirtualKey("default", "settings"))) == 1


def test_every_informer_is_waited_for(world: syncing.World) -> None:
    kinds = {(informer.resource.plural, id(informer)) for informer in world.manager.informers}
    assert len(kinds) == len(world.manager._virtual) + len(world.manager._host)


def test_versions_are_read(world: syncing.World) -> None:
    assert (world.manager.context.virtual.minor, world.manager.context.virtual.version) == (36, "v1.36.3")
