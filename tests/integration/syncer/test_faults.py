"""The syncer is killed while both sides change: afterwards they agree (spec §1.7, DESIGN "Contracts")."""

from __future__ import annotations

from typing import Any

from nestling.kube.resource import CONFIG_MAPS, PODS, SECRETS, SERVICES
from nestling.naming import labels
from tests.integration.syncer.sides import Sides, pod

FORCED = {labels.FORCE_SYNC: "true"}


async def test_what_happened_while_the_syncer_was_dead_is_caught_up(sides: Sides) -> None:
    for name in ("kept", "deleted-above", "remade", "edited-below"):
        meta: dict[str, Any] = {"labels": {"stays": "1", "goes": "1"}, "annotations": {**FORCED, "note": "1"}}
        await sides.create(CONFIG_MAPS, name, {"data": {"a": "b"}}, **meta)
        await sides.on_host(CONFIG_MAPS, name)
    await sides.create(SERVICES, "kept", {"spec": {"ports": [{"port": 80}]}})
    await sides.on_host(SERVICES, "kept")
    await sides.create(PODS, "kept", pod())
    await sides.above(PODS, "kept", lambda one: (one.get("status") or {}).get("phase") == "Running")
    remade = (await sides.on_host(CONFIG_MAPS, "remade"))["metadata"]["uid"]

    async with sides.cluster.without_syncer():
        await sides.change(CONFIG_MAPS, "kept", {"data": {"a": None, "c": "d"}, "metadata": {"labels": {"goes": None}}})
        await sides.virtual.delete(CONFIG_MAPS, "deleted-above", "default")
        await sides.virtual.delete(CONFIG_MAPS, "remade", "default")
        await sides.create(CONFIG_MAPS, "remade", {"data": {"new": "one"}}, annotations=FORCED)
        await sides.change_on_host(
            CONFIG_MAPS, "edited-below", {"data": {"a": "hosts"}, "metadata": {"labels": {"hosts": "1", "goes": None}}}
        )
        await sides.create(CONFIG_MAPS, "born", {"data": {}}, annotations=FORCED)
        await sides.create(SECRETS, "born", {"data": {}}, annotations=FORCED)
        await sides.change(SERVICES, "kept", {"spec": {"ports": [{"port": 81}]}})
        await sides.virtual.delete(PODS, "kept", "default", grace_period_seconds=0)

    kept = await sides.on_host(CONFIG_MAPS, "kept", lambda one: one["data"] == {"c": "d"})
    assert "goes" not in kept["metadata"]["labels"]
    assert kept["metadata"]["labels"]["stays"] == "1"
    await sides.gone_on_host(CONFIG_MAPS, "deleted-above")
    host = await sides.on_host(CONFIG_MAPS, "remade", lambda one: one["data"] == {"new": "one"})
    assert host["metadata"]["uid"] != remade
    # without memory nobody can tell who changed: the tenant's value counts, what only the host has stays
    host = await sides.on_host(CONFIG_MAPS, "edited-below", lambda one: one["data"] == {"a": "b"})
    assert host["metadata"]["labels"]["goes"] == "1"
    await sides.above(CONFIG_MAPS, "edited-below", lambda one: one["metadata"]["labels"].get("hosts") == "1")
    await sides.on_host(CONFIG_MAPS, "born")
    await sides.on_host(SECRETS, "born")
    await sides.on_host(SERVICES, "kept", lambda one: one["spec"]["ports"][0]["port"] == 81)
    await sides.gone_on_host(PODS, "kept")


async def test_a_host_object_that_vanished_while_the_syncer_was_dead_is_made_again(sides: Sides) -> None:
    """Nobody saw it go: losing a tenant's object on a guess would be worse than making the host's again."""
    await sides.create(CONFIG_MAPS, "vanishes", {"data": {"a": "b"}}, annotations=FORCED)
    await sides.on_host(CONFIG_MAPS, "vanishes")
    async with sides.cluster.without_syncer():
        await sides.host.delete(CONFIG_MAPS, sides.host_name("vanishes"), sides.tenant.namespace)
    await sides.on_host(CONFIG_MAPS, "vanishes")
    await sides.above(CONFIG_MAPS, "vanishes")


async def test_a_storm_of_changes_ends_in_agreement(sides: Sides) -> None:
    for number in range(30):
        await sides.create(CONFIG_MAPS, f"storm-{number}", {"data": {"n": "0"}}, annotations=FORCED)
    for value in ("1", "2"):
        for number in range(30):
            await sides.change(CONFIG_MAPS, f"storm-{number}", {"data": {"n": value}})
    for number in range(0, 30, 2):
        await sides.virtual.delete(CONFIG_MAPS, f"storm-{number}", "default")
    for number in range(30):
        if number % 2:
            await sides.on_host(CONFIG_MAPS, f"storm-{number}", lambda one: one["data"] == {"n": "2"})
        else:
            await sides.gone_on_host(CONFIG_MAPS, f"storm-{number}")
