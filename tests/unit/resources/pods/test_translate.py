"""Each row of the table in spec §2.2 has a test named after it; large rows are in the tests of their modules."""

from __future__ import annotations

import json

import pytest

from nestling.naming import labels
from nestling.resources.pods import context, translate
from nestling.resources.pods.options import PriorityClasses
from tests.unit.resources.pods import builders as b


def test_metadata_has_host_name_marks_and_no_status() -> None:
    virtual = b.pod(
        meta={"labels": {"app": "web"}, "finalizers": ["x/y"], "managedFields": [{}]}, status={"phase": "Running"}
    )
    host = translate.translate(b.pod_context(), virtual)
    assert "status" not in host
    meta = host["metadata"]
    assert (meta["name"], meta["namespace"]) == ("web-x-default-x-my-vc", "team-x")
    assert meta["labels"] == {
        "app": "web",
        "vcluster.loft.sh/managed-by": "my-vc",
        "vcluster.loft.sh/namespace": "default",
    }
    assert not {"finalizers", "managedFields", "uid", "resourceVersion"} & meta.keys()
    annotations = meta["annotations"]
    assert annotations["vcluster.loft.sh/object-name"] == "web"
    assert annotations["vcluster.loft.sh/object-kind"] == "/v1, Kind=Pod"
    assert annotations["vcluster.loft.sh/object-uid"] == "pod-uid"


def test_metadata_owner_is_the_service_of_the_virtual_cluster() -> None:
    [owner] = translate.translate(b.pod_context(), b.pod())["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Service", "my-vc", "service-uid")
    assert "ownerReferences" not in translate.translate(b.pod_context(owner_uid=None), b.pod())["metadata"]


def test_pod_only_annotations() -> None:
    virtual = b.pod(meta={"labels": {"b": "2", "a": "1"}}, serviceAccountName="runner")
    annotations = translate.translate(b.pod_context(), virtual)["metadata"]["annotations"]
    assert annotations["vcluster.loft.sh/name"] == "web"
    assert annotations["vcluster.loft.sh/namespace"] == "default"
    assert annotations["vcluster.loft.sh/uid"] == "pod-uid"
    assert annotations["vcluster.loft.sh/service-account-name"] == "runner"
    assert annotations["vcluster.loft.sh/labels"] == 'a="1"\nb="2"'
    assert "vcluster.loft.sh/owner-references" not in annotations
    assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"


def test_pod_only_annotations_about_owners() -> None:
    owner = {"uid": "u", "name": "web-1", "kind": "ReplicaSet", "apiVersion": "apps/v1", "controller": True}
    annotations = translate.translate(b.pod_context(), b.pod(meta={"ownerReferences": [owner]}))["metadata"][
        "annotations"
    ]
    assert json.loads(annotations["vcluster.loft.sh/owner-references"]) == [owner]
    assert annotations["vcluster.loft.sh/owner-references"].startswith('[{"apiVersion":"apps/v1","kind":')
    assert annotations["vcluster.loft.sh/owner-set-kind"] == "ReplicaSet"
    assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "true"
    assert "cluster-autoscaler.kubernetes.io/daemonset-pod" not in annotations


@pytest.mark.parametrize(
    ("kind", "group", "expected"),
    [("Job", "batch/v1", None), ("DaemonSet", "apps/v1", "DaemonSet"), ("Foo", "apps/v1", None)],
)
def test_owner_set_kind_is_only_for_apps(kind: str, group: str, expected: str | None) -> None:
    owner = {"uid": "u", "name": "x", "kind": kind, "apiVersion": group, "controller": True}
    annotations = translate.translate(b.pod_context(), b.pod(meta={"ownerReferences": [owner]}))["metadata"][
        "annotations"
    ]
    assert annotations.get("vcluster.loft.sh/owner-set-kind") == expected
    assert annotations.get("cluster-autoscaler.kubernetes.io/daemonset-pod") == (
        "true" if kind == "DaemonSet" else None
    )


def test_safe_to_evict_of_the_user_is_respected() -> None:
    virtual = b.pod(meta={"annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"}})
    annotations = translate.translate(b.pod_context(), virtual)["metadata"]["annotations"]
    assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "true"


def test_namespace_labels_are_on_the_pod() -> None:
    ctx = b.pod_context(namespace_labels={"team": "a"})
    host_labels = translate.translate(ctx, b.pod())["metadata"]["labels"]
    assert host_labels[labels.namespace_label_key("team", b.TENANT)] == "a"


def test_service_account_name_is_the_workload_account() -> None:
    spec = b.spec_of(b.pod(serviceAccountName="admin", serviceAccount="admin"))
    assert spec["serviceAccountName"] == "vc-workload-my-vc"
    assert "serviceAccount" not in spec


def test_service_account_name_is_translated_when_accounts_are_synced() -> None:
    assert (
        b.spec_of(b.pod(serviceAccountName="admin"), sync_service_accounts=True)["serviceAccountName"]
        == "admin-x-default-x-my-vc"
    )


def test_automount_and_service_links_are_off() -> None:
    spec = b.spec_of(b.pod(automountServiceAccountToken=True, enableServiceLinks=True))
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False


