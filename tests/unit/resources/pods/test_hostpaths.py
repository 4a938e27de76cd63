"""Host paths (spec §2.2, row hostPath)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import Obj
from nestling.resources.pods import context, hostpaths, translate
from tests.unit.resources.pods import builders as b

FOLDER = "/tmp/vcluster/team-x/my-vc"


def reader(path: str, mount: str = "/logs", **source: str) -> Obj:
    return b.pod(
        volumes=[b.volume("hostPath", {"path": path, **source})],
        containers=[
            b.container(volumeMounts=[{"name": "data", "mountPath": mount, "readOnly": True}]),
            b.container("other"),
        ],
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/log", f"{FOLDER}/log"),
        ("/var/log/", f"{FOLDER}/log"),
        ("/var/log/pods", f"{FOLDER}/log/pods"),
        ("/var/lib/kubelet/pods", f"{FOLDER}/kubelet/pods"),
        ("//var//log/pods/", f"{FOLDER}/log/pods"),
        ("/var/log/journal", "/var/log/journal"),
        ("/data/x", "/data/x"),
        ("/var/logs", "/var/logs"),
    ],
)
def test_host_path_of_logs_and_pods_is_the_tenants_folder(path: str, expected: str) -> None:
    spec = b.spec_of(reader(path))
    assert spec["volumes"][0]["hostPath"]["path"] == expected
    assert len(spec["volumes"]) == 1


def test_host_path_mounts_follow_the_host() -> None:
    spec = b.spec_of(reader("/var/log"))
    assert spec["containers"][0]["volumeMounts"] == [
        {"name": "data", "mountPath": "/logs", "readOnly": True, "mountPropagation": "HostToContainer"}
    ]
    assert "volumeMounts" not in spec["containers"][1]
    assert "mountPropagation" not in b.spec_of(reader("/data"))["containers"][0]["volumeMounts"][0]


def test_host_path_type_directory_may_appear_later() -> None:
    assert b.spec_of(reader("/var/log", type="Directory"))["volumes"][0]["hostPath"]["type"] == "DirectoryOrCreate"
    assert b.spec_of(reader("/data", type="Directory"))["volumes"][0]["hostPath"]["type"] == "Directory"


@pytest.mark.parametrize(("path", "target"), list(hostpaths.MAPPED.items()))
def test_host_path_mapper_gets_the_originals(path: str, target: str) -> None:
    spec = b.spec_of(reader(path), host_path_mapper=True)
    assert spec["volumes"] == [
        {"name": "data", "hostPath": {"path": f"{FOLDER}/{target}"}},
        {"name": "data-vcluster-physical", "hostPath": {"path": path}},
    ]
    assert spec["containers"][0]["volumeMounts"][1] == {
        "name": "data-vcluster-physical",
        "mountPath": f"/var/vcluster/physical/{target}",
        "readOnly": True,
        "mountPropagation": "HostToContainer",
    }


def test_host_path_mapper_mounts_an_original_once() -> None:
    mounts = [{"name": "data", "mountPath": "/a"}, {"name": "data", "mountPath": "/b"}]
    virtual = b.pod(volumes=[b.volume("hostPath", {"path": "/var/log"})], containers=[b.container(volumeMounts=mounts)])
    spec = b.spec_of(virtual, host_path_mapper=True)
    assert [one["mountPath"] for one in spec["containers"][0]["volumeMounts"]] == [
        "/a",
        "/b",
        "/var/vcluster/physical/log",
    ]


def test_host_path_of_another_pod_of_the_tenant_gets_its_host_uid() -> None:
    spec = b.spec_of(reader("/var/lib/kubelet/pods/v-uid/volumes/x"), host_uids={"v-uid": "h-uid"})
    assert spec["volumes"][0]["hostPath"]["path"] == "/var/lib/kubelet/pods/h-uid/volumes/x"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/lib/kubelet/pods/v-uid/volumes/x", {"v-uid"}),
        ("/var/lib/kubelet/pods/v-uid", {"v-uid"}),
        ("/var/lib/kubelet/./pods//v-uid/../other/", {"other"}),
        ("/var/lib/kubelet/pods", set()),
        ("/var/lib/kubelet/podsx/v-uid", set()),
        ("/data", set()),
    ],
)
def test_pod_uids_that_host_paths_name(path: str, expected: set[str]) -> None:
    assert hostpaths.pod_uids(reader(path)["spec"]) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/lib/kubelet/pods/foreign-uid/volumes", f"{FOLDER}/kubelet/pods/foreign-uid/volumes"),
        ("/var/log/pods/team-y_web_uid", f"{FOLDER}/log/pods/team-y_web_uid"),
        ("/var/lib/kubelet/pods/v-uid/../foreign-uid", f"{FOLDER}/kubelet/pods/foreign-uid"),
    ],
)
def test_host_path_of_a_foreign_pod_stays_in_the_tenants_folder(path: str, expected: str) -> None:
    assert b.spec_of(reader(path), host_uids={"v-uid": "h-uid"})["volumes"][0]["hostPath"]["path"] == expected


@pytest.mark.parametrize(
    "path",
    [
        "/tmp/vcluster/team-y/other/log",
        "/tmp/vcluster/team-x/my-vc-2",
        "/tmp/vcluster/team-x",
        "/tmp/vcluster",
        "/tmp/vcluster/",
        "//tmp/vcluster/team-y",
        "/tmp/vcluster/team-x/my-vc/../other/log",
        "/tmp/./vcluster/team-y/other",
    ],
)
def test_host_path_of_another_virtual_cluster_is_refused(path: str) -> None:
    with pytest.raises(context.Refused, match='volume "data"'):
        translate.translate(b.pod_context(), reader(path))


def test_host_path_in_the_own_folder_is_allowed() -> None:
    assert b.spec_of(reader(f"{FOLDER}/log"))["volumes"][0]["hostPath"]["path"] == f"{FOLDER}/log"
