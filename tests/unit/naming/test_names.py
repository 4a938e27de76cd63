from __future__ import annotations

import hashlib

import hypothesis
import pytest

from nestling.naming import names
from nestling.naming.tenant import HostKey, Tenant, VirtualKey
from tests.unit.naming import strategies

VC = Tenant("my-vc", "team-x")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("web", "x", "default", "x", "my-vc"), "web-x-default-x-my-vc"),
        (
            ("a" * 40, "x", "b" * 20, "x", "my-vcluster"),
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-x-bbbbbbbbb-1a992ccd6a",
        ),
        (
            ("nginx-from-other-namespace", "x", "some-other-namespace", "x", "default-namespace-sync"),
            "nginx-from-other-namespace-x-some-other-namespace-x--4b96e8f948",
        ),
        (("a" * 63,), "a" * 63),
        ((), ""),
    ],
)
def test_safe_gives_the_names_of_the_specification(parts: tuple[str, ...], expected: str) -> None:
    assert names.safe(*parts) == expected


def test_a_cut_behind_a_dot_leaves_no_part_that_starts_with_a_hyphen() -> None:
    long = "a" * 51 + "." + "b" * 20
    assert names.safe(long) == "a" * 51 + "-" + hashlib.sha256(long.encode()).hexdigest()[:10]


def test_length_is_counted_in_bytes() -> None:
    assert names.safe("ä" * 31) == "ä" * 31
    assert names.safe("ä" * 32).startswith("ä" * 26 + "-")


@hypothesis.given(strategies.keys, strategies.tenants)
def test_host_names_are_valid_short_and_stable(key: VirtualKey, tenant: Tenant) -> None:
    host = names.host_name(key, tenant)
    assert host.namespace == tenant.namespace
    assert strategies.is_name(host.name)
    assert strategies.is_label_value(host.name)
    assert names.host_name(key, tenant) == host
    assert names.safe(host.name) == host.name


@hypothesis.given(strategies.cluster_keys, strategies.tenants)
def test_cluster_host_names_are_valid(key: VirtualKey, tenant: Tenant) -> None:
    name = names.cluster_host_name(key.name, tenant)
    assert strategies.is_name(name)
    assert len(name) <= names.MAX_LENGTH
    assert names.host_name(key, tenant) == HostKey("", name)


@hypothesis.given(strategies.keys, strategies.tenants)
def test_short_names_are_dns_labels_that_start_with_a_letter(key: VirtualKey, tenant: Tenant) -> None:
    name = names.short_name(key, tenant)
    assert name[0] == "v"
    assert name.isalnum()
    assert len(name) == 14


@hypothesis.given(strategies.object_names, strategies.tenants)
def test_names_around_the_control_plane_are_valid(node: str, tenant: Tenant) -> None:
    for name in (names.node_service_name(node, tenant), names.root_ca_name(tenant), names.lease_name(tenant)):
        assert strategies.is_name(name)
        assert len(name) <= names.MAX_LENGTH
    assert "." not in names.node_service_name(node, tenant)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (names.host_name(VirtualKey("default", "web"), VC), HostKey("team-x", "web-x-default-x-my-vc")),
        (names.host_name(VirtualKey("default", ""), VC), HostKey("team-x", "")),
        (names.cluster_host_name("fast", Tenant("vc1", "team-x")), "vcluster-fast-x-team-x-x-vc1"),
        (names.cluster_host_name("", VC), ""),
        (names.short_name(VirtualKey("default", "web"), Tenant("my-vcluster", "any")), "v4q7mavvb5nbb9"),
        (names.short_name(VirtualKey("default", ""), VC), ""),
        (names.root_ca_name(VC), "vcluster-kube-root-ca.crt-x-my-vc"),
        (names.lease_name(VC), "vcluster-my-vc-controller"),
        (names.node_service_name("ip-10-0-0-1.internal", VC), "my-vc-node-ip-10-0-0-1-internal"),
        (names.node_hostname("ip-10-0-0-1.internal"), "ip-10-0-0-1-internal.nodes.vcluster.com"),
        (names.legacy_node_hostname("n1", VC), "n1.my-vc.team-x.nodes.vcluster.com"),
        (names.token_secret_name(VirtualKey("default", "web"), VC).name, "web-sa-token-x-default-x-my-vc"),
        (names.storage_capacity_key(HostKey("csi", "csisc-1")), VirtualKey("kube-system", "csisc-1-x-csi")),
    ],
)
def test_names_of_the_table(actual: object, expected: object) -> None:
    assert actual == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("web-x-default-x-my-vc.17ab", "web.17ab"),
        ("web-x-default-x-my-vc", "web"),
        ("something-else.17ab", "something-else.17ab"),
    ],
)
def test_events_are_called_after_the_virtual_object(event: str, expected: str) -> None:
    assert names.event_name(event, "web-x-default-x-my-vc", "web") == expected


def test_an_event_without_involved_object_keeps_its_name() -> None:
    assert names.event_name("e.1", "", "web") == "e.1"


def test_a_reference_to_a_pod_loses_what_belongs_to_the_virtual_pod() -> None:
    target = {"kind": "Pod", "namespace": "default", "name": "web", "uid": "u", "resourceVersion": "7"}
    assert names.pod_reference(target, VC) == {"kind": "Pod", "namespace": "team-x", "name": "web-x-default-x-my-vc"}
    assert target["uid"] == "u"


@pytest.mark.parametrize(
    "target", [{"kind": "Node", "name": "n"}, {"kind": "Pod", "namespace": "default"}, {"kind": "Pod", "name": "web"}]
)
def test_a_reference_that_is_not_to_a_pod_has_no_host_form(target: dict[str, str]) -> None:
    assert names.pod_reference(target, VC) is None
