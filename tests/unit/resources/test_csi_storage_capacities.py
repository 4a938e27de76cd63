"""CSIStorageCapacities of the host (spec §2.1)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import CSI_STORAGE_CAPACITIES, NODES, STORAGE_CLASSES, Obj
from tests.support import syncing
from tests.unit.resources.nodes.test_real import host_node

CONFIG = """
sync: {fromHost: {nodes: {enabled: true}}}
controlPlane: {distro: {k8s: {scheduler: {enabled: true}}}}
"""
NAME = "csisc-1-x-drivers"


def capacity(name: str = "csisc-1", *, cls: str = "fast", zone: str = "a", amount: str = "1Gi") -> Obj:
    topology = {"matchLabels": {"zone": zone}}
    return syncing.obj(name, "drivers", storageClassName=cls, capacity=amount, nodeTopology=topology)


@pytest.fixture
async def world() -> syncing.World:
    world = syncing.World(CONFIG)
    world.host.put(STORAGE_CLASSES, syncing.obj("fast", "", provisioner="p"))
    world.host.put(NODES, host_node(labels={"zone": "a"}))
    world.host.put(CSI_STORAGE_CAPACITIES, capacity())
    await world.settle()
    return world


async def test_it_is_shown_in_kube_system_and_follows(world: syncing.World) -> None:
    assert world.virtual.there(CSI_STORAGE_CAPACITIES, "kube-system", NAME)["capacity"] == "1Gi"
    world.host.change(CSI_STORAGE_CAPACITIES, "drivers", "csisc-1", {"capacity": "2Gi"})
    await world.settle()
    assert world.virtual.there(CSI_STORAGE_CAPACITIES, "kube-system", NAME)["capacity"] == "2Gi"
    assert await world.again() == []
    world.host.drop(CSI_STORAGE_CAPACITIES, "drivers", "csisc-1")
    await world.settle()
    assert world.virtual.names(CSI_STORAGE_CAPACITIES) == []


@pytest.mark.parametrize("hidden", [capacity("other", cls="unknown"), capacity("other", zone="b")])
async def test_of_classes_and_nodes_that_the_tenant_does_not_see_it_is_not_shown(
    world: syncing.World, hidden: Obj
) -> None:
    world.host.put(CSI_STORAGE_CAPACITIES, hidden)
    await world.settle()
    assert world.virtual.names(CSI_STORAGE_CAPACITIES) == [NAME]


async def test_it_goes_and_comes_with_the_labels_of_nodes(world: syncing.World) -> None:
    world.host.change(NODES, "", "n1", {"metadata": {"labels": {"zone": "b"}}})
    await world.settle()
    assert world.virtual.names(CSI_STORAGE_CAPACITIES) == []
    world.host.change(NODES, "", "n1", {"metadata": {"labels": {"zone": "a"}}})
    await world.settle()
    assert world.virtual.names(CSI_STORAGE_CAPACITIES) == [NAME]
