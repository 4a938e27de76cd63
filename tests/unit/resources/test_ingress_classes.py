"""IngressClasses, RuntimeClasses and PriorityClasses of the host: one mechanism (spec §2.1, fromHost)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import INGRESS_CLASSES, PRIORITY_CLASSES, RUNTIME_CLASSES, Obj, Resource
from tests.support import syncing

KINDS = [
    pytest.param("ingressClasses", INGRESS_CLASSES, {"spec": {"controller": "c"}}, id="ingressclasses"),
    pytest.param("runtimeClasses", RUNTIME_CLASSES, {"handler": "runc"}, id="runtimeclasses"),
    pytest.param("priorityClasses", PRIORITY_CLASSES, {"value": 10, "globalDefault": False}, id="priorityclasses"),
]


def world_with(kind: str, selector: str = "") -> syncing.World:
    return syncing.World(f"sync: {{fromHost: {{{kind}: {{enabled: true{selector}}}}}}}")


@pytest.mark.parametrize(("kind", "resource", "body"), KINDS)
async def test_what_the_host_has_is_shown(kind: str, resource: Resource, body: Obj) -> None:
    world = world_with(kind)
    world.host.put(resource, syncing.obj("one", "", labels={"a": "b"}, annotations={"c": "d"}, **body))
    await world.settle()
    seen = world.virtual.there(resource, "", "one")
    assert {field: seen[field] for field in body} == body
    assert (seen["metadata"]["labels"], seen["metadata"]["annotations"]) == ({"a": "b"}, {"c": "d"})
    assert await world.again() == []
    world.host.drop(resource, "", "one")
    await world.settle()
    assert world.virtual.names(resource) == []


@pytest.mark.parametrize(("kind", "resource", "body"), KINDS)
async def test_what_the_tenant_makes_of_it_is_undone(kind: str, resource: Resource, body: Obj) -> None:
    world = world_with(kind)
    world.host.put(resource, syncing.obj("one", "", **body))
    world.virtual.put(resource, syncing.obj("own", "", **body))
    await world.settle()
    world.virtual.change(resource, "", "one", {"metadata": {"labels": {"mine": "yes"}}})
    await world.settle()
    assert world.virtual.names(resource) == ["one"]
    assert "labels" not in world.virtual.there(resource, "", "one")["metadata"]
    assert world.host.there(resource, "", "one")["metadata"].get("labels") is None


@pytest.mark.parametrize(("kind", "resource", "body"), KINDS)
async def test_only_what_the_selector_selects(kind: str, resource: Resource, body: Obj) -> None:
    world = world_with(kind, ", selector: {matchExpressions: [{key: tier, operator: In, values: [gold]}]}")
    world.host.put(resource, syncing.obj("gold", "", labels={"tier": "gold"}, **body))
    world.host.put(resource, syncing.obj("lead", "", labels={"tier": "lead"}, **body))
    await world.settle()
    assert world.virtual.names(resource) == ["gold"]
    world.host.change(resource, "", "gold", {"metadata": {"labels": {"tier": "lead"}}})
    await world.settle()
    assert world.virtual.names(resource) == []


async def test_the_classes_of_the_system_are_not_touched() -> None:
    world = world_with("priorityClasses", ', selector: {matchLabels: {offered: "yes"}}')
    world.virtual.put(PRIORITY_CLASSES, syncing.obj("system-node-critical", "", value=2000001000))
    await world.settle()
    assert world.virtual.names(PRIORITY_CLASSES) == ["system-node-critical"]
    world.host.put(PRIORITY_CLASSES, syncing.obj("system-node-critical", "", value=2000001000))
    await world.settle()
    assert world.virtual.names(PRIORITY_CLASSES) == ["system-node-critical"]


async def test_a_class_with_another_value_is_made_anew() -> None:
    world = world_with("priorityClasses")
    world.host.put(PRIORITY_CLASSES, syncing.obj("low", "", value=1))
    await world.settle()
    first = world.virtual.there(PRIORITY_CLASSES, "", "low")["metadata"]["uid"]
    world.host.drop(PRIORITY_CLASSES, "", "low")
    world.host.put(PRIORITY_CLASSES, syncing.obj("low", "", value=2))
    await world.settle()
    seen = world.virtual.there(PRIORITY_CLASSES, "", "low")
    assert (seen["value"], seen["metadata"]["uid"] != first) == (2, True)
