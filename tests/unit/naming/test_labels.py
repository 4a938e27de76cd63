from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies as st

from nestling.naming import labels
from nestling.naming.tenant import Tenant, VirtualKey
from tests.unit.naming import strategies

VC = Tenant("my-vc", "team-x")
WEB = VirtualKey("default", "web")
LONG = Tenant("n" * 63, "team-x")


@pytest.mark.parametrize(
    ("key", "digest"),
    [
        ("release", "a4d451ec23"),
        ("vcluster.loft.sh/namespace", "101dcd4e86"),
        ("vcluster.loft.sh/managed-by", "e5f1b28ab2"),
        ("vcluster.loft.sh/controlled-by", "2080cec00f"),
    ],
)
def test_reserved_keys_become_those_of_the_specification(key: str, digest: str) -> None:
    assert labels.label_key_to_host(key, VC) == f"vcluster.loft.sh/label-my-vc-x-{digest}"


def test_other_keys_stay_and_marks_are_added() -> None:
    assert labels.to_host({"app": "web", "release": "r1"}, WEB, VC) == {
        "app": "web",
        "vcluster.loft.sh/label-my-vc-x-a4d451ec23": "r1",
        "vcluster.loft.sh/managed-by": "my-vc",
        "vcluster.loft.sh/namespace": "default",
    }


def test_cluster_scoped_objects_say_namespace_and_name_in_one_mark() -> None:
    expected = {"app": "web", "vcluster.loft.sh/managed-by": "team-x-x-my-vc"}
    assert labels.cluster_to_host({"app": "web"}, VC) == expected
    assert labels.to_host({"app": "web"}, VirtualKey("", "fast"), VC) == expected


def test_what_the_host_wrote_under_reserved_keys_stays_and_is_not_shown() -> None:
    host = {"vcluster.loft.sh/controlled-by": "vcluster", "release": "host", "app": "old"}
    written = labels.to_host({"app": "web", "release": "tenant"}, WEB, VC, existing=host)
    assert written["vcluster.loft.sh/controlled-by"] == "vcluster"
    assert written["release"] == "host"
    assert written["app"] == "web"
    assert labels.to_virtual(written, VC) == {"app": "web", "release": "tenant"}


@pytest.mark.parametrize("tenant", [VC, LONG])
@pytest.mark.parametrize("prefix", ["label", "ns-label"])
def test_a_tenant_cannot_forge_keys_that_we_make(tenant: Tenant, prefix: str) -> None:
    made = (
        labels.namespace_label_key("team", tenant)
        if prefix == "ns-label"
        else labels.label_key_to_host("release", tenant)
    )
    written = labels.to_host({made: "x"}, WEB, tenant)
    assert written == labels.marks("default", tenant)
    # and a selector with such a key finds nothing
    assert labels.label_key_to_host(made, tenant) not in {made, *written}


def test_the_labels_of_a_virtual_cluster_in_the_virtual_cluster_pass() -> None:
    inner = labels.to_host({"release": "r"}, WEB, Tenant("inner", "default"))
    inner |= labels.namespace_labels({"team": "a"}, Tenant("inner", "default"))
    written = labels.to_host(inner, VirtualKey("default", "web-x-default-x-inner"), VC)
    assert labels.to_virtual(written, VC) == inner
    assert written["vcluster.loft.sh/managed-by"] == "my-vc"
    assert not any(labels.is_namespace_label(key, VC) for key in written)


@pytest.mark.parametrize("mark", sorted(labels.MARKS))
def test_a_mark_from_a_tenant_is_not_a_mark_on_the_host(mark: str) -> None:
    written = labels.to_host({mark: "true"}, WEB, VC)
    assert mark not in written
    assert labels.to_virtual(written, VC) == {mark: "true"}


def test_nothing_is_not_an_error() -> None:
    assert labels.to_host(None, WEB, VC) == labels.marks("default", VC)
    assert labels.to_virtual(None, VC) == {}
    assert labels.namespace_labels(None, VC) == {}


def test_unknown_keys_of_our_shape_on_the_host_are_not_shown() -> None:
    assert labels.to_virtual({"vcluster.loft.sh/label-my-vc-x-0123456789": "x", "app": "web"}, VC) == {"app": "web"}


@hypothesis.given(strategies.label_maps, strategies.keys, strategies.tenants)
def test_labels_survive_the_way_down_and_back(own: dict[str, str], key: VirtualKey, tenant: Tenant) -> None:
    host = labels.to_host(own, key, tenant)
    assert labels.to_virtual(host, tenant) == own
    assert labels.to_host(labels.to_virtual(host, tenant), key, tenant, existing=host) == host


@hypothesis.given(st.data(), strategies.label_maps, strategies.keys, strategies.tenants)
def test_nothing_that_a_tenant_writes_reaches_a_key_that_the_host_trusts(
    data: st.DataObject, own: dict[str, str], key: VirtualKey, tenant: Tenant
) -> None:
    forged = data.draw(st.dictionaries(strategies.made_keys(tenant), strategies.label_values, max_size=3))
    host = labels.to_host({**own, **forged}, key, tenant)
    trusted = {name: value for name, value in host.items() if name in labels.RESERVED | labels.MARKS}
    assert trusted == labels.marks(key.namespace, tenant)
    assert not any(labels.is_namespace_label(name, tenant) for name in host)
    assert host == labels.to_host(own, key, tenant)


@hypothesis.given(strategies.label_maps, strategies.keys, strategies.tenants)
def test_the_api_server_takes_every_label(own: dict[str, str], key: VirtualKey, tenant: Tenant) -> None:
    written = labels.to_host(own, key, tenant) | labels.cluster_to_host(own, tenant)
    written |= labels.namespace_labels(own, tenant)
    for name, value in written.items():
        assert strategies.is_label_key(name), name
        assert strategies.is_label_value(value), value


@hypothesis.given(st.sets(strategies.label_keys, max_size=6), strategies.tenants)
def test_different_namespace_labels_have_different_keys(own: set[str], tenant: Tenant) -> None:
    made = {labels.namespace_label_key(key, tenant) for key in own}
    assert len(made) == len(own)
    assert all(labels.is_namespace_label(key, tenant) for key in made)
