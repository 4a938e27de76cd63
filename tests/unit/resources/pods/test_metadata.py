"""Metadata of an existing host pod (spec §1.2; §2.2, "Update")."""

from __future__ import annotations

from nestling.naming import labels
from nestling.resources.pods import metadata
from tests.unit.resources.pods import builders as b

REPLICA_SET = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "u", "controller": True}


def test_overlay_refreshes_the_labels_of_the_namespace() -> None:
    old, new = b.pod_context(namespace_labels={"team": "a", "gone": "x"}), b.pod_context(namespace_labels={"team": "b"})
    host = b.host_of(b.pod(meta={"labels": {"app": "web"}}), old)
    found = metadata.overlay(new, b.pod(), host["metadata"], host)["labels"]
    assert found[labels.namespace_label_key("team", b.TENANT)] == "b"
    assert labels.namespace_label_key("gone", b.TENANT) not in found
    assert found["app"] == "web"


def test_overlay_follows_labels_and_owners_of_the_virtual_pod() -> None:
    before = b.pod(meta={"ownerReferences": [REPLICA_SET]})
    host = b.host_of(before)
    assert host["metadata"]["annotations"]["vcluster.loft.sh/owner-set-kind"] == "ReplicaSet"
    found = metadata.overlay(b.pod_context(), b.pod(meta={"labels": {"a": "1"}}), host["metadata"], host)["annotations"]
    assert found["vcluster.loft.sh/labels"] == 'a="1"'
    assert not {"vcluster.loft.sh/owner-references", "vcluster.loft.sh/owner-set-kind"} & found.keys()
    assert found["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"


def test_overlay_keeps_what_was_settled_at_creation() -> None:
    virtual = b.pod(subdomain="nginx", schedulingGates=[{"name": "g"}])
    host = b.host_of(virtual)
    found = metadata.overlay(b.pod_context(), b.pod(), host["metadata"], host)["annotations"]
    assert found["vcluster.loft.sh/hosts-rewritten"] == "true"
    assert found["vcluster.loft.sh/scheduling-gates"] == "g"


def test_overlay_of_an_unchanged_pod_changes_nothing() -> None:
    virtual = b.pod(subdomain="nginx", meta={"labels": {"a": "1"}, "ownerReferences": [REPLICA_SET]})
    ctx = b.pod_context(namespace_labels={"team": "a"})
    host = b.host_of(virtual, ctx)
    assert metadata.overlay(ctx, virtual, host["metadata"], host) == host["metadata"]


def test_overlay_keeps_annotations_and_labels_of_the_host() -> None:
    host = b.host_of(b.pod())
    host["metadata"]["annotations"]["cni/ips"] = "[]"
    host["metadata"]["labels"]["operator"] = "x"
    found = metadata.overlay(b.pod_context(), b.pod(), host["metadata"], host)
    assert found["annotations"]["cni/ips"] == "[]"
    assert found["labels"]["operator"] == "x"


def test_downward_api_format_escapes_values() -> None:
    assert metadata.format_map({"b": 'x"y', "a": "1"}) == 'a="1"\nb="x\\"y"'
