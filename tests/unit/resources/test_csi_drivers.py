"""CSIDrivers of the host (spec §2.1)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import CSI_DRIVERS
from tests.support import syncing

SCHEDULER = """
sync: {fromHost: {nodes: {enabled: true}}}
controlPlane: {distro: {k8s: {scheduler: {enabled: true}}}}
"""


@pytest.mark.parametrize(("config", "expected"), [("", False), (SCHEDULER, True)])
def test_auto_follows_the_scheduler(config: str, expected: bool) -> None:
    names = {spec.name for spec in syncing.World(config).manager.specs}
    assert ({"csidrivers", "csinodes", "csistoragecapacities"} <= names) is expected


async def test_a_driver_is_mirrored_and_made_anew_when_it_changes() -> None:
    world = syncing.World(SCHEDULER)
    world.host.put(CSI_DRIVERS, syncing.obj("ebs", "", spec={"storageCapacity": True}))
    await world.settle()
    before = world.virtual.there(CSI_DRIVERS, "", "ebs")
    assert before["spec"] == {"storageCapacity": True}
    world.host.change(CSI_DRIVERS, "", "ebs", {"spec": {"storageCapacity": False}})
    await world.settle()
    seen = world.virtual.there(CSI_DRIVERS, "", "ebs")
    assert (seen["spec"]["storageCapacity"], seen["metadata"]["uid"] == before["metadata"]["uid"]) == (False, False)
    assert await world.again() == []
