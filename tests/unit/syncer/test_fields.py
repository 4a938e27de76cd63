"""Field ownership as rows (spec §1.7)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestling.kube.resource import Obj
from nestling.naming import labels
from nestling.syncer import fields
from nestling.syncer.fields import Versions

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=3), JSON, max_size=4)


def spec(**values: Any) -> Obj:
    return {"spec": values}


def merged(rows: tuple[fields.Row, ...], virtual: Versions, host: Versions) -> tuple[Obj, Obj]:
    return fields.merge(rows, virtual=virtual, translated=virtual.now, host=host)


def test_virtual_wins_writes_the_translated_value_to_the_host() -> None:
    virtual, host = spec(selector={"a": "b"}), spec(selector={"old": "one"})
    wanted_virtual, wanted_host = fields.merge(
        fields.virtual_wins("spec.selector"),
        virtual=Versions(virtual, None),
        translated=spec(selector={"a": "b", "mark": "x"}),
        host=Versions(host, None),
    )
    assert wanted_virtual == virtual
    assert wanted_host == spec(selector={"a": "b", "mark": "x"})


def test_virtual_wins_removes_what_the_tenant_removed() -> None:
    assert merged(fields.virtual_wins("spec.x"), Versions(spec(), None), Versions(spec(x=1), None)) == (spec(), spec())


def test_host_wins_writes_the_hosts_value_to_the_virtual_object() -> None:
    virtual, host = {"status": {"phase": "Pending"}}, {"status": {"phase": "Bound"}}
    assert merged(fields.host_wins("status"), Versions(virtual, None), Versions(host, None)) == (host, host)


def test_host_wins_removes_what_the_host_does_not_have() -> None:
    assert merged(fields.host_wins("status"), Versions({"status": 1}, None), Versions({}, None)) == ({}, {})


@pytest.mark.parametrize(
    ("virtual_now", "host_now", "expected"),
    [
        ("old", "old", "old"),
        ("new", "old", "new"),
        ("old", "new", "new"),
        ("ours", "theirs", "ours"),
    ],
)
def test_whoever_changed_counts_and_the_virtual_one_if_both_did(virtual_now: str, host_now: str, expected: str) -> None:
    wanted = merged(
        fields.whoever_changed("spec.type"),
        Versions(spec(type=virtual_now), spec(type="old")),
        Versions(spec(type=host_now), spec(type="old")),
    )
    assert wanted == (spec(type=expected), spec(type=expected))


def test_whoever_changed_without_memory_the_virtual_one_counts() -> None:
    rows = fields.whoever_changed("spec.type")
    wanted = merged(rows, Versions(spec(type="ours"), None), Versions(spec(type="theirs"), None))
    assert wanted == (spec(type="ours"), spec(type="ours"))


def test_whoever_changed_keeps_values_that_always_differed() -> None:
    virtual, host = spec(ports=[1]), spec(ports=[2])
    rows = fields.whoever_changed("spec.ports")
    assert merged(rows, Versions(virtual, virtual), Versions(host, host)) == (virtual, host)


def test_a_removal_is_a_change() -> None:
    rows = fields.whoever_changed("data")
    before = {"data": {"a": "b"}}
    assert merged(rows, Versions({}, before), Versions(before, before)) == ({}, {})
    assert merged(rows, Versions(before, before), Versions({}, before)) == ({}, {})


def test_fields_without_a_row_stay_as_they_are() -> None:
    assert merged((), Versions(spec(a=1), None), Versions(spec(b=2), None)) == (spec(a=1), spec(b=2))


def test_merge_changes_no_input() -> None:
    virtual, host = spec(deep={"a": [1]}), spec(deep={"b": [2]})
    wanted_virtual, wanted_host = merged(
        fields.virtual_wins("spec.deep"), Versions(virtual, None), Versions(host, None)
    )
    wanted_virtual["spec"]["deep"]["a"].append(2)
    wanted_host["spec"]["other"] = 1
    assert (virtual, host) == (spec(deep={"a": [1]}), spec(deep={"b": [2]}))


def test_extract_leaves_out_our_own_marks_on_the_host() -> None:
    notes = {labels.OBJECT_UID: "u-1", "volume.kubernetes.io/selected-node": "n-1"}
    obj = {"metadata": {"annotations": notes, "labels": {labels.MANAGED_BY: "my-vc"}}}
    assert fields.extract((), obj, is_virtual=False) == {
        "metadata": {
            "annotations": {"volume.kubernetes.io/selected-node": "n-1"},
            "labels": {labels.MANAGED_BY: "my-vc"},
        }
    }
    assert fields.extract((), obj, is_virtual=True) == obj


def test_extract_keeps_metadata_maps_and_rows_that_go_both_ways() -> None:
    obj = {
        "metadata": {"name": "x", "labels": {"a": "b"}, "annotations": {"c": "d"}, "uid": "1"},
        "spec": {"type": "ClusterIP", "selector": {"e": "f"}},
        "status": {"phase": "Bound"},
    }
    rows = (*fields.whoever_changed("spec.type", "spec.absent"), *fields.virtual_wins("spec.selector"))
    expected = {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}, "spec": {"type": "ClusterIP"}}
    assert fields.extract(rows, obj, is_virtual=True) == expected
    assert fields.extract(rows, obj, is_virtual=False) == expected


def test_fields_that_verbs_compare_are_remembered_of_the_virtual_side_alone_and_not_merged() -> None:
    rows = fields.remembered("spec.image")
    virtual, host = spec(image="a"), spec(image="b")
    assert fields.extract(rows, virtual, is_virtual=True) == {"metadata": {}, "spec": {"image": "a"}}
    assert fields.extract(rows, host, is_virtual=False) == {"metadata": {}}
    merged = fields.merge(rows, virtual=Versions(virtual, None), translated=virtual, host=Versions(host, None))
    assert merged == (virtual, host)


def test_body_is_a_copy_without_metadata_and_status() -> None:
    obj = {"metadata": {}, "status": {}, "spec": {"a": [1]}}
    body = fields.body(obj)
    body["spec"]["a"].append(2)
    assert (body, obj["spec"]) == ({"spec": {"a": [1, 2]}}, {"a": [1]})


def test_put_creates_and_removes() -> None:
    obj: Obj = {"a": None}
    fields.put(obj, ("a", "b", "c"), 1)
    assert obj == {"a": {"b": {"c": 1}}}
    missing = fields.get(obj, ("a", "x"))
    assert fields.is_missing(missing)
    fields.put(obj, ("a", "b", "c"), missing)
    fields.put(obj, ("x", "y"), missing)
    assert obj == {"a": {"b": {}}}


@given(OBJECTS)
def test_a_clone_is_equal_and_separate(obj: Obj) -> None:
    copied = fields.clone(obj)
    assert copied == obj
    copied["new key"] = 1
    assert "new key" not in obj


@given(virtual=JSON, host=JSON, owner=st.sampled_from(fields.Owner), is_known=st.booleans())
def test_merging_what_was_merged_changes_nothing(virtual: Any, host: Any, owner: fields.Owner, is_known: bool) -> None:
    rows = (fields.Row(("x",), owner),)
    ours, theirs = {"x": virtual}, {"x": host}
    agreed = (ours, theirs) if is_known else (None, None)
    first = merged(rows, Versions(ours, agreed[0]), Versions(theirs, agreed[1]))
    assert merged(rows, Versions(first[0], first[0]), Versions(first[1], first[1])) == first
