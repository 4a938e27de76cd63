from __future__ import annotations

import dataclasses
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from nestling.naming import annotations as naming_annotations
from nestling.naming import labels, names, ownership
from nestling.naming.tenant import HostKey, Tenant, VirtualKey
from tests.unit.naming import strategies

VC = Tenant("my-vc", "team-x")
WEB = VirtualKey("default", "web")
FAST = VirtualKey("", "fast")
POD = "/v1, Kind=Pod"


def host_object(key: VirtualKey = WEB, tenant: Tenant = VC, host: HostKey | None = None) -> dict[str, Any]:
    """What the syncer writes for a virtual object."""
    host = host or names.host_name(key, tenant)
    meta: dict[str, Any] = {
        "name": host.name,
        "labels": labels.to_host({"app": "web"}, key, tenant),
        "annotations": naming_annotations.to_host({}, key=key, uid="u-1", gvk=POD, host=host, tenant=tenant),
    }
    if host.namespace:
        meta["namespace"] = host.namespace
    return {"metadata": meta}


def changed(obj: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"metadata": {**obj["metadata"], **fields}}


def without(obj: dict[str, Any], field: str, key: str) -> dict[str, Any]:
    return changed(obj, **{field: {name: value for name, value in obj["metadata"][field].items() if name != key}})


def having(obj: dict[str, Any], field: str, **values: str) -> dict[str, Any]:
    return changed(obj, **{field: {**obj["metadata"][field], **values}})


@dataclasses.dataclass
class CachedMeta:
    name: str
    namespace: str
    labels: dict[str, str] | None
    annotations: dict[str, str] | None


@pytest.mark.parametrize("key", [WEB, FAST])
def test_an_object_that_we_wrote_is_its_keys(key: VirtualKey) -> None:
    meta = host_object(key)["metadata"]
    assert ownership.virtual_key(meta) == key
    assert ownership.claims(meta, key, VC)
    assert ownership.is_managed(meta, gvk=POD, namespaced=bool(key.namespace), tenant=VC)
    assert not ownership.claims(meta, VirtualKey(key.namespace, "other"), VC)
    assert not ownership.claims(meta, key, Tenant("other", "team-x"))
    assert not ownership.claims(meta, key, VC, gvk="/v1, Kind=Secret")


def test_cached_metadata_does_as_well() -> None:
    meta = host_object()["metadata"]
    cached = CachedMeta(meta["name"], meta["namespace"], meta["labels"], meta["annotations"])
    assert ownership.claims(cached, WEB, VC)
    assert ownership.virtual_key(CachedMeta("a", "", None, None)) is None
    assert not ownership.claims(CachedMeta("a", "team-x", None, None), WEB, VC)


def test_two_keys_with_one_host_name_are_told_apart() -> None:
    first, second = VirtualKey("c", "a-x-b"), VirtualKey("b-x-c", "a")
    assert names.host_name(first, VC) == names.host_name(second, VC)
    meta = host_object(first)["metadata"]
    assert ownership.claims(meta, first, VC)
    assert not ownership.claims(meta, second, VC)


@hypothesis.given(st.lists(strategies.dns_label(), min_size=3, max_size=6), strategies.tenants, st.data())
def test_keys_that_share_a_host_name_never_claim_each_others_object(
    parts: list[str], tenant: Tenant, data: st.DataObject
) -> None:
    cuts = st.integers(1, len(parts) - 1)
    first, second = (
        VirtualKey("-x-".join(parts[cut:]), "-x-".join(parts[:cut])) for cut in (data.draw(cuts), data.draw(cuts))
    )
    assert names.host_name(first, tenant) == names.host_name(second, tenant)
    assert ownership.claims(host_object(first, tenant)["metadata"], second, tenant) == (first == second)


def test_two_virtual_clusters_with_one_cluster_marker_are_told_apart() -> None:
    ours, theirs = Tenant("b-x-c", "a"), Tenant("c", "a-x-b")
    assert labels.cluster_marker(ours) == labels.cluster_marker(theirs)
    assert names.host_name(FAST, ours) == names.host_name(FAST, theirs)
    host = host_object(FAST, ours)
    assert ownership.claims(host["metadata"], FAST, ours)
    assert not ownership.claims(host["metadata"], FAST, theirs)
    assert not ownership.is_managed(host["metadata"], gvk=POD, namespaced=False, tenant=theirs)
    assert not ownership.may_delete_orphan(host, known=True, gvk=POD, tenant=theirs)


def test_a_cluster_scoped_object_of_vcluster_is_taken_over() -> None:
    host = without(host_object(FAST), "annotations", labels.OBJECT_TENANT)
    assert ownership.claims(host["metadata"], FAST, VC)
    assert ownership.may_delete_orphan(host, known=False, gvk=POD, tenant=VC)


NOT_OURS = {
    "no marker": without(host_object(), "labels", labels.MANAGED_BY),
    "the marker of another": having(host_object(), "labels", **{labels.MANAGED_BY: "other"}),
    "no virtual name": without(host_object(), "annotations", labels.OBJECT_NAME),
    "a copy under another name": changed(host_object(), name="copy"),
    "a copy in another namespace": changed(host_object(), namespace="elsewhere"),
    "a copy without a record of its name": without(
        changed(host_object(), name="copy"), "annotations", labels.OBJECT_HOST_NAME
    ),
    "another kind": having(host_object(), "annotations", **{labels.OBJECT_KIND: "/v1, Kind=Secret"}),
    "cluster-scoped with our labels": {"metadata": {**host_object()["metadata"], "namespace": ""}},
    "nothing at all": {"metadata": {"name": "web-x-default-x-my-vc", "namespace": "team-x"}},
}


