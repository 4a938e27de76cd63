"""The documented metrics and the documented status are the real ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import prometheus_client
import pytest

from nestling.controlplane import endpoint, loops, store_size
from nestling.kube.resource import CONFIG_MAPS, SECRETS
from nestling.kubelet import tunnel
from nestling.naming import labels
from nestling.naming.tenant import VirtualKey
from nestling.syncer import ledger, loop_detector, metrics, status
from tests.support import fake_side, syncing

PAGE = Path(__file__).parents[3] / "docs" / "observability.md"
FORCED = {labels.FORCE_SYNC: "true"}
#: Registered where they are used, by constructors that need a whole control plane.
ELSEWHERE = {"nestling_certificate_expiry_timestamp_seconds", "process_resident_memory_bytes"}


@pytest.fixture
async def world() -> syncing.World:
    found = syncing.World()
    found.virtual.put(CONFIG_MAPS, syncing.obj("web", annotations=FORCED, data={"a": "b"}))
    await found.settle()
    return found


def documented() -> dict[str, set[str]]:
    rows = re.findall(r"^\| `([a-z_]+)` \|([^|]*)\|", PAGE.read_text(), re.MULTILINE)
    return {name: set(re.findall(r"`([a-z_]+)`", columns)) for name, columns in rows if "_" in name}


def existing(registry: prometheus_client.CollectorRegistry) -> set[str]:
    names = set()
    for family in registry.collect():
        names.add(family.name + ("_total" if family.type == "counter" else ""))
    return names


async def test_the_page_lists_all_metrics_and_no_others(world: syncing.World) -> None:
    metrics.observers(world.registry, "virtual", "host")
    store_size.Metrics(world.registry)
    loops.Metrics(world.registry)
    tunnel.Meter(world.registry)
    assert existing(world.registry) == documented().keys() - ELSEWHERE


async def test_labels_are_those_of_the_page_and_hold_no_names(world: syncing.World) -> None:
    metrics.observers(world.registry, "virtual", "host")["host"](method="GET", host="10.0.0.1", code="200", seconds=0.1)
    await world.manager.scanner.scan()
    text = prometheus_client.generate_latest(world.registry).decode()
    assert "10.0.0.1" not in text
    table = documented()
    for family in world.registry.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} <= table[name], sample
            assert not set(sample.labels.values()) & {"web", "default", "team-x", "my-vc"}, sample


async def test_a_reconcile_shows_in_the_metrics(world: syncing.World) -> None:
    def value(sample: str, /, **labelled: str) -> float:
        return world.registry.get_sample_value(sample, labelled) or 0.0

    assert value("nestling_sync_lag_seconds_count", kind="configmaps", direction="to_host") == 1
    assert value("nestling_writes_total", kind="configmaps", side="host") == 1
    assert value("workqueue_adds_total", name="configmaps") >= 1
    assert value("nestling_cache_objects", side="host", resource="configmaps") == 1


def shape(value: Any) -> Any:
    """Keys and types; of a list the first element, of kinds any one."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items() if key not in ("drift", "checks", "lastCacheCheck")}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


async def test_the_status_document_is_as_documented(world: syncing.World) -> None:
    refuse(world, "big: hunter2")
    world.controller_of("configmaps")._is_running = True
    world.virtual.put(CONFIG_MAPS, syncing.obj("big", annotations=FORCED, data={"password": "hunter2"}))
    await world.settle()
    await world.manager.scanner.scan()
    for informer in world.manager.informers:
        informer.last_event = 1.0
    document = status.document(world.manager, now=world.clock, clock=2.0)
    example = json.loads(re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)[0])["syncer"]
    kinds, real_kinds = example.pop("kinds"), document.pop("kinds")
    drift, real_drift = example.pop("drift"), document.pop("drift")
    assert shape(document) == shape(example)
    assert shape(real_drift) == shape(drift)
    assert shape(real_kinds["configmaps"]) == shape(kinds["configmaps"])
    assert set(real_kinds) == {one.spec.name for one in world.manager.controllers}


def refuse(world: syncing.World, message: str) -> None:
    world.host.answers.append(
        lambda request: fake_side.error(403, "Forbidden", message) if request.method == "POST" else None
    )


async def test_what_is_stuck_is_named_without_content(world: syncing.World) -> None:
    refuse(world, 'exceeded quota while writing "hunter2"')
    for number in range(2 * status.STUCK_SHOWN):
        world.virtual.put(SECRETS, syncing.obj(f"s{number}", annotations=FORCED, data={"password": "hunter2"}))
    await world.settle()
    document = status.document(world.manager, now=world.clock, clock=1.0)
    stuck = document["kinds"]["secrets"]["stuck"]
    assert stuck["count"] == 2 * status.STUCK_SHOWN
    assert len(stuck["oldest"]) == status.STUCK_SHOWN
    assert stuck["oldest"][0]["error"] == "Forbidden (403)"
    assert b"hunter2" not in msgspec.json.encode(document)


async def test_agreement_is_left_and_found_again(world: syncing.World) -> None:
    one = world.controller_of("configmaps")
    assert one.last_agreement() is None
    one._is_running = True
    assert one.last_agreement() == world.clock
    left = world.clock
    one.enqueue(VirtualKey("default", "web"))
    world.clock += 60
    assert not one.is_in_agreement
    assert one.last_agreement() == left
    await world.settle()
    assert one.last_agreement() == world.clock


async def test_a_stuck_object_makes_one_event_and_one_line_of_log(
    world: syncing.World, caplog: pytest.LogCaptureFixture
) -> None:
    refuse(world, "over quota")
    world.virtual.put(CONFIG_MAPS, syncing.obj("big", annotations=FORCED, data={}))
    one = world.controller_of("configmaps")
    for _ in range(20):
        await one._process(VirtualKey("default", "big"))
    assert [event["count"] for event in world.events()] == [1]
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1
    world.clock += 400
    await one._process(VirtualKey("default", "big"))
    assert [event["count"] for event in world.events()] == [21]


async def test_a_fight_is_told_of_once_and_slowed_down(world: syncing.World) -> None:
    one = world.controller_of("configmaps")
    results = []
    for number in range(loop_detector.LIMIT + 20):
        world.host.change(CONFIG_MAPS, "team-x", "web-x-default-x-my-vc", {"immutable": bool(number % 2) or None})
        world.virtual.change(CONFIG_MAPS, "default", "web", {"data": {"a": str(number)}})
        results.append(await one._process(VirtualKey("default", "web")))
    assert results[0] == "success"
    assert results[-1] == "throttled"
    (event,) = world.events()
    assert event["reason"] == "SyncWarning"
    assert "written again and again" in event["message"]
    assert world.registry.get_sample_value("nestling_write_loops_total", {"kind": "configmaps"}) == 1


async def test_the_endpoint_serves_the_status() -> None:
    import aiohttp

    documents: dict[str, endpoint.Document] = {}
    registry = prometheus_client.CollectorRegistry()
    async with endpoint.serving(0, {"one": lambda: False}, registry, documents) as port:
        documents["syncer"] = lambda: {"kinds": {}}
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/status") as answer:
            assert answer.content_type == "application/json"
            assert await answer.json() == {"ready": False, "checks": {"one": False}, "syncer": {"kinds": {}}}


def test_directions_are_named_by_where_a_write_goes() -> None:
    assert {side.value: name for side, name in ledger.DIRECTIONS.items()} == {
        "host": "to_host",
        "virtual": "to_virtual",
    }
