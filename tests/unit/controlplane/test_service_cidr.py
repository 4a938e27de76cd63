from __future__ import annotations

import pytest

from nestling.controlplane import service_cidr
from tests.unit.controlplane import fake_api, samples

REFUSAL = (
    'Service "x" is invalid: spec.clusterIPs: Invalid value: ["192.0.2.1"]: failed to allocate IP 192.0.2.1:'
    " the provided IP (192.0.2.1) is not in the valid range. The range of valid IPs is 10.43.0.0/20"
)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (REFUSAL, "10.43.0.0/20"),
        ("The range of valid IPs is fd00:10:96::/112", "fd00:10:96::/112"),
        ("The range of valid IPs is 10.96.0.0/12.", "10.96.0.0/12"),
        ("provided IP is already allocated", None),
        ("The range of valid IPs is 10.96.0.0/99", None),
        ("", None),
    ],
)
def test_the_range_in_the_refusal_of_an_address(message: str, found: str | None) -> None:
    assert service_cidr.from_error(message) == found


def test_the_range_of_the_service_cidr_objects() -> None:
    objects = [
        {"metadata": {"name": "added-later"}, "spec": {"cidrs": ["10.200.0.0/24"]}},
        {"metadata": {"name": "kubernetes"}, "spec": {"cidrs": ["10.96.0.0/12", "fd00::/112"]}},
    ]
    assert service_cidr.from_objects(objects) == "10.96.0.0/12,fd00::/112"
    assert service_cidr.from_objects(objects[:1]) is None


def test_a_range_that_is_being_deleted_does_not_count() -> None:
    gone = {"metadata": {"name": "kubernetes", "deletionTimestamp": "x"}, "spec": {"cidrs": ["10.96.0.0/12"]}}
    assert service_cidr.from_objects([gone]) is None


@pytest.mark.parametrize("text", ["", "10.96.0.0/12,10.97.0.0/16", "10.96.0.1/12", "x", "a,b,c"])
def test_what_is_not_a_range(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        service_cidr.normalise(text)


def test_configuration_wins_over_everything() -> None:
    assert service_cidr.configured(samples.config("serviceCIDR: 10.1.0.0/16")) == "10.1.0.0/16"
    assert service_cidr.configured(samples.config()) is None


def test_the_families_come_from_the_service() -> None:
    assert service_cidr.families({"spec": {"clusterIPs": ["10.0.0.1", "fd00::1"]}}) == (4, 6)
    assert service_cidr.families({"spec": {"clusterIP": "None"}}) == ()


async def test_the_annotation_of_an_earlier_start_is_enough() -> None:
    api = fake_api.FakeApi()
    service = samples.host_service()
    service["metadata"]["annotations"] = {service_cidr.ANNOTATION: "10.96.0.0/16"}
    assert await service_cidr.detect(api.client, samples.TENANT, service) == "10.96.0.0/16"
    assert api.calls == []


async def test_the_host_is_asked_with_dry_runs_and_the_answer_is_remembered() -> None:
    api = fake_api.FakeApi()
    api.put(samples.host_service())
    api.forbid("list", "servicecidrs")
    api.refuse_dry_run(REFUSAL)
    assert await service_cidr.detect(api.client, samples.TENANT, samples.host_service()) == "10.43.0.0/20"
    annotations = api.objects["services", "team-x", "my-vc"]["metadata"]["annotations"]
    assert annotations == {service_cidr.ANNOTATION: "10.43.0.0/20"}
    assert [key for key in api.objects if key[0] == "services"] == [("services", "team-x", "my-vc")]


async def test_a_host_that_tells_nothing_is_an_error_that_says_what_to_set() -> None:
    api = fake_api.FakeApi()
    api.put(samples.host_service())
    api.forbid("list", "servicecidrs")
    api.refuse_dry_run("no")
    with pytest.raises(service_cidr.UnknownServiceCidrError, match="set serviceCIDR"):
        await service_cidr.detect(api.client, samples.TENANT, samples.host_service())
