"""Labels, annotations and owners on both sides (spec §1.2, §1.3)."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestling.kube.resource import SERVICES, Obj
from nestling.naming import labels
from nestling.naming.tenant import HostKey
from nestling.syncer import fields, metadata
from nestling.syncer.spec import Agreed, SyncSpec
from tests.support import syncing

HOST_KEY = HostKey("team-x", "web-x-default-x-my-vc")
STRINGS = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("12"), max_size=4)


@pytest.fixture
def world() -> syncing.World:
    return syncing.World()


@pytest.fixture
def spec(world: syncing.World) -> SyncSpec:
    return world.spec("configmaps")


def virtual_object(**meta: Obj) -> Obj:
    return {"metadata": {"name": "web", "namespace": "default", "uid": "u-1", "resourceVersion": "5", **meta}}


def created(world: syncing.World, spec: SyncSpec, virtual: Obj) -> Obj:
    """The host object as the first reconcile makes it."""
    meta = metadata.for_create(world.manager.context, spec, virtual, HOST_KEY)
    return {"metadata": {**meta, "uid": "h-1", "resourceVersion": "9"}}


def updated(
    world: syncing.World, spec: SyncSpec, virtual: Obj, host: Obj, agreed: tuple[Obj, Obj] | None = None
) -> tuple[Obj, Obj]:
    known = None
    if agreed:
        ours = fields.extract((), agreed[0], is_virtual=True)
        known = Agreed(ours, fields.extract((), agreed[1], is_virtual=False))
    return metadata.for_update(world.manager.context, spec, virtual, host, HOST_KEY, known)


def test_a_new_host_object_carries_all_marks(world: syncing.World, spec: SyncSpec) -> None:
    virtual = virtual_object(labels={"app": "web"}, annotations={"note": "x"})
    assert metadata.for_create(world.manager.context, spec, virtual, HOST_KEY) == {
        "name": HOST_KEY.name,
        "namespace": "team-x",
        "labels": {"app": "web", labels.MANAGED_BY: "my-vc", labels.NAMESPACE: "default"},
        "annotations": {
            "note": "x",
            labels.OBJECT_NAME: "web",
            labels.OBJECT_NAMESPACE: "default",
            labels.OBJECT_UID: "u-1",
            labels.OBJECT_KIND: "/v1, Kind=ConfigMap",
            labels.OBJECT_HOST_NAME: HOST_KEY.name,
            labels.OBJECT_HOST_NAMESPACE: "team-x",
            labels.MANAGED_ANNOTATIONS: "note",
            labels.MANAGED_LABELS: "app",
        },
        "ownerReferences": [
            {
                "apiVersion": "v1",
                "kind": "Service",
                "name": "my-vc",
                "uid": world.host.there(SERVICES, "team-x", "my-vc")["metadata"]["uid"],
            }
        ],
    }


def test_owner_references_finalizers_and_managed_fields_of_the_tenant_stay_above(
    world: syncing.World, spec: SyncSpec
) -> None:
    virtual = virtual_object()
    virtual["metadata"] |= {
        "ownerReferences": [{"kind": "ReplicaSet", "name": "rs", "uid": "x", "controller": True}],
        "finalizers": ["mine/hold"],
        "managedFields": [{}],
    }
    meta = created(world, spec, virtual)["metadata"]
    assert "finalizers" not in meta
    assert "managedFields" not in meta
    assert [(owner["name"], owner["controller"]) for owner in meta["ownerReferences"]] == [("my-vc", True)]


def test_set_owner_false_leaves_the_host_object_without_owner(spec: SyncSpec) -> None:
    world = syncing.World("experimental: {syncSettings: {setOwner: false}}")
    assert "ownerReferences" not in created(world, spec, virtual_object())["metadata"]


def test_forged_marks_of_a_tenant_do_not_reach_the_host(world: syncing.World, spec: SyncSpec) -> None:
    forged_labels = {labels.MANAGED_BY: "other-vc", labels.NAMESPACE: "kube-system", "release": "prometheus"}
    forged_annotations = {labels.OBJECT_NAME: "x", labels.OBJECT_UID: "x", labels.SKIP_BACKSYNC: "true"}
    virtual = virtual_object(labels=forged_labels, annotations=forged_annotations)
    meta = created(world, spec, virtual)["metadata"]
    assert meta["labels"][labels.MANAGED_BY] == "my-vc"
    assert meta["labels"][labels.NAMESPACE] == "default"
    assert "release" not in meta["labels"]
    assert meta["annotations"][labels.OBJECT_NAME] == "web"
    assert labels.SKIP_BACKSYNC not in meta["annotations"]


def test_an_unchanged_pair_is_left_alone(world: syncing.World, spec: SyncSpec) -> None:
    virtual = virtual_object(labels={"app": "web", "release": "r1"}, annotations={"note": "x"})
    host = created(world, spec, virtual)
    for agreed in (None, (virtual, host)):
        assert updated(world, spec, virtual, host, agreed) == (virtual["metadata"], host["metadata"])


def test_the_tenants_change_goes_down(world: syncing.World, spec: SyncSpec) -> None:
    before = virtual_object(labels={"app": "web", "gone": "1"})
    host = created(world, spec, before)
    _, meta = updated(world, spec, virtual_object(labels={"app": "api", "more": "2"}), host, (before, host))
    assert {key: value for key, value in meta["labels"].items() if "/" not in key} == {"app": "api", "more": "2"}


def test_a_change_on_the_host_comes_up(world: syncing.World, spec: SyncSpec) -> None:
    virtual = virtual_object(labels={"app": "web"}, annotations={"note": "x"})
    before = created(world, spec, virtual)
    host = fields.clone(before)
    host["metadata"]["labels"] |= {"seen-by": "host", "app": "changed"}
    del host["metadata"]["annotations"]["note"]
    meta, _ = updated(world, spec, virtual, host, (virtual, before))
    assert meta["labels"] == {"app": "changed", "seen-by": "host"}
    assert "annotations" not in meta


def test_a_key_that_was_removed_while_we_were_down_is_removed_on_the_host(world: syncing.World, spec: SyncSpec) -> None:
    host = created(world, spec, virtual_object(labels={"app": "web", "gone": "1"}, annotations={"left": "1"}))
    host["metadata"]["labels"]["hosts-own"] = "1"
    host["metadata"]["annotations"]["hosts-note"] = "1"
    virtual, meta = updated(world, spec, virtual_object(labels={"app": "web"}), host)
    assert "gone" not in meta["labels"]
    assert "left" not in meta["annotations"]
    assert meta["labels"]["hosts-own"] == "1"
    assert virtual["labels"] == {"app": "web", "hosts-own": "1"}
    assert virtual["annotations"] == {"hosts-note": "1"}


def test_a_mark_that_somebody_removed_comes_back(world: syncing.World, spec: SyncSpec) -> None:
    virtual = virtual_object(labels={"app": "web"})
    before = created(world, spec, virtual)
    host = fields.clone(before)
    del host["metadata"]["annotations"][labels.OBJECT_UID]
    host["metadata"]["labels"][labels.NAMESPACE] = "elsewhere"
    meta_virtual, meta_host = updated(world, spec, virtual, host, (virtual, before))
    assert meta_host == before["metadata"]
    assert meta_virtual == virtual["metadata"]


def test_controlled_by_of_the_host_is_kept_and_not_shown(world: syncing.World, spec: SyncSpec) -> None:
    virtual = virtual_object()
    host = created(world, spec, virtual)
    host["metadata"]["labels"][labels.CONTROLLED_BY] = "plugin"
    meta_virtual, meta_host = updated(world, spec, virtual, host, (virtual, host))
    assert meta_host["labels"][labels.CONTROLLED_BY] == "plugin"
    assert "labels" not in meta_virtual


def test_excluded_keys_stay_on_their_side(world: syncing.World, spec: SyncSpec) -> None:
    picky = dataclasses.replace(spec, excluded_labels=frozenset({"l"}), excluded_annotations=frozenset({"a"}))
    virtual = virtual_object(labels={"l": "virtual"}, annotations={"a": "virtual"})
    host = created(world, picky, virtual)
    assert "l" not in host["metadata"]["labels"]
    assert "a" not in host["metadata"]["annotations"]
    host["metadata"]["annotations"]["a"] = "host"
    meta_virtual, meta_host = updated(world, picky, virtual, host, (virtual, host))
    assert meta_virtual["annotations"] == {"a": "virtual"}
    assert meta_virtual["labels"] == {"l": "virtual"}
    assert meta_host["annotations"]["a"] == "host"


def test_a_cluster_scoped_host_object_has_the_cluster_marker_and_no_owner(world: syncing.World, spec: SyncSpec) -> None:
    virtual = {"metadata": {"name": "fast", "uid": "u"}}
    meta = metadata.for_create(world.manager.context, spec, virtual, HostKey("", "vcluster-fast-x-team-x-x-my-vc"))
    assert meta["labels"] == {labels.MANAGED_BY: "team-x-x-my-vc"}
    assert "namespace" not in meta
    assert "ownerReferences" not in meta


@pytest.mark.parametrize(
    ("virtual", "host", "agreed", "expected"),
    [
        ({"k": "1"}, {"k": "1"}, None, {"k": "1"}),
        ({"k": "1"}, {"k": "2"}, None, {"k": "1"}),
        ({}, {"k": "2"}, None, {"k": "2"}),
        ({"k": "1"}, {}, None, {"k": "1"}),
        ({"k": "2"}, {"k": "1"}, ({"k": "1"}, {"k": "1"}), {"k": "2"}),
        ({"k": "1"}, {"k": "2"}, ({"k": "1"}, {"k": "1"}), {"k": "2"}),
        ({"k": "2"}, {"k": "3"}, ({"k": "1"}, {"k": "1"}), {"k": "2"}),
        ({}, {"k": "1"}, ({"k": "1"}, {"k": "1"}), {}),
        ({"k": "1"}, {}, ({"k": "1"}, {"k": "1"}), {}),
        ({"k": "2"}, {}, ({"k": "1"}, {"k": "1"}), {"k": "2"}),
    ],
)
def test_three_way(
    virtual: dict[str, str],
    host: dict[str, str],
    agreed: tuple[dict[str, str], dict[str, str]] | None,
    expected: dict[str, str],
) -> None:
    ours, theirs = agreed or (None, None)
    merged = metadata.three_way(virtual, host, managed=frozenset(), agreed_virtual=ours, agreed_host=theirs)
    assert merged == expected


def test_three_way_without_memory_a_managed_key_that_is_gone_above_goes() -> None:
    merged = metadata.three_way({}, {"k": "1"}, managed=frozenset("k"), agreed_virtual=None, agreed_host=None)
    assert merged == {}


@given(virtual=STRINGS, host=STRINGS, managed=st.frozensets(st.sampled_from("abcd")))
def test_three_way_once_equal_stays_equal(
    virtual: dict[str, str], host: dict[str, str], managed: frozenset[str]
) -> None:
    merged = metadata.three_way(virtual, host, managed=managed, agreed_virtual=None, agreed_host=None)
    again = metadata.three_way(merged, merged, managed=managed, agreed_virtual=merged, agreed_host=merged)
    assert again == merged
