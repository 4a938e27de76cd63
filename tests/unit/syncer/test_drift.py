"""The drift scan: what differs is found in the caches, counted, repaired by an ordinary reconcile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nestling.kube.resource import CONFIG_MAPS, NODES, PODS, SERVICES, Obj
from nestling.naming import labels
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.syncer import drift
from nestling.syncer.spec import NOTHING, Action, Delete, Pair, SideName, Wanted
from tests.support import syncing

KEY = VirtualKey("default", "web")
HOST_KEY = HostKey("team-x", "web-x-default-x-my-vc")
FORCED = {labels.FORCE_SYNC: "true"}


@pytest.fixture
async def world() -> syncing.World:
    found = syncing.World()
    found.virtual.put(CONFIG_MAPS, syncing.obj("web", annotations=FORCED, data={"a": "b"}))
    found.virtual.put(SERVICES, syncing.service("web", clusterIP="10.96.0.50"))
    await found.settle()
    return found


def behind_its_back(world: syncing.World) -> None:
    """From now on, changes reach the caches and no controller: events that are lost."""
    for informer in world.manager.informers:
        informer.store._handlers.clear()


def gauge(world: syncing.World, kind: str, reason: str) -> float | None:
    return world.registry.get_sample_value("nestling_drift_objects", {"kind": kind, "reason": reason})


def repaired(world: syncing.World, kind: str, reason: str) -> float:
    labelled = {"kind": kind, "reason": reason}
    return world.registry.get_sample_value("nestling_drift_repaired_total", labelled) or 0.0


async def test_a_world_in_agreement_has_no_drift(world: syncing.World) -> None:
    world.virtual.forget_requests()
    world.host.forget_requests()
    report = await world.manager.scanner.scan(full=True)
    assert report.drifted == {}
    assert report.compared == report.looked_at > 0
    assert world.virtual.requests == world.host.requests == []
    assert not any(len(one.queue) for one in world.manager.controllers)


async def test_a_quiet_scan_compares_only_a_part(world: syncing.World) -> None:
    for number in range(50):
        world.virtual.put(CONFIG_MAPS, syncing.obj(f"c{number}", annotations=FORCED, data={}))
    await world.settle()
    reports = [await world.manager.scanner.scan() for _ in range(1 + drift.FULL_EVERY)]
    later = reports[1:]
    assert all(report.compared < report.looked_at for report in later)
    assert sum(report.compared for report in later) == reports[-1].looked_at


async def test_a_lost_host_object_is_repaired(world: syncing.World) -> None:
    behind_its_back(world)
    world.host.drop(SERVICES, "team-x", "web-x-default-x-my-vc")
    report = await world.manager.scanner.scan()
    assert report.drifted == {("services", drift.HOST_MISSING): 1}
    assert gauge(world, "services", drift.HOST_MISSING) == 1
    assert len(world.controller_of("services").queue) == 1
    await world.settle()
    # as if it had been seen: what is deleted on the host goes in the virtual cluster too
    assert world.virtual.get_now(SERVICES, "default", "web") is None
    await world.manager.scanner.recheck()
    assert repaired(world, "services", drift.HOST_MISSING) == 1
    assert (await world.manager.scanner.scan()).drifted == {}
    assert gauge(world, "services", drift.HOST_MISSING) == 0


async def test_an_object_that_nobody_told_us_of_is_synced(world: syncing.World) -> None:
    behind_its_back(world)
    world.virtual.put(CONFIG_MAPS, syncing.obj("late", annotations=FORCED, data={}))
    assert (await world.manager.scanner.scan()).drifted == {("configmaps", drift.HOST_MISSING): 1}
    await world.settle()
    assert world.host.get_now(CONFIG_MAPS, "team-x", "late-x-default-x-my-vc")


async def test_an_orphan_is_removed(world: syncing.World) -> None:
    behind_its_back(world)
    world.virtual.drop(CONFIG_MAPS, *KEY)
    assert (await world.manager.scanner.scan()).drifted == {("configmaps", drift.ORPHAN): 1}
    await world.settle()
    assert world.host.get_now(CONFIG_MAPS, *HOST_KEY) is None


async def test_a_field_that_was_changed_on_the_host_is_seen_at_once(world: syncing.World) -> None:
    await world.manager.scanner.scan(full=True)
    behind_its_back(world)
    world.host.change(SERVICES, *HOST_KEY, {"spec": {"selector": {"app": "evil"}}})
    assert (await world.manager.scanner.scan()).drifted == {("services", drift.FIELDS): 1}
    await world.settle()
    assert world.host.there(SERVICES, *HOST_KEY)["spec"].get("selector") is None


async def test_what_could_not_be_repaired_is_found_again(world: syncing.World) -> None:
    await world.manager.scanner.scan(full=True)
    behind_its_back(world)
    world.host.change(SERVICES, *HOST_KEY, {"spec": {"selector": {"app": "evil"}}})
    for _ in range(3):
        assert (await world.manager.scanner.scan()).drifted == {("services", drift.FIELDS): 1}
        await world.controller_of("services").queue.get()
        world.controller_of("services").queue.done(KEY)
    assert repaired(world, "services", drift.FIELDS) == 0


async def test_a_copy_of_our_object_is_counted_and_left_alone(world: syncing.World) -> None:
    host = world.host.there(CONFIG_MAPS, *HOST_KEY)
    copy = {**host, "metadata": {**host["metadata"], "name": "restored-copy", "uid": "other"}}
    world.host.put(CONFIG_MAPS, copy)
    before = world.host.there(CONFIG_MAPS, "team-x", "restored-copy")
    assert (await world.manager.scanner.scan()).drifted == {("configmaps", drift.FOREIGN): 1}
    await world.settle()
    assert world.host.there(CONFIG_MAPS, "team-x", "restored-copy") == before


async def test_a_name_that_is_taken_is_foreign_and_not_queued_again(world: syncing.World) -> None:
    world.host.put(CONFIG_MAPS, syncing.obj("b-x-default-x-my-vc", "team-x", labels={labels.MANAGED_BY: "my-vc"}))
    world.virtual.put(CONFIG_MAPS, syncing.obj("b", annotations=FORCED, data={}))
    await world.settle()
    before = len(world.controller_of("configmaps").queue)
    assert (await world.manager.scanner.scan()).drifted == {("configmaps", drift.FOREIGN): 1}
    assert len(world.controller_of("configmaps").queue) == before


async def test_running_pods_do_not_drift(world: syncing.World) -> None:
    syncing.host_node(world)
    world.virtual.put(PODS, syncing.pod("p"))
    await world.settle()
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    change: Obj = {"spec": {"nodeName": "node-1"}, "status": status}
    world.host.change(PODS, "team-x", "p-x-default-x-my-vc", change)
    await world.settle()
    assert world.virtual.get_now(NODES, "", "node-1")
    assert (await world.manager.scanner.scan(full=True)).drifted == {}


async def test_a_verb_that_raises_is_counted_and_the_scan_goes_on(
    world: syncing.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise TypeError("bug")

    monkeypatch.setattr(world.controller_of("services"), "decide", broken)
    report = await world.manager.scanner.scan(full=True)
    assert {place for place in report.drifted if place[0] == "services"} == {("services", drift.FAILED)}
    assert report.looked_at == report.compared


async def test_the_loop_gets_its_turn(world: syncing.World) -> None:
    for number in range(300):
        world.virtual.put(CONFIG_MAPS, syncing.obj(f"c{number}", data={"a": "b"}))
    turns = 0
    is_scanning = True

    async def neighbour() -> None:
        nonlocal turns
        while is_scanning:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        group.create_task(neighbour())
        await asyncio.sleep(0)
        world.manager.scanner._pace.begin()
        world.manager.scanner._pace._since -= 1
        before = turns
        await world.manager.scanner._pace.breathe()
        assert turns > before
        is_scanning = False


GOING = {"metadata": {"name": "x", "deletionTimestamp": "2026-01-01T00:00:00Z"}}
THERE: Obj = {"metadata": {"name": "x"}, "spec": {"a": 1}, "status": {"b": 1}}
ACTION = Action(side=SideName.HOST, resource=PODS, namespace="n", name="x", subresource="resize", body={})


@pytest.mark.parametrize(
    ("virtual", "host", "wanted", "reason"),
    [
        (THERE, THERE, NOTHING, None),
        (THERE, THERE, Wanted(virtual=THERE, host=THERE), None),
        (THERE, THERE, Wanted(host={**THERE, "spec": {"a": 2}}), drift.FIELDS),
        (THERE, THERE, Wanted(host={**THERE, "status": {"b": 2}}), None),
        (THERE, THERE, Wanted(virtual={**THERE, "status": {"b": 2}}), drift.FIELDS),
        (THERE, THERE, Wanted(actions=(ACTION,)), drift.FIELDS),
        (THERE, THERE, Wanted(delete_host=Delete()), drift.FIELDS),
        (THERE, GOING, Wanted(delete_host=Delete()), None),
        (THERE, None, Wanted(host=THERE), drift.HOST_MISSING),
        (THERE, None, Wanted(delete_virtual=Delete()), drift.HOST_MISSING),
        (GOING, None, Wanted(delete_virtual=Delete()), None),
        (None, THERE, Wanted(delete_host=Delete()), drift.ORPHAN),
        (None, THERE, Wanted(virtual=THERE), drift.VIRTUAL_MISSING),
    ],
)
def test_classify(world_spec: Any, virtual: Obj | None, host: Obj | None, wanted: Wanted, reason: str | None) -> None:
    pair = Pair(key=KEY, host_key=HOST_KEY, virtual=virtual, host=host)
    assert drift.classify(world_spec, pair, wanted) == reason


@pytest.fixture
def world_spec() -> Any:
    return syncing.World().spec("services")
