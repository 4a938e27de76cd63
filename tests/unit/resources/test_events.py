"""Host events in the tenant's names (spec §2.1)."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.kube import merge
from nestling.kube.resource import EVENTS, NAMESPACES, PODS, Obj
from nestling.naming import labels
from tests.support import syncing

HOST_POD = "web-x-default-x-my-vc"


@pytest.fixture
async def world() -> syncing.World:
    world = syncing.World()
    world.virtual.put(PODS, syncing.pod())
    await world.settle()
    return world


def host_event(name: str = f"{HOST_POD}.17ab", about: str = HOST_POD, kind: str = "Pod", **fields: Any) -> Obj:
    involved = {"kind": kind, "apiVersion": "v1", "name": about, "namespace": "team-x", "uid": "host-uid"}
    body = {"involvedObject": involved, "reason": "Pulled", "message": "done", "type": "Normal", "count": 1, **fields}
    return syncing.obj(name, "team-x", **body)


async def shown(world: syncing.World, event: Obj) -> list[Obj]:
    world.host.put(EVENTS, event)
    await world.settle()
    return world.events()


async def test_an_event_about_a_pod_is_shown_under_its_virtual_name(world: syncing.World) -> None:
    (event,) = await shown(world, host_event(source={"component": "kubelet"}))
    assert (event["metadata"]["name"], event["metadata"]["namespace"]) == ("web.17ab", "default")
    pod = world.virtual.there(PODS, "default", "web")
    about = event["involvedObject"]
    assert (about["name"], about["namespace"], about["uid"]) == ("web", "default", pod["metadata"]["uid"])
    assert (event["reason"], event["source"]) == ("Pulled", {"component": "kubelet"})


async def test_host_names_in_messages_are_replaced(world: syncing.World) -> None:
    message = f"Successfully assigned team-x/{HOST_POD} to node-1, {HOST_POD} starts"
    (event,) = await shown(world, host_event(message=message))
    assert event["message"] == "Successfully assigned default/web to node-1, web starts"


async def test_a_repeated_event_raises_the_count(world: syncing.World) -> None:
    await shown(world, host_event())
    world.host.change(EVENTS, "team-x", f"{HOST_POD}.17ab", {"count": 5})
    await world.settle()
    (event,) = world.events()
    assert event["count"] == 5
    assert await world.again() == []


async def test_events_about_others_are_not_shown(world: syncing.World) -> None:
    other = {labels.MANAGED_BY: "other", labels.NAMESPACE: "default"}
    world.host.put(PODS, syncing.pod("theirs", "team-x", labels=other))
    assert await shown(world, host_event("theirs.1", "theirs")) == []
    assert await shown(world, host_event("my-vc-0.1", "my-vc-0")) == []
    assert await shown(world, host_event("x.1", HOST_POD, "StatefulSet")) == []


async def test_an_event_for_a_namespace_that_is_going_is_not_shown(world: syncing.World) -> None:
    world.virtual.change(NAMESPACES, "", "default", {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
    assert await shown(world, host_event()) == []


async def test_a_deleted_virtual_event_does_not_bring_trouble(world: syncing.World) -> None:
    await shown(world, host_event())
    world.host.drop(EVENTS, "team-x", f"{HOST_POD}.17ab")
    await world.settle()
    assert len(world.events()) == 1


async def test_an_event_that_outlives_its_pod_stays_as_it_is(world: syncing.World) -> None:
    (before,) = await shown(world, host_event())
    world.virtual.drop(PODS, "default", "web")
    await world.settle()
    assert world.host.names(PODS) == []
    world.host.change(EVENTS, "team-x", f"{HOST_POD}.17ab", {"count": 5})
    world.virtual.change(EVENTS, "default", "web.17ab", {"note": "touched"})
    await world.settle()
    assert await world.again() == []
    assert [event["message"] for event in world.events()] == [before["message"]], "no warning about it"


async def test_events_of_the_virtual_cluster_stay_there(world: syncing.World) -> None:
    world.virtual.put(EVENTS, syncing.obj("mine.1", involvedObject={"kind": "Pod", "name": "web"}))
    await world.settle()
    assert world.host.names(EVENTS) == []


async def test_an_event_whose_name_does_not_begin_with_the_objects_is_not_shown(world: syncing.World) -> None:
    """Recorders always name events after their object; the key could not be found again from another name."""
    assert await shown(world, host_event("something-else")) == []


async def test_1_2_an_event_that_the_host_forces_is_shown_in_default_about_nothing(world: syncing.World) -> None:
    marked = {"metadata": {"annotations": {labels.FORCE_SYNC: "true"}}}
    event = host_event("maintenance.1", about="node-1", kind="Node", message="tonight at nine")
    (found,) = await shown(world, merge.apply(event, marked))
    assert (found["metadata"]["name"], found["metadata"]["namespace"]) == ("maintenance.1", "default")
    assert (found["involvedObject"], found["message"]) == ({}, "tonight at nine")
    assert "annotations" not in found["metadata"]
    world.host.change(EVENTS, "team-x", "maintenance.1", {"count": 2})
    await world.settle()
    assert world.virtual.there(EVENTS, "default", "maintenance.1")["count"] == 2
    assert await world.again() == []


async def test_1_2_a_tenant_cannot_force_an_event(world: syncing.World) -> None:
    mine = syncing.obj("mine.1", annotations={labels.FORCE_SYNC: "true"}, involvedObject={}, message="x")
    world.virtual.put(EVENTS, mine)
    await world.settle()
    assert world.host.names(EVENTS) == []
