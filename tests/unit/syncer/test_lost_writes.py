"""What the fault tests have found: writes that were lost, and objects that went although nobody wanted it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nestling.kube import errors, requests
from nestling.kube.resource import CONFIG_MAPS, NODES, PODS, SECRETS, SERVICES, Obj, Resource
from nestling.naming import labels
from nestling.naming.tenant import VirtualKey
from tests.support import fake_side, syncing

KEY = VirtualKey("default", "web")
HOST = ("team-x", "web-x-default-x-my-vc")
_MAKERS: dict[str, Callable[..., Obj]] = {"Service": syncing.service, "Pod": syncing.pod}
FORCED = {labels.FORCE_SYNC: "true"}


@pytest.fixture
def world() -> syncing.World:
    return syncing.World()


async def test_an_image_that_changed_while_we_were_down_reaches_a_pod_that_must_be_bound_first(
    world: syncing.World,
) -> None:
    world.virtual.put(PODS, syncing.pod())
    await world.settle()
    world.host.change(PODS, *HOST, {"spec": {"nodeName": "node-1"}})
    world.virtual.put(NODES, syncing.obj("node-1", ""))
    world.virtual.change(PODS, *KEY, {"spec": {"containers": [{"name": "app", "image": "nginx:new"}]}})
    world.restart()
    await world.settle()
    assert world.virtual.there(PODS, *KEY)["spec"]["nodeName"] == "node-1"
    assert world.host.there(PODS, *HOST)["spec"]["containers"][0]["image"] == "nginx:new"


async def test_an_object_made_anew_does_not_go_because_the_host_object_of_the_old_one_went(
    world: syncing.World,
) -> None:
    world.virtual.put(CONFIG_MAPS, syncing.obj("web", annotations=FORCED))
    await world.settle()
    world.virtual.is_deaf = world.host.is_deaf = True
    world.virtual.drop(CONFIG_MAPS, *KEY)
    world.virtual.put(CONFIG_MAPS, syncing.obj("web", annotations=FORCED, data={"a": "new"}))
    world.host.drop(CONFIG_MAPS, *HOST)
    world.virtual.is_deaf = world.host.is_deaf = False
    world.manager.context.virtual.stores[CONFIG_MAPS].remove(KEY)
    world.manager.context.host.stores[CONFIG_MAPS].remove(HOST)
    world.virtual.list_all()
    await world.settle()
    assert world.virtual.there(CONFIG_MAPS, *KEY)["data"] == {"a": "new"}
    assert world.host.there(CONFIG_MAPS, *HOST)["data"] == {"a": "new"}


@pytest.mark.parametrize("wanted_again", [False, True])
async def test_an_object_that_is_no_longer_synced_stays_above_though_nobody_heard_that_its_host_object_went(
    world: syncing.World, *, wanted_again: bool
) -> None:
    """Found by `make chaos` with seed 23: the answer to our own deletion was lost, and the next reconcile took it for
    one of somebody on the host."""
    world.virtual.put(SECRETS, syncing.obj("web", annotations=FORCED))
    await world.settle()
    before = world.virtual.there(SECRETS, *KEY)["metadata"]["uid"]

    def lose(request: requests.Request) -> None:
        if request.method == "DELETE" and "/secrets/" in request.path:
            world.host.answers.remove(lose)
            world.host.drop(SECRETS, *HOST)
            if wanted_again:
                world.virtual.change(SECRETS, *KEY, {"metadata": {"annotations": FORCED}})
            raise errors.ConnectionFailed("https://host.test", "reset")

    world.host.answers.append(lose)
    world.virtual.change(SECRETS, *KEY, {"metadata": {"annotations": dict.fromkeys(FORCED)}})
    await world.settle()
    assert world.host.answers == []
    assert world.virtual.there(SECRETS, *KEY)["metadata"]["uid"] == before
    assert (HOST[1] in world.host.names(SECRETS)) is wanted_again


@pytest.mark.parametrize("resource", [CONFIG_MAPS, SECRETS, SERVICES, PODS], ids=lambda found: str(found.plural))
@pytest.mark.parametrize("restarted", [False, True])
async def test_a_host_object_that_lost_our_label_gets_it_back(
    world: syncing.World, resource: Resource, restarted: bool
) -> None:
    make: Callable[..., Obj] = _MAKERS.get(resource.kind, syncing.obj)
    world.virtual.put(resource, make("web", annotations=FORCED))
    await world.settle()
    created = world.virtual.there(resource, *KEY)
    before = world.host.there(resource, *HOST)["metadata"]["uid"]
    world.host.change(resource, *HOST, {"metadata": {"labels": {labels.MANAGED_BY: None}}})
    if restarted:
        world.restart()
    await world.settle()
    assert world.virtual.there(resource, *KEY)["metadata"]["uid"] == created["metadata"]["uid"]
    after = world.host.there(resource, *HOST)["metadata"]
    assert after["uid"] == before
    assert after["labels"][labels.MANAGED_BY] == "my-vc"


async def test_a_host_object_that_somebody_else_claims_is_not_taken_back(world: syncing.World) -> None:
    world.virtual.put(CONFIG_MAPS, syncing.obj("web", annotations=FORCED))
    await world.settle()
    world.host.change(CONFIG_MAPS, *HOST, {"metadata": {"labels": {labels.MANAGED_BY: "other"}}})
    await world.settle()
    assert world.host.there(CONFIG_MAPS, *HOST)["metadata"]["labels"][labels.MANAGED_BY] == "other"


async def test_keys_of_one_map_that_both_sides_changed_are_all_kept(world: syncing.World) -> None:
    world.virtual.put(CONFIG_MAPS, syncing.obj("web", annotations=FORCED, data={"a": "1", "b": "1", "c": "1"}))
    await world.settle()
    world.virtual.change(CONFIG_MAPS, *KEY, {"data": {"a": "tenant", "c": None}})
    world.host.change(CONFIG_MAPS, *HOST, {"data": {"b": "host", "h": "host"}})
    await world.settle()
    expected = {"a": "tenant", "b": "host", "h": "host"}
    assert world.virtual.there(CONFIG_MAPS, *KEY)["data"] == expected
    assert world.host.there(CONFIG_MAPS, *HOST)["data"] == expected


async def test_ports_and_addresses_that_the_host_chose_instead_survive_a_restart_before_they_were_carried_up(
    world: syncing.World,
) -> None:
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 30721}]
    world.virtual.put(SERVICES, syncing.service("web", type="NodePort", clusterIP="10.96.0.50", ports=ports))
    world.host.take_ip("10.96.0.50")

    def taken(request: requests.Request) -> errors.ApiError | None:
        is_write = request.method != "GET" and b"30721" in (request.body or b"")
        return fake_side.error(422, "Invalid", "provided port is already allocated") if is_write else None

    world.host.answers.append(taken)
    controller = world.controller_of("services")
    await controller.reconcile(KEY)  # the host object is there, with an address and a port of the host's choice
    chosen = world.host.there(SERVICES, *HOST)["spec"]["ports"][0].get("nodePort")
    assert chosen not in (None, 30721)
    world.restart()
    await world.settle()
    host, virtual = world.host.there(SERVICES, *HOST)["spec"], world.virtual.there(SERVICES, *KEY)["spec"]
    assert virtual["clusterIP"] == host["clusterIP"]
    assert virtual["ports"] == host["ports"]
