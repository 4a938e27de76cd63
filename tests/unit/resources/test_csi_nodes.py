"""CSINodes of the host: of nodes that the tenant sees (spec §2.1)."""

from __future__ import annotations

from nestling.kube.resource import CSI_NODES, NODES, Obj
from tests.support import syncing
from tests.unit.resources.nodes.test_real import host_node

CONFIG = """
sync: {fromHost: {nodes: {enabled: true, selector: {labels: {pool: tenants}}}, csiNodes: {enabled: true}}}
"""


def csi_node(name: str, node_id: str = "i-1") -> Obj:
    return syncing.obj(name, "", spec={"drivers": [{"name": "ebs", "nodeID": node_id}]})


async def test_a_csi_node_follows_its_node() -> None:
    world = syncing.World(CONFIG)
    for name, labels in (("n1", {"pool": "tenants"}), ("n2", {"pool": "other"})):
        world.host.put(CSI_NODES, csi_node(name))
        world.host.put(NODES, host_node(name, labels=labels))
    await world.settle()
    assert world.virtual.names(CSI_NODES) == ["n1"]
    world.host.change(NODES, "", "n2", {"metadata": {"labels": {"pool": "tenants"}}})
    world.host.change(NODES, "", "n1", {"metadata": {"labels": {"pool": "other"}}})
    await world.settle()
    assert world.virtual.names(CSI_NODES) == ["n2"]
    assert await world.again() == []


async def test_a_driver_that_changed_on_the_node_is_shown() -> None:
    world = syncing.World(CONFIG)
    world.host.put(NODES, host_node("n1", labels={"pool": "tenants"}))
    world.host.put(CSI_NODES, csi_node("n1"))
    await world.settle()
    world.host.put(CSI_NODES, csi_node("n1", "i-2"))
    await world.settle()
    assert world.virtual.there(CSI_NODES, "", "n1")["spec"]["drivers"][0]["nodeID"] == "i-2"
