"""A virtual cluster that Helm installs: its life in a pod on a real node."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import node as support
from tests.support import releases

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

MARK = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mark"}, "data": {"kept": "yes"}}
WEB = "web-x-default-x-my-vc"


@pytest.fixture(scope="module")
def release(node_with_images: support.Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[releases.Release]:
    """The chart without any values, and a pod in it."""
    with releases.installed(releases.Release(node_with_images, tmp_path_factory.mktemp("helm"))) as made:
        made.apply(MARK)
        made.run_pod(support.pod("web", "serve"))
        yield made


def check_the_data(release: releases.Release) -> None:
    assert release.read("get", "configmap", "mark", "-o", "jsonpath={.data.kept}") == "yes"


def check_the_container(release: releases.Release) -> None:
    assert release.read("exec", "web", "--", "/program", "get", "http://127.0.0.1:8080") == "200\nserved by web"


def test_a_pod_of_the_tenant_runs_and_is_reached(release: releases.Release) -> None:
    assert release.host("get", "pod", WEB, "-o", "jsonpath={.status.phase}") == "Running"
    check_the_container(release)
    assert release.virtual("logs", "web") == "serving\n"


def test_helm_test_reaches_the_api_through_the_service(release: releases.Release) -> None:
    assert "Phase:          Succeeded" in release.helm("test", release.name)


def test_the_supervisor_is_process_one_and_the_program_has_the_name_that_tools_call(
    release: releases.Release,
) -> None:
    processes = release.processes()
    assert {"etcd", "kube-apiserver", "kube-controller-manager", "syncer", "supervisor"} <= processes.keys()
    assert release.host("exec", release.pod, "--", "/vcluster", "version").startswith("vcluster")


def test_an_upgrade_and_a_rollback_keep_data_and_containers(release: releases.Release) -> None:
    container = release.container(WEB)
    release.upgrade({"exportKubeConfig": {"additionalSecrets": [{"name": "extra", "context": "ours"}]}})
    support.wait(lambda: bool(release.host("get", "secret", "extra", "--ignore-not-found")), "the further Secret")
    check_the_data(release)
    release.helm("rollback", release.name, "1")
    release.wait_rolled_out()
    check_the_data(release)
    assert release.container(WEB) == container
    check_the_container(release)


def test_the_data_outlives_the_pod(release: releases.Release) -> None:
    container = release.container(WEB)
    identity = uid(release)
    release.host("delete", release.pod)
    support.wait(lambda: uid(release) not in ("", identity), "another pod")
    release.wait_ready()
    check_the_data(release)
    assert release.container(WEB) == container


def uid(release: releases.Release) -> str:
    """Of the pod of the control plane; empty when there is none."""
    return release.host("get", release.pod, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}")


def test_uninstalling_leaves_nothing_but_the_claim(node_with_images: support.Node, tmp_path: Path) -> None:
    release = releases.Release(node_with_images, tmp_path, "short", "short")
    with releases.installed(release):
        release.run_pod(support.pod("web", "serve"))
        release.helm("uninstall", release.name, "--wait")
        support.wait(lambda: left(release) == {"persistentvolumeclaim/data-short-0"}, "only the claim is left")
        wide = node_with_images.kubectl("get", "clusterrole,clusterrolebinding,priorityclass,pv", "-o", "name")
        assert "short" not in wide


def left(release: releases.Release) -> set[str]:
    """What is in the namespace and was not there before; all kinds that there are."""
    kinds = release.node.kubectl("api-resources", "--namespaced", "--verbs=list,delete", "-o", "name").split()
    found = json.loads(release.host("get", ",".join(set(kinds) - {"events", "events.events.k8s.io"}), "-o", "json"))
    names = {f"{item['kind'].lower()}/{item['metadata']['name']}" for item in found["items"]}
    return names - {"configmap/kube-root-ca.crt", "serviceaccount/default"}


def test_sqlite_keeps_the_data_too(node_with_images: support.Node, tmp_path: Path) -> None:
    release = releases.Release(node_with_images, tmp_path, "small", "small")
    values = {"controlPlane": {"backingStore": {"database": {"embedded": {"enabled": True}}}}}
    with releases.installed(release, values):
        assert "kine" in release.processes()
        assert "etcd" not in release.processes()
        release.apply(MARK)
        identity = uid(release)
        release.host("delete", release.pod)
        support.wait(lambda: uid(release) not in ("", identity), "another pod")
        release.wait_ready()
        check_the_data(release)
