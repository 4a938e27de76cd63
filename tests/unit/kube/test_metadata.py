from __future__ import annotations

import json

import pytest

from nestling.kube import metadata


def test_read() -> None:
    owner = {"apiVersion": "v1", "kind": "Service", "name": "vc", "uid": "u0", "controller": True}
    meta = {
        "name": "web",
        "namespace": "ns",
        "uid": "u1",
        "resourceVersion": "12",
        "generation": 3,
        "labels": {"a": "b"},
        "annotations": {"c": "d"},
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "deletionTimestamp": "2026-01-02T00:00:00Z",
        "finalizers": ["f"],
        "ownerReferences": [owner],
        "managedFields": [{"manager": "x"}],
    }
    found = metadata.read(json.dumps({"kind": "Pod", "metadata": meta, "spec": {"x": 1}}).encode())
    assert found == metadata.Meta(
        name="web",
        namespace="ns",
        uid="u1",
        resource_version="12",
        generation=3,
        labels={"a": "b"},
        annotations={"c": "d"},
        creation_timestamp="2026-01-01T00:00:00Z",
        deletion_timestamp="2026-01-02T00:00:00Z",
        finalizers=("f",),
        owner_references=(metadata.Owner(kind="Service", name="vc", uid="u0", api_version="v1", controller=True),),
    )
    assert found.key == ("ns", "web")
    assert found.revision == 12


def test_cluster_scoped_objects_have_an_empty_namespace() -> None:
    assert metadata.read(b'{"metadata": {"name": "n1", "creationTimestamp": null}}').key == ("", "n1")


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12), ("", None), (None, None), ("a1", None), ("-1", None), ("²", None)]
)
def test_revision(text: str | None, number: int | None) -> None:
    assert metadata.revision(text) == number


_FIELDS = [{"manager": "m", "fieldsV1": {"f:metadata": {"f:labels": {'k:{"a":"b"}': {}}}}}]


@pytest.mark.parametrize(
    "meta",
    [
        {"name": "a", "managedFields": _FIELDS},
        {"managedFields": _FIELDS, "name": "a"},
        {"name": "a", "managedFields": _FIELDS, "uid": "u"},
        {"managedFields": _FIELDS},
        {"name": "a", "managedFields": []},
        {"name": "a"},
        {"name": "a", "annotations": {"x": json.dumps({"managedFields": _FIELDS})}, "managedFields": _FIELDS},
    ],
)
def test_slim_cuts_out_managed_fields_and_nothing_else(meta: dict[str, object]) -> None:
    obj = {"kind": "Pod", "metadata": meta, "spec": {"managedFields": ["mine"]}}
    found = json.loads(metadata.slim(json.dumps(obj, separators=(",", ":")).encode()))
    assert found == obj | {"metadata": {key: value for key, value in meta.items() if key != "managedFields"}}


@pytest.mark.parametrize(
    "obj",
    [
        {"metadata": {"managedFields": [1]}, "spec": {"template": {"metadata": {"managedFields": [1]}}}},
        {"spec": {"template": {"metadata": {"managedFields": [1]}}}, "metadata": {"managedFields": [1]}},
    ],
)
def test_slim_leaves_what_is_not_certain(obj: dict[str, object]) -> None:
    raw = json.dumps(obj, separators=(",", ":")).encode()
    assert metadata.slim(raw) == raw
    spaced = json.dumps(obj).encode()
    assert metadata.slim(spaced) == spaced
