"""Whatever is killed, a virtual cluster in a pod comes back by itself, and its tenants' containers run on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from nestling.local.node import parts
from tests.support import disk, releases
from tests.support import node as support

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

WEB = "web-x-default-x-my-vc"
#: Two segments of etcd's log, of 64 MB each, and some room.
SIZE = "192m"


@pytest.fixture(scope="module")
def store(node_with_images: support.Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The disk of the control plane; the node has mounts of its own."""
    folder = tmp_path_factory.mktemp("disks") / "store"
    with disk.small(folder, SIZE, process=lambda: node_with_images.part(parts.CONTAINERD)):
        yield folder


@pytest.fixture(scope="module")
def release(
    node_with_images: support.Node, tmp_path_factory: pytest.TempPathFactory, store: Path
) -> Iterator[releases.Release]:
    """A virtual cluster with a pod."""
    made = releases.Release(node_with_images, tmp_path_factory.mktemp("faults"), namespace="faults")
    volume = {"name": "data", "hostPath": {"path": str(store), "type": "Directory"}}
    values = {"controlPlane": {"statefulSet": {"persistence": {"dataVolume": [volume]}}}}
    with releases.installed(made, values):
        made.run_pod(support.pod("web", "serve"))
        yield made


@contextlib.contextmanager
def unharmed(release: releases.Release, part: str) -> Iterator[None]:
    """Afterwards the tenant's container is the one from before, and what is written arrives on the host."""
    before = release.container(WEB)
    yield
    support.wait(release.answers, "the API answers")
    release.wait_ready()
    name = f"after-{part.replace('_', '-')}"
    release.run_pod(support.pod(name, "serve"))
    assert release.read("exec", "web", "--", "/program", "get", "http://127.0.0.1:8080").startswith("200")
    assert release.container(WEB) == before
    release.virtual("delete", "pod", name, "--wait=false")


@pytest.mark.parametrize("part", ["etcd", "kube-apiserver", "kube-controller-manager", "syncer"])
def test_a_killed_component_comes_back_in_the_same_container(release: releases.Release, part: str) -> None:
    control_plane = container_of(release)
    with unharmed(release, part):
        old = release.processes()[part]
        os.kill(old, signal.SIGKILL)
        support.wait(lambda: release.processes().get(part, old) != old, f"another {part}")
    assert container_of(release) == control_plane


def test_a_killed_supervisor_is_another_container_of_the_same_pod(release: releases.Release) -> None:
    control_plane = container_of(release)
    with unharmed(release, "supervisor"):
        os.kill(release.processes()["supervisor"], signal.SIGKILL)
        support.wait(lambda: container_of(release) not in ("", control_plane), "another container")


@pytest.mark.parametrize("part", [parts.CONTAINERD, parts.KUBELET, "kube-apiserver"])
def test_parts_of_the_host_that_are_killed_are_not_noticed(release: releases.Release, part: str) -> None:
    node = release.node
    control_plane = container_of(release)
    with unharmed(release, f"host-{part}"):
        killed = node.part(part)
        os.kill(killed, signal.SIGKILL)
        support.wait(lambda: node.ready() and node.part(part) != killed, f"{part} is back")
    assert container_of(release) == control_plane


def test_a_full_disk_loses_nothing_and_is_over_when_there_is_room(release: releases.Release, store: Path) -> None:
    control_plane = container_of(release)
    with unharmed(release, "full-disk"):
        etcd = release.processes()["etcd"]
        store = disk.seen(store, release.node.part(parts.CONTAINERD))
        disk.fill(store)
        try:
            written = write_until_refused(release)
            support.wait(lambda: release.processes().get("etcd") != etcd, "etcd fails")
        finally:
            disk.empty(store)
        support.wait(release.answers, "the API answers")
        found = json.loads(release.virtual("get", "configmaps", "-l", "what=filler", "-o", "json"))["items"]
        assert written <= {one["metadata"]["name"] for one in found}
        release.virtual("delete", "configmaps", "-l", "what=filler")
    assert container_of(release) == control_plane


def write_until_refused(release: releases.Release) -> set[str]:
    """Objects in the virtual cluster until it takes no more; those that it has taken."""
    written: set[str] = set()
    for number in range(50):
        name = f"filler-{number}"
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": {"what": "filler"}},
            "data": {"filler": "x" * 900_000},
        }
        try:
            release.virtual("create", "--request-timeout=20s", "-f", "-", text=json.dumps(body))
        except AssertionError:
            return written
        written.add(name)
    raise AssertionError("the disk never filled up")


def container_of(release: releases.Release) -> str:
    """The id of the control plane's container."""
    return release.host("get", release.pod, "-o", "jsonpath={.status.containerStatuses[0].containerID}")
