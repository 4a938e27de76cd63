"""StorageClasses from the host (spec §2.1)."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.kube.resource import STORAGE_CLASSES, Obj
from tests.support import syncing

DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}


@pytest.fixture
def world() -> syncing.World:
    return syncing.World("sync: {fromHost: {storageClasses: {enabled: true}}}")


def fast(**body: Any) -> Obj:
    values = {"provisioner": "p", "reclaimPolicy": "Delete", "allowVolumeExpansion": True, **body}
    return syncing.obj("fast", "", labels={"tier": "1"}, annotations=DEFAULT, **values)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("", False),
        ("sync: {fromHost: {storageClasses: {enabled: true}}}", True),
        ("sync: {fromHost: {storageClasses: {enabled: false}}}", False),
    ],
)
def test_auto_means_off_without_a_scheduler_of_its_own(config: str, expected: bool) -> None:
    names = {spec.name for spec in syncing.World(config).manager.specs}
    assert ("storageclasses" in names) is expected


async def test_a_class_is_mirrored_with_labels_and_annotations(world: syncing.World) -> None:
    world.host.put(STORAGE_CLASSES, fast())
    await world.settle()
    seen = world.virtual.there(STORAGE_CLASSES, "", "fast")
    assert (seen["provisioner"], seen["allowVolumeExpansion"]) == ("p", True)
    assert (seen["metadata"]["labels"], seen["metadata"]["annotations"]) == ({"tier": "1"}, DEFAULT)
    assert await world.again() == []


async def test_a_change_on_the_host_is_mirrored(world: syncing.World) -> None:
    world.host.put(STORAGE_CLASSES, fast())
    await world.settle()
    world.host.change(STORAGE_CLASSES, "", "fast", {"allowVolumeExpansion": False, "metadata": {"annotations": None}})
    await world.settle()
    seen = world.virtual.there(STORAGE_CLASSES, "", "fast")
    assert seen["allowVolumeExpansion"] is False
    assert "annotations" not in seen["metadata"]
    assert await world.again() == []


async def test_a_class_with_other_parameters_is_made_anew(world: syncing.World) -> None:
    world.host.put(STORAGE_CLASSES, fast())
    await world.settle()
    before = world.virtual.there(STORAGE_CLASSES, "", "fast")["metadata"]["uid"]
    world.host.change(STORAGE_CLASSES, "", "fast", {"parameters": {"type": "ssd"}})
    await world.settle()
    seen = world.virtual.there(STORAGE_CLASSES, "", "fast")
    assert (seen["parameters"], seen["metadata"]["uid"] == before) == ({"type": "ssd"}, False)


async def test_what_the_tenant_changes_is_put_right(world: syncing.World) -> None:
    world.host.put(STORAGE_CLASSES, fast())
    await world.settle()
    world.virtual.change(STORAGE_CLASSES, "", "fast", {"allowVolumeExpansion": False})
    await world.settle()
    assert world.virtual.there(STORAGE_CLASSES, "", "fast")["allowVolumeExpansion"] is True


async def test_a_class_that_the_host_lost_goes(world: syncing.World) -> None:
    world.host.put(STORAGE_CLASSES, fast())
    await world.settle()
    world.host.drop(STORAGE_CLASSES, "", "fast")
    await world.settle()
    assert world.virtual.names(STORAGE_CLASSES) == []


async def test_nothing_is_ever_written_to_the_hosts_classes(world: syncing.World) -> None:
    before = world.host.put(STORAGE_CLASSES, fast())
    world.host.forget_requests()
    await world.settle()
    world.virtual.drop(STORAGE_CLASSES, "", "fast")
    await world.settle()
    assert world.host.there(STORAGE_CLASSES, "", "fast") == before
    assert not [one for one in world.host.writes if "storageclasses" in one.path]
    assert world.virtual.names(STORAGE_CLASSES) == ["fast"]
