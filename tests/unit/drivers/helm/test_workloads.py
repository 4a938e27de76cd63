from __future__ import annotations

import datetime
from typing import Any

import pytest

from nestling.drivers.helm import scaling, workloads

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


def labels(name: str = "my-vc") -> dict[str, str]:
    return {"app": "vcluster", "release": name, "chart": "vcluster-0.1.0", "heritage": "Helm"}


def workload(
    name: str = "my-vc", *, kind: str = "StatefulSet", replicas: int = 1, **annotations: str
) -> dict[str, Any]:
    containers = {
        "initContainers": [{"name": "kubernetes", "image": "ghcr.io/loft-sh/kubernetes:v1.36.0"}],
        "containers": [{"name": "syncer", "image": "registry:5000/x/nestling:0.1.0@sha256:abc"}],
    }
    return {
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": "ns",
            "labels": labels(name),
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "generation": 2,
        },
        "spec": {"replicas": replicas, "template": {"spec": containers}},
        "status": {"observedGeneration": 2},
    }


def pod(name: str = "my-vc", **status: Any) -> dict[str, Any]:
    meta = {"name": f"{name}-0", "namespace": "ns", "labels": labels(name)}
    return {"metadata": meta, "status": {"phase": "Pending", **status}}


READY: dict[str, Any] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


def waiting(reason: str, message: str = "") -> list[dict[str, Any]]:
    return [{"name": "x", "state": {"waiting": {"reason": reason, "message": message}}}]


@pytest.mark.parametrize(
    ("pods", "status", "detail"),
    [
        ([pod(**READY)], "Running", ""),
        ([pod(**READY), pod(containerStatuses=waiting("CrashLoopBackOff"))], "Running", ""),
        ([], "Pending", "its pod was not created yet"),
        ([pod(containerStatuses=waiting("ImagePullBackOff", "no such image"))], "ImagePullBackOff", "no such image"),
        ([pod(initContainerStatuses=waiting("ErrImagePull"))], "Init:ErrImagePull", ""),
        ([pod(phase="Running", conditions=[])], "Pending", "its API server is not ready yet"),
        ([pod(conditions=[{"status": "False", "message": "0/3 nodes"}])], "Pending", "0/3 nodes"),
        ([pod(phase="Failed")], "Error", ""),
        ([pod(phase="Failed", reason="Evicted", message="low on memory")], "Evicted", "low on memory"),
        ([pod(containerStatuses=[{"name": "x", "state": {"terminated": {"exitCode": 3}}}])], "ExitCode:3", ""),
    ],
)
def test_the_status_is_what_kubectl_shows_for_the_pod(pods: list[dict[str, Any]], status: str, detail: str) -> None:
    assert workloads.status_of(workload(), pods) == (status, detail)


def test_a_paused_one_and_one_without_replicas_are_told_apart() -> None:
    assert workloads.status_of(workload(replicas=0), [])[0] == "ScaledDown"
    paused = workload(replicas=0)
    paused["metadata"]["annotations"] = {"loft.sh/paused": "true"}
    assert workloads.status_of(paused, [])[0] == "Paused"


def test_what_keeps_a_deployment_from_having_pods_is_said() -> None:
    found = workload(kind="Deployment")
    found["status"]["conditions"] = [{"type": "ReplicaFailure", "message": "exceeded quota"}]
    assert workloads.status_of(found, []) == ("Pending", "exceeded quota")


def test_a_virtual_cluster_is_named_by_its_release_with_versions_and_context() -> None:
    (found,) = workloads.clusters([workload()], [], [pod(**READY), pod("other", **READY)], host_context="prod")
    assert (found.name, found.namespace, found.status) == ("my-vc", "ns", "Running")
    assert (found.version, found.kubernetes_version) == ("0.1.0", "v1.36.0")
    assert found.image_tags == {"api": "v1.36.0", "syncer": "0.1.0"}
    assert found.context_name == "vcluster_my-vc_ns_prod"
    assert found.created == NOW


def service(heritage: str = "Helm", **meta: str) -> dict[str, Any]:
    found = {"name": "my-vc", "namespace": "ns", "creationTimestamp": "2026-01-02T03:04:05Z", **meta}
    return {"metadata": {**found, "labels": {**labels(), "heritage": heritage}}}


def test_a_service_without_a_workload_is_a_virtual_cluster_that_was_half_made() -> None:
    (found,) = workloads.clusters([], [service()], [], host_context="prod")
    assert (found.status, found.detail) == ("Failed", "its creation was interrupted")
    (found,) = workloads.clusters([], [service(deletionTimestamp="2026-01-02T03:04:05Z")], [], host_context="prod")
    assert found.status == "Terminating"


def test_the_service_of_a_virtual_cluster_of_the_local_driver_is_none_of_helms() -> None:
    assert workloads.clusters([], [service("Nestling")], [], host_context="prod") == []


def test_pausing_remembers_the_replicas_and_resuming_forgets_the_pause() -> None:
    patch = workloads.pausing(workload(replicas=3), NOW)
    assert patch["spec"] == {"replicas": 0}
    assert patch["metadata"]["annotations"] == {
        "loft.sh/paused": "true",
        "loft.sh/paused-replicas": "3",
        "loft.sh/paused-date": "2026-01-02T03:04:05Z",
    }
    paused = workload(replicas=0)
    paused["metadata"]["annotations"] = patch["metadata"]["annotations"]
    assert workloads.pausing(paused, NOW)["metadata"]["annotations"]["loft.sh/paused-replicas"] == "3"
    assert workloads.resuming(paused) == {
        "metadata": {"annotations": dict.fromkeys(patch["metadata"]["annotations"])},
        "spec": {"replicas": 3},
    }


@pytest.mark.parametrize("text", ["", "0", "-1", "many"])
def test_what_was_paused_without_a_number_gets_one_replica(text: str) -> None:
    paused = workload(replicas=0)
    paused["metadata"]["annotations"] = {"loft.sh/paused-replicas": text}
    assert workloads.resuming(paused)["spec"]["replicas"] == 1


@pytest.mark.parametrize(
    ("status", "rolled_out"),
    [
        ({"observedGeneration": 2, "updatedReplicas": 1, "readyReplicas": 1}, True),
        ({"observedGeneration": 1, "updatedReplicas": 1, "readyReplicas": 1}, False),
        ({"observedGeneration": 2, "readyReplicas": 1}, False),
        ({"observedGeneration": 2, "updatedReplicas": 1}, False),
    ],
)
def test_an_upgrade_is_through_when_a_pod_of_the_new_form_is_ready(status: dict[str, int], rolled_out: bool) -> None:
    assert scaling.rolled_out({**workload(), "status": status}) is rolled_out
    assert scaling.rolled_out({**workload(replicas=0), "status": status}) is False
