"""Warning events on virtual objects (spec §1.7)."""

from __future__ import annotations

import re

from nestling.kube import errors
from nestling.kube.resource import EVENTS, Obj
from nestling.syncer import events
from tests.support import fake_side

NOW = 1_800_000_000.0
ABOUT: Obj = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "default", "uid": "u-1", "resourceVersion": "3"},
}


def recorder(api: fake_side.FakeSide, now: float = NOW) -> events.EventRecorder:
    return events.EventRecorder(api, lambda: now)


async def record(api: fake_side.FakeSide, *, message: str = "no", about: Obj = ABOUT, now: float = NOW) -> None:
    await recorder(api, now).record(about, reason="SyncError", action="SyncPod", message=message)


def all_of(api: fake_side.FakeSide) -> list[Obj]:
    return list(api._all(("", "events")).values())


async def test_an_event_says_what_happened_to_which_object() -> None:
    api = fake_side.FakeSide("virtual")
    await record(api, message="Error syncing: quota")
    (event,) = all_of(api)
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": "web",
        "namespace": "default",
        "uid": "u-1",
        "resourceVersion": "3",
    }
    assert (event["type"], event["reason"], event["action"]) == ("Warning", "SyncError", "SyncPod")
    assert event["message"] == "Error syncing: quota"
    assert event["firstTimestamp"] == event["lastTimestamp"] == "2027-01-15T08:00:00Z"
    assert event["metadata"]["namespace"] == "default"


async def test_the_same_again_raises_the_count() -> None:
    api = fake_side.FakeSide("virtual")
    for seconds in range(3):
        await record(api, now=NOW + seconds)
    (event,) = all_of(api)
    assert (event["count"], event["firstTimestamp"], event["lastTimestamp"]) == (
        3,
        "2027-01-15T08:00:00Z",
        "2027-01-15T08:00:02Z",
    )


async def test_another_message_or_another_object_is_another_event() -> None:
    api = fake_side.FakeSide("virtual")
    await record(api)
    await record(api, message="something else")
    await record(api, about={**ABOUT, "metadata": {**ABOUT["metadata"], "uid": "u-2"}})
    assert len(all_of(api)) == 3


async def test_events_about_cluster_scoped_objects_are_in_default() -> None:
    api = fake_side.FakeSide("virtual")
    await record(api, about={"kind": "Node", "metadata": {"name": "n1", "uid": "u"}})
    assert api.get_now(EVENTS, "default", all_of(api)[0]["metadata"]["name"])


async def test_a_long_message_is_cut_to_what_the_api_takes() -> None:
    api = fake_side.FakeSide("virtual")
    await record(api, message="x" * 5000)
    assert len(all_of(api)[0]["message"]) == 1024


async def test_an_event_about_an_object_with_the_longest_name_has_a_name_that_the_api_takes() -> None:
    api = fake_side.FakeSide("virtual")
    for name in ("n" * 253, "n" * 235 + "-" + "n" * 17, "n" * 234 + ".-" + "n" * 17):
        await record(api, about={**ABOUT, "metadata": {**ABOUT["metadata"], "name": name}})
    names = [event["metadata"]["name"] for event in all_of(api)]
    assert len(names) == len(set(names)) == 2 or len(names) == 3
    for name in names:
        assert len(name) <= 253
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", name), name


async def test_a_refused_event_does_not_hold_up_syncing() -> None:
    api = fake_side.FakeSide("virtual")
    api.answers.append(lambda _request: fake_side.error(403, "Forbidden", "namespace is terminating"))
    await record(api)
    assert all_of(api) == []


async def test_an_event_that_vanished_meanwhile_is_no_failure() -> None:
    api = fake_side.FakeSide("virtual")

    def refuse(request: object) -> errors.ApiError | None:
        is_create = getattr(request, "method", "") == "POST"
        return fake_side.error(409, "AlreadyExists", "there") if is_create else None

    api.answers.append(refuse)
    await record(api)
    assert all_of(api) == []
