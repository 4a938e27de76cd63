"""PriorityClasses of the host: what pods may ask for; the mirror itself is tested with the IngressClasses."""

from __future__ import annotations

import pytest

from nestling.kube.resource import PODS, PRIORITY_CLASSES
from tests.support import syncing

ALL = "sync: {fromHost: {priorityClasses: {enabled: true}}}"
LIMITED = 'sync: {fromHost: {priorityClasses: {enabled: true, selector: {matchLabels: {offered: "yes"}}}}}'


@pytest.mark.parametrize(("config", "kept"), [(ALL, "high"), ("", None)])
async def test_a_pod_keeps_its_class_only_while_they_come_from_the_host(config: str, kept: str | None) -> None:
    world = syncing.World(config)
    if config:
        world.host.put(PRIORITY_CLASSES, syncing.obj("high", "", value=100))
    world.virtual.put(PODS, syncing.pod(priorityClassName="high", priority=100))
    await world.settle()
    assert world.host.there(PODS, "team-x", "web-x-default-x-my-vc")["spec"].get("priorityClassName") == kept


async def test_a_pod_with_a_class_that_is_not_offered_is_refused() -> None:
    world = syncing.World(LIMITED)
    world.host.put(PRIORITY_CLASSES, syncing.obj("low", "", labels={"offered": "yes"}, value=1))
    world.host.put(PRIORITY_CLASSES, syncing.obj("high", "", value=100))
    world.virtual.put(PODS, syncing.pod("good", priorityClassName="low", priority=1))
    world.virtual.put(PODS, syncing.pod("bad", priorityClassName="high", priority=100))
    world.virtual.put(PODS, syncing.pod("system", priorityClassName="system-node-critical", priority=2000001000))
    await world.settle()
    assert world.host.names(PODS) == ["good-x-default-x-my-vc", "system-x-default-x-my-vc"]
    assert any('priorityClassName "high" is not offered' in event["message"] for event in world.events())
