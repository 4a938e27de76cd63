"""The Pod Security labels of Namespaces (spec §5)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import NAMESPACES, PODS
from tests.support import syncing

PREFIX = "pod-security.kubernetes.io/"


def labels_of(world: syncing.World, name: str) -> dict[str, str]:
    found = world.virtual.there(NAMESPACES, "", name)["metadata"]["labels"]
    return {key.removeprefix(PREFIX): value for key, value in found.items() if key.startswith(PREFIX)}


@pytest.mark.parametrize("standard", ["privileged", "baseline", "restricted"])
async def test_every_namespace_carries_the_standard(standard: str) -> None:
    world = syncing.World(f"policies: {{podSecurityStandard: {standard}}}")
    world.virtual.put(NAMESPACES, syncing.obj("new", ""))
    await world.settle()
    expected = {"enforce": standard, "enforce-version": "latest", "warn": standard, "warn-version": "latest"}
    assert [labels_of(world, name) for name in ("default", "new")] == [expected, expected]
    assert await world.again() == []


async def test_who_takes_the_label_off_finds_it_again() -> None:
    world = syncing.World("policies: {podSecurityStandard: baseline}")
    await world.settle()
    relaxed = {"metadata": {"labels": {f"{PREFIX}enforce": "privileged", f"{PREFIX}enforce-version": None, "own": "1"}}}
    world.virtual.change(NAMESPACES, "", "team", relaxed)
    await world.settle()
    assert (labels_of(world, "team")["enforce"], labels_of(world, "team")["enforce-version"]) == ("baseline", "latest")
    assert world.virtual.there(NAMESPACES, "", "team")["metadata"]["labels"]["own"] == "1"


async def test_a_pod_that_violates_the_standard_is_not_synced() -> None:
    world = syncing.World("policies: {podSecurityStandard: baseline}")
    world.virtual.put(PODS, syncing.pod("bad", hostNetwork=True))
    world.virtual.put(PODS, syncing.pod("good"))
    await world.settle()
    assert world.host.names(PODS) == ["good-x-default-x-my-vc"]
    assert "Pod bad is forbidden: violates PodSecurity" in world.events()[0]["message"]


async def test_a_debug_container_that_violates_the_standard_is_not_added() -> None:
    world = syncing.World("policies: {podSecurityStandard: baseline}")
    world.virtual.put(PODS, syncing.pod())
    await world.settle()
    debug = {"name": "debug", "image": "sh", "securityContext": {"privileged": True}}
    world.virtual.change(PODS, "default", "web", {"spec": {"ephemeralContainers": [debug]}})
    await world.settle()
    assert "ephemeralContainers" not in world.host.there(PODS, "team-x", "web-x-default-x-my-vc")["spec"]
    assert any("Pod web is forbidden" in one["message"] for one in world.events())
