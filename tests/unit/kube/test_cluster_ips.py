from __future__ import annotations

import pytest

from nestling.kube import cluster_ips
from nestling.kube.resource import Obj

TWO: Obj = {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1", "fd00::1"], "ipFamilies": ["IPv4", "IPv6"]}


@pytest.mark.parametrize(
    ("spec", "addresses"),
    [
        ({}, [""]),
        ({"clusterIP": "None"}, ["None"]),
        ({"clusterIP": "10.0.0.1"}, ["10.0.0.1"]),
        (TWO, TWO["clusterIPs"]),
    ],
)
def test_the_addresses_of_a_service(spec: Obj, addresses: list[str]) -> None:
    assert cluster_ips.addresses(spec) == addresses


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [(["a"], ["a", "b"], True), (["a", "b"], ["a"], True), (["a", "b"], ["a", "c"], False), (["b"], ["a", "b"], False)],
)
def test_a_second_one_comes_and_goes(ours: list[str], theirs: list[str], expected: bool) -> None:
    assert cluster_ips.begin_alike(ours, theirs) is expected


def test_a_service_gives_up_its_second_family() -> None:
    assert {**TWO, **cluster_ips.first_only(TWO)} == {
        "clusterIP": "10.0.0.1",
        "clusterIPs": ["10.0.0.1"],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
    }
