"""PodDisruptionBudgets (spec §2.1)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import POD_DISRUPTION_BUDGETS, Obj
from nestling.naming import labels
from tests.support import syncing

HOST = ("team-x", "web-x-default-x-my-vc")
MARKS = {labels.MANAGED_BY: "my-vc", labels.NAMESPACE: "default"}


@pytest.fixture
def world() -> syncing.World:
    return syncing.World("sync: {toHost: {podDisruptionBudgets: {enabled: true}}}")


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({"matchLabels": {"app": "web"}}, {"matchLabels": {"app": "web", **MARKS}}),
        ({}, {"matchLabels": MARKS}),
        ({"matchLabels": {labels.MANAGED_BY: "other"}}, None),
    ],
    ids=["labels", "all", "attack: the pods of another tenant"],
)
async def test_it_selects_pods_of_this_tenant_and_namespace_only(
    world: syncing.World, selector: Obj, expected: Obj | None
) -> None:
    world.virtual.put(POD_DISRUPTION_BUDGETS, syncing.obj("web", spec={"minAvailable": 1, "selector": selector}))
    await world.settle()
    spec = world.host.there(POD_DISRUPTION_BUDGETS, *HOST)["spec"]
    assert spec["minAvailable"] == 1
    assert spec["selector"] == expected or (
        expected is None and MARKS.items() <= spec["selector"]["matchLabels"].items()
    )
    assert await world.again() == []


async def test_changes_go_down_and_each_side_counts_for_itself(world: syncing.World) -> None:
    budget = syncing.obj("web", spec={"minAvailable": 1, "selector": {}}, status={"currentHealthy": 3})
    world.virtual.put(POD_DISRUPTION_BUDGETS, budget)
    await world.settle()
    world.virtual.change(
        POD_DISRUPTION_BUDGETS, "default", "web", {"spec": {"minAvailable": None, "maxUnavailable": 2}}
    )
    world.host.change(POD_DISRUPTION_BUDGETS, *HOST, {"status": {"currentHealthy": 2}})
    await world.settle()
    host = world.host.there(POD_DISRUPTION_BUDGETS, *HOST)
    assert (host["spec"].get("minAvailable"), host["spec"]["maxUnavailable"]) == (None, 2)
    assert world.virtual.there(POD_DISRUPTION_BUDGETS, "default", "web")["status"] == {"currentHealthy": 3}
    assert host["status"] == {"currentHealthy": 2}
    assert await world.again() == []
