from __future__ import annotations

import collections

import pytest

from bench import hot
from nestling.kube import requests
from nestling.kube.resource import CONFIG_MAPS, NODES, PODS, Obj
from nestling.naming.tenant import VirtualKey
from nestling.syncer import echoes
from nestling.syncer.spec import SideName
from tests.support import syncing

_KEY = VirtualKey("default", "settings")
_HOST = ("team-x", "settings-x-default-x-my-vc")


@pytest.fixture
async def world() -> syncing.World:
    found = syncing.World("{sync: {toHost: {configMaps: {all: true}}}}")
    found.virtual.put(CONFIG_MAPS, syncing.obj("settings", data={"a": "1"}))
    await found.settle()
    found.results.clear()
    return found


def _reconciles(world: syncing.World, kind: str) -> int:
    return sum(1 for name, _ in world.results if name == kind)


def test_only_what_was_wanted_is_an_echo() -> None:
    seen = echoes.Echoes()
    seen.saw(_KEY, SideName.HOST, "7")
    seen.saw(_KEY, SideName.VIRTUAL, "7")
    seen.as_wanted(_KEY, SideName.HOST, "7")
    assert seen.news(_KEY) == {SideName.VIRTUAL}
    assert seen.news(_KEY) == set()
    seen.saw(_KEY, SideName.HOST, "7")
    assert seen.news(_KEY) == {SideName.HOST}


@pytest.mark.parametrize("is_deaf", [False, True])
async def test_a_write_that_did_what_was_wanted_is_not_looked_at_again(world: syncing.World, *, is_deaf: bool) -> None:
    """Whether the event of the watch comes before the answer, as in this world, or after it."""
    world.virtual.change(CONFIG_MAPS, "default", "settings", {"data": {"a": "2"}})
    world.host.is_deaf = is_deaf
    await world.settle()
    assert world.host.there(CONFIG_MAPS, *_HOST)["data"] == {"a": "2"}
    assert _reconciles(world, "configmaps") == 1


async def test_what_the_server_made_of_it_is_looked_at(world: syncing.World) -> None:
    """A webhook of the host adds a label to what we write: the tenant sees it."""

    def webhook(request: requests.Request) -> Obj | None:
        if request.method == "PATCH" and request.path.endswith(_HOST[1]):
            world.host.answers.clear()
            return world.host.change(CONFIG_MAPS, *_HOST, {"data": {"a": "2"}, "metadata": {"labels": {"by": "hook"}}})
        return None

    world.host.answers.append(webhook)
    world.virtual.change(CONFIG_MAPS, "default", "settings", {"data": {"a": "2"}})
    await world.settle()
    assert _reconciles(world, "configmaps") > 1
    assert world.virtual.there(CONFIG_MAPS, "default", "settings")["metadata"]["labels"] == {"by": "hook"}


async def test_what_somebody_else_does_during_a_write_is_not_lost(world: syncing.World) -> None:
    def meanwhile(request: requests.Request) -> None:
        if request.method == "PATCH":
            world.host.answers.clear()
            world.virtual.change(CONFIG_MAPS, "default", "settings", {"data": {"a": "3"}})

    world.host.answers.append(meanwhile)
    world.virtual.change(CONFIG_MAPS, "default", "settings", {"data": {"a": "2"}})
    await world.settle()
    assert world.host.there(CONFIG_MAPS, *_HOST)["data"] == {"a": "3"}


async def test_the_life_of_a_pod_takes_so_many_requests_and_reconciles() -> None:
    """A burst is as slow as what each pod asks of two API servers. Whoever adds a request says why here."""
    world = syncing.World()
    syncing.host_node(world, "node-1")
    world.virtual.put(NODES, syncing.obj("node-1", ""))
    await world.settle()
    for side in (world.virtual, world.host):
        side.forget_requests()
    world.results.clear()
    await hot.live(world, ["web"])
    asked = [(side.name, hot.title(request)) for side in (world.virtual, world.host) for request in side.requests]
    assert collections.Counter(asked) == {
        ("host", "POST pods"): 1,
        ("host", "POST secrets"): 1,
        ("virtual", "POST serviceaccounts token"): 1,
        ("virtual", "POST pods binding"): 1,
        # what runs, and what has ended
        ("virtual", "PATCH pods status"): 2,
        ("host", "DELETE pods"): 1,
        ("host", "DELETE secrets"): 1,
        ("virtual", "DELETE pods"): 1,
    }
    assert _reconciles(world, "pods") <= 8
    assert _reconciles(world, "podtokens") <= 3
    assert world.virtual.get_now(PODS, "default", "web") is None
