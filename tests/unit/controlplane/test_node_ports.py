"""The host's range of node ports is asked for, and nothing is left of that (user lesson 25)."""

from __future__ import annotations

import pytest

from nestling.controlplane import node_ports
from nestling.kube import errors, requests
from nestling.kube.resource import SERVICES, Obj
from tests.support import fake_side
from tests.unit.controlplane import samples

REFUSAL = (
    'Service "x" is invalid: spec.ports[0].nodePort: Invalid value: 65536: provided port is not in the valid range.'
    " The range of valid ports is 20000-40000"
)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (REFUSAL, "20000-40000"),
        ("The range of valid ports is 1-65535.", "1-65535"),
        ("provided port is already allocated", None),
        ("The range of valid ports is ", None),
    ],
)
def test_the_range_in_the_refusal_of_a_port(message: str, found: str | None) -> None:
    assert node_ports.from_error(message) == found


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (fake_side.error(422, "Invalid", REFUSAL), "20000-40000"),
        (fake_side.error(403, "Forbidden", "exceeded quota"), ""),
        (fake_side.error(500, "InternalError", "a webhook"), ""),
    ],
)
async def test_a_host_that_does_not_tell_its_range_stops_nothing(answer: errors.ApiError, found: str) -> None:
    host = fake_side.FakeSide("host")
    asked: list[Obj] = []

    def refuse(request: requests.Request) -> errors.ApiError:
        asked.append(fake_side.body_of(request))
        return answer

    host.answers.append(refuse)
    assert await node_ports.detect(host, samples.TENANT) == found
    (spec,) = [one["spec"] for one in asked]
    assert (spec["type"], spec["clusterIP"], spec["ports"][0]["nodePort"]) == ("NodePort", "None", 65536)
    assert host.names(SERVICES) == []