@pytest.mark.parametrize("host", NOT_OURS.values(), ids=NOT_OURS.keys())
@pytest.mark.parametrize("known", [True, False])
def test_what_is_not_ours_is_never_deleted(host: dict[str, Any], known: bool) -> None:
    leaving = changed(host, deletionTimestamp="2024-01-01T00:00:00Z")
    for one in (host, leaving):
        assert not ownership.may_delete_orphan(one, known=known, gvk=POD, tenant=VC)
    assert not ownership.is_managed(host["metadata"], gvk=POD, namespaced=True, tenant=VC)


@pytest.mark.parametrize(
    "missing",
    [labels.OBJECT_KIND, labels.OBJECT_HOST_NAME, labels.OBJECT_HOST_NAMESPACE],
)
def test_an_orphan_with_a_gap_in_its_marks_goes_only_when_we_knew_it(missing: str) -> None:
    host = without(host_object(), "annotations", missing)
    leaving = changed(host, deletionTimestamp="2024-01-01T00:00:00Z")
    assert not ownership.may_delete_orphan(host, known=False, gvk=POD, tenant=VC)
    assert ownership.may_delete_orphan(host, known=True, gvk=POD, tenant=VC)
    assert ownership.may_delete_orphan(leaving, known=False, gvk=POD, tenant=VC)
    assert ownership.is_managed(host["metadata"], gvk=POD, namespaced=True, tenant=VC)


@pytest.mark.parametrize(
    "host",
    [
        having(host_object(), "annotations", **{labels.SKIP_BACKSYNC: "true"}),
        having(host_object(), "annotations", **{labels.CONTROLLED_BY: "plugin"}),
        having(host_object(), "labels", **{labels.CONTROLLED_BY: "vcluster"}),
    ],
)
def test_an_orphan_of_somebody_else_stays(host: dict[str, Any]) -> None:
    assert not ownership.may_delete_orphan(host, known=True, gvk=POD, tenant=VC)


def test_an_object_with_a_special_name_is_managed_and_stays_unless_it_is_named() -> None:
    special = HostKey("team-x", names.root_ca_name(VC))
    key = VirtualKey("default", names.ROOT_CA)
    host = host_object(key, host=special)
    assert ownership.claims(host["metadata"], key, VC)
    assert not ownership.is_managed(host["metadata"], gvk=POD, namespaced=True, tenant=VC)
    assert ownership.is_managed(host["metadata"], gvk=POD, namespaced=True, tenant=VC, host_key=special)
    assert not ownership.may_delete_orphan(host, known=True, gvk=POD, tenant=VC)
    assert ownership.may_delete_orphan(host, known=True, gvk=POD, tenant=VC, host_key=special)


def test_a_cluster_scoped_object_is_managed_by_its_marker_alone() -> None:
    meta = {"name": "any", "labels": {labels.MANAGED_BY: "team-x-x-my-vc"}}
    assert ownership.is_managed(meta, gvk=POD, namespaced=False, tenant=VC)
    assert not ownership.is_managed(meta, gvk=POD, namespaced=True, tenant=VC)
    assert not ownership.may_delete_orphan({"metadata": meta}, known=True, gvk=POD, tenant=VC)


def test_everything_belongs_to_the_service_of_the_virtual_cluster() -> None:
    owner = {"apiVersion": "v1", "kind": "Service", "name": "my-vc", "uid": "s-1"}
    assert ownership.owner_references("s-1", VC, controller=False) == [owner]
    assert ownership.owner_references("s-1", VC, controller=True) == [{**owner, "controller": True}]


@hypothesis.given(strategies.keys, strategies.tenants, strategies.keys, strategies.tenants)
def test_a_host_object_is_claimed_by_exactly_one_key_of_one_tenant(
    key: VirtualKey, tenant: Tenant, other: VirtualKey, others: Tenant
) -> None:
    meta = host_object(key, tenant)["metadata"]
    assert ownership.claims(meta, key, tenant)
    assert ownership.claims(meta, other, others) == ((key, tenant) == (other, others))


@hypothesis.given(strategies.cluster_keys, strategies.tenants, strategies.cluster_keys, strategies.tenants)
def test_a_cluster_scoped_host_object_is_claimed_by_exactly_one_key_of_one_tenant(
    key: VirtualKey, tenant: Tenant, other: VirtualKey, others: Tenant
) -> None:
    meta = host_object(key, tenant)["metadata"]
    assert ownership.claims(meta, key, tenant)
    assert ownership.claims(meta, other, others) == ((key, tenant) == (other, others))


@hypothesis.given(strategies.keys, strategies.tenants)
def test_what_we_write_may_be_deleted_by_us(key: VirtualKey, tenant: Tenant) -> None:
    assert ownership.may_delete_orphan(host_object(key, tenant), known=False, gvk=POD, tenant=tenant)