def test_priority_class_is_cleared_without_sync() -> None:
    spec = b.spec_of(b.pod(priorityClassName="high", priority=100, preemptionPolicy="Never"))
    assert not {"priorityClassName", "priority", "preemptionPolicy"} & spec.keys()


def test_priority_class_to_host_is_translated_and_capped() -> None:
    spec = b.spec_of(b.pod(priorityClassName="high", priority=2_000_000_000), priority_classes=PriorityClasses.TO_HOST)
    assert spec["priorityClassName"] == "vcluster-high-x-team-x-x-my-vc"
    assert spec["priority"] == 1_000_000_000


def test_priority_class_from_host_is_kept() -> None:
    spec = b.spec_of(b.pod(priorityClassName="high", priority=7), priority_classes=PriorityClasses.FROM_HOST)
    assert (spec["priorityClassName"], spec["priority"]) == ("high", 7)


def test_priority_class_from_host_must_be_offered() -> None:
    offered = b.pod_context(priority_classes=PriorityClasses.FROM_HOST, offered_priority_classes=frozenset({"low"}))
    with pytest.raises(context.Refused, match="high"):
        translate.translate(offered, b.pod(priorityClassName="high"))
    assert translate.translate(offered, b.pod(priorityClassName="system-node-critical"))


@pytest.mark.parametrize("mode", list(PriorityClasses))
def test_priority_class_of_the_configuration_fills_an_empty_one(mode: PriorityClasses) -> None:
    spec = b.spec_of(b.pod(priority=0), priority_classes=mode, priority_class_name="tenants")
    assert spec["priorityClassName"] == "tenants"
    assert "priority" not in spec


def test_runtime_class_name_is_overridden() -> None:
    spec = b.spec_of(b.pod(runtimeClassName="runc", overhead={"cpu": "1"}), runtime_class_name="gvisor")
    assert spec["runtimeClassName"] == "gvisor"
    assert "overhead" not in spec
    assert b.spec_of(b.pod(runtimeClassName="runc"))["runtimeClassName"] == "runc"


def test_runtime_class_must_be_offered() -> None:
    with pytest.raises(context.Refused, match="kata"):
        translate.translate(b.pod_context(offered_runtime_classes=frozenset({"runc"})), b.pod(runtimeClassName="kata"))


def test_image_map_is_an_exact_match_for_every_kind_of_container() -> None:
    image_map = {"nginx": "mirror.local/nginx", "busybox": "mirror.local/busybox"}
    spec = b.spec_of(
        b.pod(
            containers=[b.container(), b.container("b", image="nginx:1")],
            initContainers=[b.container("i", image="busybox")],
        ),
        image_map=image_map,
    )
    assert [one["image"] for one in spec["containers"]] == ["mirror.local/nginx", "nginx:1"]
    assert spec["initContainers"][0]["image"] == "mirror.local/busybox"


def test_ephemeral_containers_are_not_part_of_a_new_pod() -> None:
    assert "ephemeralContainers" not in b.spec_of(b.pod(ephemeralContainers=[b.container("debug")]))


def test_image_pull_secrets_are_translated() -> None:
    assert b.spec_of(b.pod(imagePullSecrets=[{"name": "reg"}]))["imagePullSecrets"] == [
        {"name": "reg-x-default-x-my-vc"}
    ]


def test_pod_level_resources_need_a_new_host() -> None:
    virtual = b.pod(resources={"requests": {"cpu": "1"}})
    assert "resources" not in b.spec_of(virtual, host_minor=33)
    assert b.spec_of(virtual, host_minor=34)["resources"] == {"requests": {"cpu": "1"}}


def test_fields_that_nobody_knows_are_copied() -> None:
    virtual = b.pod(
        nodeSelector={"disk": "ssd"},
        schedulerName="fast",
        schedulingGates=[{"name": "quota"}],
        securityContext={"runAsUser": 5},
        readinessGates=[{"conditionType": "x/ready"}],
        terminationGracePeriodSeconds=3,
        somethingNew={"deep": [1, {"x": True}]},
    )
    spec = b.spec_of(virtual)
    for field in (
        "nodeSelector",
        "schedulerName",
        "schedulingGates",
        "securityContext",
        "readinessGates",
        "somethingNew",
    ):
        assert spec[field] == virtual["spec"][field]
    assert spec["terminationGracePeriodSeconds"] == 3


def test_node_name_is_kept() -> None:
    assert b.spec_of(b.pod(nodeName="n1"), known_nodes=frozenset({"n1"}))["nodeName"] == "n1"


def test_node_name_that_the_tenant_does_not_see_is_refused() -> None:
    with pytest.raises(context.Refused, match="Given nodeName n2 does not exist in virtual cluster"):
        translate.translate(b.pod_context(known_nodes=frozenset({"n1"})), b.pod(nodeName="n2"))


def test_translation_does_not_share_memory_with_the_virtual_pod() -> None:
    virtual = b.pod(tolerations=[{"key": "a"}], securityContext={"x": {"y": 1}})
    before = b.untouched(virtual)
    host = translate.translate(b.pod_context(), virtual)
    host["spec"]["securityContext"]["x"]["y"] = 2
    host["spec"]["containers"][0]["image"] = "other"
    host["spec"]["tolerations"][0]["key"] = "b"
    assert virtual == before


def test_warnings_name_what_is_not_carried_over() -> None:
    assert translate.warnings(b.pod()) == ()
