"""The only writes of the syncer: preconditions, order, and what happens when a server refuses."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.kube import errors, requests
from nestling.kube.resource import CONFIG_MAPS, PODS, SERVICES, Obj, Resource
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.syncer import apply, fields
from nestling.syncer.spec import Action, Delete, Pair, SideName, SyncSpec, Waiting, Wanted, Warn
from tests.support import fake_side, syncing

KEY = VirtualKey("default", "web")
HOST_KEY = HostKey("team-x", "web-x-default-x-my-vc")


@pytest.fixture
def world() -> syncing.World:
    return syncing.World()


def put_both(world: syncing.World, resource: Resource = CONFIG_MAPS, **body: Any) -> Pair:
    virtual = world.virtual.put(resource, syncing.obj("web", **(body or {"data": {"a": "b"}})))
    host = world.host.put(resource, syncing.obj(HOST_KEY.name, HOST_KEY.namespace, **(body or {"data": {"a": "b"}})))
    world.virtual.forget_requests()
    world.host.forget_requests()
    return Pair(key=KEY, host_key=HOST_KEY, virtual=virtual, host=host)


async def run(world: syncing.World, pair: Pair, wanted: Wanted, kind: str = "configmaps") -> None:
    await apply.apply(world.manager.context, world.spec(kind), pair, wanted)


def only(writes: list[requests.Request]) -> requests.Request:
    assert len(writes) == 1, [(one.method, one.path) for one in writes]
    return writes[0]


async def test_nothing_that_differs_is_nothing_to_write(world: syncing.World) -> None:
    pair = put_both(world)
    await run(world, pair, Wanted(virtual=pair.virtual, host=pair.host))
    assert (world.virtual.requests, world.host.requests) == ([], [])


@pytest.mark.parametrize("wanted", [Wanted(delete_virtual=Delete()), Wanted(host={"metadata": {"name": "new"}})])
async def test_nothing_is_written_once_the_release_is_being_removed(world: syncing.World, wanted: Wanted) -> None:
    pair = put_both(world)
    world.host.drop(SERVICES, "team-x", "my-vc")
    with pytest.raises(Waiting, match="no Service my-vc in namespace team-x"):
        await run(world, pair, wanted)
    assert (world.virtual.writes, world.host.writes) == ([], [])


async def test_an_update_is_the_difference_with_the_version_it_was_decided_on(world: syncing.World) -> None:
    pair = put_both(world)
    assert pair.host is not None
    await run(world, pair, Wanted(host={**pair.host, "data": {"a": "new"}}))
    request = only(world.host.writes)
    assert request.method == "PATCH"
    assert request.headers["Content-Type"] == requests.PatchType.MERGE.value
    assert fake_side.body_of(request) == {
        "data": {"a": "new"},
        "metadata": {"resourceVersion": pair.host["metadata"]["resourceVersion"]},
    }


async def test_an_update_of_something_newer_is_a_conflict(world: syncing.World) -> None:
    pair = put_both(world)
    assert pair.host is not None
    world.host.change(CONFIG_MAPS, *HOST_KEY, {"data": {"b": "theirs"}})
    with pytest.raises(errors.Conflict):
        await run(world, pair, Wanted(host={**pair.host, "data": {"a": "new"}}))
    assert world.host.there(CONFIG_MAPS, *HOST_KEY)["data"] == {"a": "b", "b": "theirs"}


async def test_the_status_goes_to_its_subresource_with_the_newest_version(world: syncing.World) -> None:
    pair = put_both(world, PODS, spec={"containers": []}, status={"phase": "Pending"})
    assert pair.virtual is not None
    labelled = {**pair.virtual, "metadata": {**pair.virtual["metadata"], "labels": {"a": "b"}}}
    await run(world, pair, Wanted(virtual={**labelled, "status": {"phase": "Running"}}), "pods")
    first, second = world.virtual.writes
    assert "status" not in fake_side.body_of(first)
    assert second.path.endswith("/pods/web/status")
    assert fake_side.body_of(second)["status"] == {"phase": "Running"}
    assert (
        fake_side.body_of(second)["metadata"]["resourceVersion"]
        > fake_side.body_of(first)["metadata"]["resourceVersion"]
    )


async def test_what_was_written_is_in_the_cache_at_once(world: syncing.World) -> None:
    pair = put_both(world)
    assert pair.host is not None
    world.host.is_deaf = True
    await run(world, pair, Wanted(host={**pair.host, "data": {"a": "new"}}))
    assert world.manager.context.host.stores[CONFIG_MAPS].get(HOST_KEY) == world.host.there(CONFIG_MAPS, *HOST_KEY)


async def test_a_delete_carries_the_uid_and_the_grace_period(world: syncing.World) -> None:
    pair = put_both(world, PODS, spec={"nodeName": "n1", "containers": []})
    assert pair.host is not None
    await run(world, pair, Wanted(delete_host=Delete(grace_period_seconds=7)), "pods")
    options = fake_side.body_of(only(world.host.writes))
    assert options["preconditions"] == {"uid": pair.host["metadata"]["uid"]}
    assert options["gracePeriodSeconds"] == 7


async def test_a_delete_of_another_object_of_that_name_is_a_conflict(world: syncing.World) -> None:
    pair = put_both(world)
    world.host.drop(CONFIG_MAPS, *HOST_KEY)
    world.host.put(CONFIG_MAPS, syncing.obj(HOST_KEY.name, HOST_KEY.namespace))
    with pytest.raises(errors.Conflict):
        await run(world, pair, Wanted(delete_host=Delete()))
    assert world.host.get_now(CONFIG_MAPS, *HOST_KEY)


async def test_what_is_going_already_is_not_deleted_again(world: syncing.World) -> None:
    pair = put_both(world)
    assert pair.host is not None
    pair.host["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    await run(world, pair, Wanted(delete_host=Delete()))
    assert world.host.writes == []


async def test_what_is_gone_already_leaves_the_cache(world: syncing.World) -> None:
    pair = put_both(world)
    world.host.is_deaf = True
    world.host.drop(CONFIG_MAPS, *HOST_KEY)
    await run(world, pair, Wanted(delete_host=Delete()))
    assert world.manager.context.host.stores[CONFIG_MAPS].get(HOST_KEY) is None


async def test_the_host_is_written_first(world: syncing.World) -> None:
    pair = put_both(world)
    assert pair.host is not None
    assert pair.virtual is not None
    world.host.answers.append(lambda one: fake_side.error(403, "Forbidden", "quota") if one.method == "PATCH" else None)
    with pytest.raises(errors.Forbidden):
        await run(world, pair, Wanted(virtual={**pair.virtual, "data": {}}, host={**pair.host, "data": {}}))
    assert world.virtual.writes == []


async def test_a_created_object_says_what_it_is_and_gets_its_status(world: syncing.World) -> None:
    pair = Pair(key=VirtualKey("", "pv-1"), host_key=HostKey("", "pv-1"), virtual=None, host=None)
    volume = {"metadata": {"name": "pv-1"}, "spec": {}, "status": {"phase": "Bound"}}
    await run(world, pair, Wanted(virtual=volume), "persistentvolumes")
    create, status = world.virtual.writes
    assert fake_side.body_of(create) == {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "pv-1"},
        "spec": {},
    }
    assert (status.path.rpartition("/")[2], fake_side.body_of(status)["status"]) == ("status", {"phase": "Bound"})


def new(pair: Pair) -> Pair:
    return Pair(key=pair.key, host_key=pair.host_key, virtual=pair.virtual, host=None)


def service_pair(world: syncing.World) -> tuple[Pair, Obj]:
    virtual = world.virtual.put(SERVICES, syncing.service("web", clusterIP="10.96.0.66"))
    wanted = syncing.service(HOST_KEY.name, HOST_KEY.namespace, clusterIP="10.96.0.66")
    return Pair(key=KEY, host_key=HOST_KEY, virtual=virtual, host=None), wanted


async def test_an_invalid_object_is_tried_again_in_the_kinds_second_form(world: syncing.World) -> None:
    pair, wanted = service_pair(world)
    world.host.take_ip("10.96.0.66")
    await run(world, pair, Wanted(host=wanted), "services")
    created = world.host.there(SERVICES, *HOST_KEY)
    assert created["spec"]["clusterIP"] not in ("", "10.96.0.66")


async def test_an_invalid_object_without_second_form_is_an_error(world: syncing.World) -> None:
    pair = new(put_both(world))
    world.host.answers.append(lambda _one: fake_side.error(422, "Invalid", "no"))
    with pytest.raises(errors.Invalid):
        await run(world, pair, Wanted(host=syncing.obj(HOST_KEY.name, HOST_KEY.namespace)))
    only(world.host.writes)


async def test_an_own_object_that_the_cache_missed_is_adopted(world: syncing.World) -> None:
    world.virtual.put(CONFIG_MAPS, syncing.obj("web", data={}, annotations={"vcluster.loft.sh/force-sync": "true"}))
    await world.settle()
    world.host.is_deaf = True
    store = world.manager.context.host.stores[CONFIG_MAPS]
    store.remove(HOST_KEY)
    live = world.host.change(CONFIG_MAPS, *HOST_KEY, {"data": {"x": "y"}})
    pair = Pair(key=KEY, host_key=HOST_KEY, virtual=world.virtual.there(CONFIG_MAPS, *KEY), host=None)
    with pytest.raises(errors.AlreadyExists):
        await run(world, pair, Wanted(host={**live, "metadata": {**live["metadata"]}}))
    assert store.get(HOST_KEY) == live


async def test_a_foreign_object_is_refused_and_stays(world: syncing.World) -> None:
    pair = new(put_both(world))
    before = world.host.there(CONFIG_MAPS, *HOST_KEY)
    with pytest.raises(apply.Refused, match="rename this object or remove the one on the host"):
        await run(world, pair, Wanted(host=syncing.obj(HOST_KEY.name, HOST_KEY.namespace)))
    assert world.host.there(CONFIG_MAPS, *HOST_KEY) == before


async def test_actions_go_to_subresources_of_their_side(world: syncing.World) -> None:
    pair = put_both(world, PODS, spec={"containers": [{"name": "app", "image": "x"}]})
    binding = Action(
        side=SideName.VIRTUAL,
        resource=PODS,
        namespace="default",
        name="web",
        subresource="binding",
        body={"target": {"name": "n1"}},
    )
    resize = Action(
        side=SideName.HOST,
        resource=PODS,
        namespace=HOST_KEY.namespace,
        name=HOST_KEY.name,
        subresource="resize",
        body={"spec": {"containers": [{"name": "app", "resources": {"limits": {"cpu": "1"}}}]}},
        method="PATCH",
    )
    await run(world, pair, Wanted(actions=(binding, resize)), "pods")
    assert world.virtual.there(PODS, *KEY)["spec"]["nodeName"] == "n1"
    assert only(world.host.writes).headers["Content-Type"] == requests.PatchType.STRATEGIC.value
    containers = world.host.there(PODS, *HOST_KEY)["spec"]["containers"]
    assert containers == [{"name": "app", "image": "x", "resources": {"limits": {"cpu": "1"}}}]


async def test_warnings_become_events(world: syncing.World) -> None:
    pair = put_both(world)
    await run(world, pair, Wanted(warnings=(Warn(message="class not offered"),)))
    event = world.events()[0]
    assert (event["reason"], event["action"], event["message"]) == (
        "SyncWarning",
        "SyncConfigMap",
        "class not offered",
    )


async def test_a_kind_without_host_resource_never_writes_there(world: syncing.World) -> None:
    spec: SyncSpec = world.spec("persistentvolumes")
    pair = Pair(key=VirtualKey("", "pv-1"), host_key=HostKey("", "pv-1"), virtual=None, host=None)
    await apply.apply(world.manager.context, spec, pair, Wanted(host=fields.clone({"metadata": {"name": "x"}})))
    assert world.host.writes == []
