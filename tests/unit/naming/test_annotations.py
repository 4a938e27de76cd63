from __future__ import annotations

import hypothesis
import pytest

from nestling.naming import annotations as naming_annotations
from nestling.naming import labels, names
from nestling.naming.tenant import HostKey, Tenant, VirtualKey
from tests.unit.naming import strategies

VC = Tenant("my-vc", "team-x")
WEB = VirtualKey("default", "web")
POD = "/v1, Kind=Pod"


def written(own: dict[str, str] | None, key: VirtualKey = WEB, tenant: Tenant = VC) -> dict[str, str]:
    host = names.host_name(key, tenant)
    return naming_annotations.to_host(own, key=key, uid="u-1", gvk=POD, host=host, tenant=tenant)


def test_a_namespaced_object_says_what_it_stands_for() -> None:
    assert written({"note": "n"}) == {
        "note": "n",
        "vcluster.loft.sh/object-name": "web",
        "vcluster.loft.sh/object-namespace": "default",
        "vcluster.loft.sh/object-uid": "u-1",
        "vcluster.loft.sh/object-kind": "/v1, Kind=Pod",
        "vcluster.loft.sh/object-host-name": "web-x-default-x-my-vc",
        "vcluster.loft.sh/object-host-namespace": "team-x",
        "vcluster.loft.sh/managed-annotations": "note",
    }


def test_a_cluster_scoped_object_also_says_which_virtual_cluster() -> None:
    assert written(None, VirtualKey("", "fast")) == {
        "vcluster.loft.sh/object-name": "fast",
        "vcluster.loft.sh/object-uid": "u-1",
        "vcluster.loft.sh/object-kind": "/v1, Kind=Pod",
        "vcluster.loft.sh/object-host-name": "vcluster-fast-x-team-x-x-my-vc",
        "vcluster.loft.sh/object-tenant": "team-x/my-vc",
    }


def test_a_cluster_scoped_object_without_tenant_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="cluster-scoped"):
        naming_annotations.to_host({}, key=VirtualKey("", "fast"), uid="u", gvk=POD, host=HostKey("", "h"))


@pytest.mark.parametrize(
    "key",
    [
        labels.OBJECT_NAME,
        labels.OBJECT_UID,
        labels.OBJECT_IMPORTED,
        labels.SKIP_BACKSYNC,
        labels.BLOCK_DELETION,
        labels.CONTROLLED_BY,
        labels.SERVICE_CIDR,
        labels.MANAGED_LABELS,
        "vcluster.loft.sh/token-abcdefgh",
        "vcluster.loft.sh/anything-to-come",
    ],
)
def test_bookkeeping_from_a_tenant_is_not_believed_and_ours_is_not_shown(key: str) -> None:
    assert naming_annotations.is_bookkeeping(key)
    assert written({key: "forged"}) == written({})
    assert naming_annotations.to_virtual({key: "ours", "note": "n"}) == {"note": "n"}


@pytest.mark.parametrize("key", sorted(naming_annotations.TENANT_FACING))
def test_what_a_tenant_may_ask_for_is_passed_on(key: str) -> None:
    assert written({key: "true"})[key] == "true"
    assert naming_annotations.to_virtual({key: "true"}) == {key: "true"}


def test_excluded_keys_go_neither_way() -> None:
    host = naming_annotations.to_host(
        {"a": "1", "b": "2"},
        key=WEB,
        uid="u",
        gvk=POD,
        host=HostKey("team-x", "h"),
        tenant=VC,
        excluded=("b",),
        virtual_labels={"y": "", "x": ""},
    )
    assert "b" not in host
    assert naming_annotations.managed_keys(host, labels.MANAGED_ANNOTATIONS) == {"a"}
    assert host[labels.MANAGED_LABELS] == "x\ny"
    assert naming_annotations.to_virtual({"a": "1", "b": "2"}, excluded=("b",)) == {"a": "1"}


@pytest.mark.parametrize("found", [None, {}, {labels.MANAGED_LABELS: ""}])
def test_no_record_means_no_managed_keys(found: dict[str, str] | None) -> None:
    assert naming_annotations.managed_keys(found, labels.MANAGED_LABELS) == frozenset()


@hypothesis.given(strategies.annotation_maps, strategies.keys, strategies.tenants)
def test_annotations_survive_the_way_down_and_back(own: dict[str, str], key: VirtualKey, tenant: Tenant) -> None:
    host = written(own, key, tenant)
    back = naming_annotations.to_virtual(host)
    assert back == {name: value for name, value in own.items() if not naming_annotations.is_bookkeeping(name)}
    assert naming_annotations.managed_keys(host, labels.MANAGED_ANNOTATIONS) == back.keys()
    assert written(back, key, tenant) == host
    assert naming_annotations.to_virtual(host | {"host": "h"}).get("host") == "h"
