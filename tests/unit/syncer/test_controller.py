"""The loop of one kind: errors, back-off, what the tenant is told, what is left alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nestling.kube import errors, requests
from nestling.kube.resource import CONFIG_MAPS, PODS, SECRETS, Obj
from nestling.naming import labels
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.syncer import apply, loop_detector
from nestling.syncer.spec import SideName
from tests.support import fake_side, syncing

KEY = VirtualKey("default", "web")
HOST_KEY = HostKey("team-x", "web-x-default-x-my-vc")
FORCED = {labels.FORCE_SYNC: "true"}


@pytest.fixture
def world() -> syncing.World:
    return syncing.World()


def put(world: syncing.World, **body: Any) -> Obj:
    return world.virtual.put(CONFIG_MAPS, syncing.obj("web", annotations=FORCED, data={"a": "b"}, **body))


def refuse_writes(world: syncing.World, error: errors.ApiError) -> None:
    def answer(request: requests.Request) -> errors.ApiError | None:
        is_ours = request.path.rpartition("/")[2] in ("configmaps", "secrets")
        return error if request.method == "POST" and is_ours else None

    world.host.answers.append(answer)


async def test_an_object_is_created_on_the_host_and_remembered(world: syncing.World) -> None:
    put(world)
    await world.settle()
    assert world.host.there(CONFIG_MAPS, *HOST_KEY)["data"] == {"a": "b"}
    assert world.controller_of("configmaps").pair(KEY).agreed is not None
    assert ("configmaps", "success") in world.results


async def test_a_second_reconcile_writes_nothing(world: syncing.World) -> None:
    put(world)
    await world.settle()
    assert await world.again() == []


async def test_a_flood_of_new_objects_does_not_hold_up_those_under_way(world: syncing.World) -> None:
    put(world)
    await world.settle()
    one = world.controller_of("configmaps")
    new = [VirtualKey("default", f"new-{number}") for number in range(9)]
    for key in new:
        one.enqueue(key, seen=SideName.VIRTUAL)
    of_host = VirtualKey("default", "of-host")
    one.enqueue(of_host, seen=SideName.HOST)
    one.enqueue(KEY, seen=SideName.VIRTUAL)
    order = [await one.queue.get() for _ in range(11)]
    assert {of_host, KEY} < set(order[:3])
    assert [key for key in order if key in new] == new


async def test_an_error_backs_off_and_the_tenant_is_told_in_its_own_names(world: syncing.World) -> None:
    put(world)
    refuse_writes(world, fake_side.error(403, "Forbidden", f'"{HOST_KEY.name}" and {HOST_KEY}: over quota'))
    await world.settle()
    queue = world.controller_of("configmaps").queue
    assert queue.failures(KEY) >= 1
    (event,) = world.events()
    assert event["reason"] == "SyncError"
    assert event["action"] == "SyncConfigMap"
    assert event["message"] == 'Error syncing: "web" and default/web: over quota'
    assert ("configmaps", "error") in world.results


async def test_what_to_do_does_not_fall_off_the_end_of_a_long_refusal(world: syncing.World) -> None:
    put(world)
    refuse_writes(world, fake_side.error(403, "Forbidden", f"exceeded quota: {'x' * 5000}"))
    await world.settle()
    (event,) = world.events()
    assert event["message"].startswith("Error syncing: exceeded quota: xxx")
    assert event["message"].endswith("It is tried again by itself.")
    assert len(event["message"]) <= 1024


async def test_success_ends_the_back_off(world: syncing.World) -> None:
    put(world)
    refuse_writes(world, fake_side.error(500, "InternalError", "later"))
    await world.settle()
    world.host.answers.clear()
    world.controller_of("configmaps").enqueue(KEY)
    await world.settle()
    assert world.controller_of("configmaps").queue.failures(KEY) == 0
    assert world.host.get_now(CONFIG_MAPS, *HOST_KEY)


@pytest.mark.parametrize("status", [404, 409])
async def test_a_cache_that_was_behind_is_no_news_for_the_tenant(world: syncing.World, status: int) -> None:
    put(world)
    refuse_writes(world, fake_side.error(status, {404: "NotFound", 409: "Conflict"}[status], "changed"))
    await world.settle()
    assert world.events() == []
    assert world.controller_of("configmaps").queue.failures(KEY) >= 1
    assert ("configmaps", "requeue") in world.results


async def test_a_lost_connection_is_no_news_for_the_tenant(world: syncing.World) -> None:
    put(world)

    def broken(request: object) -> None:
        if getattr(request, "method", "") == "POST":
            raise errors.ConnectionFailed("https://host.test", "reset")

    world.host.answers.append(broken)
    await world.settle()
    assert world.events() == []
    assert world.controller_of("configmaps").queue.failures(KEY) >= 1


async def test_a_programming_error_is_counted_and_the_next_key_is_worked_on(world: syncing.World) -> None:
    put(world)
    world.virtual.put(CONFIG_MAPS, syncing.obj("other", annotations=FORCED, data={}))

    def buggy(request: object) -> None:
        if "web-x-" in (getattr(request, "body", b"") or b"").decode():
            raise TypeError("bug")

    world.host.answers.append(buggy)
    await world.settle()
    assert ("configmaps", "failed") in world.results
    assert world.host.get_now(CONFIG_MAPS, "team-x", "other-x-default-x-my-vc")


async def test_an_event_about_a_secret_quotes_little_of_the_error(world: syncing.World) -> None:
    world.virtual.put(SECRETS, syncing.obj("web", annotations=FORCED, data={"password": "aHVudGVyMg=="}))
    refuse_writes(world, fake_side.error(422, "Invalid", "x" * 300 + "aHVudGVyMg=="))
    await world.settle()
    (event,) = world.events()
    assert event["reason"] == "SyncError"
    assert "aHVudGVyMg" not in event["message"]


@pytest.mark.parametrize("where", ["labels", "annotations"])
@pytest.mark.parametrize("side", ["virtual", "host"])
async def test_objects_of_other_controllers_are_left_alone(world: syncing.World, where: str, side: str) -> None:
    put(world)
    await world.settle()
    mark = {"metadata": {where: {labels.CONTROLLED_BY: "a-plugin"}}, "data": {"a": "changed"}}
    if side == "virtual":
        world.virtual.change(CONFIG_MAPS, *KEY, mark)
    else:
        world.host.change(CONFIG_MAPS, *HOST_KEY, mark)
    assert await world.again() == []


async def test_an_object_that_was_made_anew_gets_a_new_host_object(world: syncing.World) -> None:
    put(world)
    await world.settle()
    old = world.host.there(CONFIG_MAPS, *HOST_KEY)["metadata"]["uid"]
    world.virtual.drop(CONFIG_MAPS, *KEY)
    put(world)
    await world.settle()
    host = world.host.there(CONFIG_MAPS, *HOST_KEY)["metadata"]
    assert host["uid"] != old
    assert host["annotations"][labels.OBJECT_UID] == world.virtual.there(CONFIG_MAPS, *KEY)["metadata"]["uid"]


async def test_an_object_that_was_made_anew_while_we_were_down_gets_a_new_host_object(world: syncing.World) -> None:
    put(world)
    await world.settle()
    old = world.host.there(CONFIG_MAPS, *HOST_KEY)["metadata"]["uid"]
    world.virtual.is_deaf = True
    world.virtual.drop(CONFIG_MAPS, *KEY)
    put(world)
    world.virtual.is_deaf = False
    world.restart()
    await world.settle()
    assert world.host.there(CONFIG_MAPS, *HOST_KEY)["metadata"]["uid"] != old
    assert world.virtual.get_now(CONFIG_MAPS, *KEY)


async def test_after_a_restart_what_agrees_is_not_written(world: syncing.World) -> None:
    put(world)
    await world.settle()
    world.restart()
    await world.settle()
    assert await world.again() == []


async def test_a_foreign_host_object_is_refused_with_an_event_and_stays(world: syncing.World) -> None:
    foreign = world.host.put(
        CONFIG_MAPS, syncing.obj(HOST_KEY.name, HOST_KEY.namespace, labels={labels.MANAGED_BY: "my-vc"}, data={})
    )
    put(world)
    await world.settle()
    assert world.host.there(CONFIG_MAPS, *HOST_KEY) == foreign
    assert "does not belong to default/web" in world.events()[0]["message"]
    with pytest.raises(apply.Refused):
        world.controller_of("configmaps").pair(KEY)


async def test_two_keys_with_one_host_name_the_second_is_refused(world: syncing.World) -> None:
    for namespace, name in (("c", "a-x-b"), ("b-x-c", "a")):
        world.virtual.put(CONFIG_MAPS, syncing.obj(name, namespace, annotations=FORCED, data={"of": name}))
        await world.settle()
    host = world.host.there(CONFIG_MAPS, "team-x", "a-x-b-x-c-x-my-vc")
    assert host["data"] == {"of": "a-x-b"}
    (event,) = world.events()
    assert event["involvedObject"]["namespace"] == "b-x-c"
    assert "rename this object" in event["message"]


async def test_the_refused_one_does_not_take_the_first_one_with_it(world: syncing.World) -> None:
    for namespace, name in (("c", "a-x-b"), ("b-x-c", "a")):
        world.virtual.put(CONFIG_MAPS, syncing.obj(name, namespace, annotations=FORCED, data={"of": name}))
        await world.settle()
    world.virtual.drop(CONFIG_MAPS, "b-x-c", "a")
    await world.settle()
    assert world.host.get_now(CONFIG_MAPS, "team-x", "a-x-b-x-c-x-my-vc")
    assert world.virtual.get_now(CONFIG_MAPS, "c", "a-x-b")


async def test_first_lists_wait_behind_live_events(world: syncing.World) -> None:
    one = world.controller_of("configmaps")
    one.enqueue(VirtualKey("default", "old"), initial=True)
    one.enqueue(VirtualKey("default", "live"))
    assert await one.queue.get() == ("default", "live")


async def test_requeue_after_zero_is_at_once(world: syncing.World) -> None:
    world.host.put(PODS, syncing.pod("p", "team-x", labels={labels.MANAGED_BY: "my-vc"}, nodeName="n1"))
    await world.settle()
    assert world.controller_of("nodes").queue.failures(VirtualKey("", "n1")) == 0


async def test_workers_run_until_they_are_cancelled_and_count(world: syncing.World) -> None:
    put(world)
    created = asyncio.Event()

    def saw(_request: requests.Request) -> None:
        created.set()

    world.host.answers.append(saw)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(world.controller_of("configmaps").run())
        await created.wait()
        while count(world, "success") < 1:  # noqa: ASYNC110 - a metric has no event to wait for
            await asyncio.sleep(0)
        running.cancel()
    assert running.cancelled()


def count(world: syncing.World, result: str) -> float:
    labelled = {"controller": "configmaps", "result": result}
    return world.registry.get_sample_value("controller_runtime_reconcile_total", labelled) or 0.0


async def test_objects_that_come_and_go_under_one_name_are_no_fight(world: syncing.World) -> None:
    for _ in range(loop_detector.LIMIT):
        put(world)
        await world.settle()
        world.virtual.drop(CONFIG_MAPS, "default", "web")
        await world.settle()
    assert ("configmaps", "throttled") not in world.results
