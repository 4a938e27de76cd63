"""One embedded host whose simulated containers run real local processes, and a virtual cluster on it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from nestling.controlplane import supervisor_status
from nestling.local import record
from tests.integration.kubelet import tools
from tests.integration.syncer import sides as sides_module
from tests.support import host as host_module
from tests.support.host import RunningHost


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these need processes, and the first one waits for them to start."""
    for item in items:
        if "integration/kubelet" in item.path.as_posix():
            item.add_marker(pytest.mark.integration)
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(scope="package")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the processes of simulated containers work."""
    return tmp_path_factory.mktemp("container")


@pytest.fixture(scope="package")
def served_host(tmp_path_factory: pytest.TempPathFactory, work_dir: Path) -> Iterator[RunningHost]:
    with host_module.embedded_host(tmp_path_factory.mktemp("home")) as running:
        _serve_containers(running, work_dir)
        yield running


@pytest.fixture(scope="package")
def cluster(served_host: RunningHost) -> Iterator[sides_module.VirtualCluster]:
    made = sides_module.VirtualCluster("streams", served_host.paths.home, served_host.kubeconfig)
    made.command("create", "streams", "--connect=false")
    yield made
    made.command("delete", "streams")


@pytest.fixture
async def sides(cluster: sides_module.VirtualCluster) -> AsyncIterator[sides_module.Sides]:
    async with sides_module.opened(cluster) as made:
        yield made


@pytest.fixture
async def shell(sides: sides_module.Sides) -> AsyncIterator[tools.Shell]:
    """A running pod ``web`` and kubectl for the virtual cluster."""
    await sides.create(tools.PODS, "web", sides_module.pod())
    await sides.above(tools.PODS, "web", lambda one: (one.get("status") or {}).get("phase") == "Running")
    yield tools.Shell(sides)
    await sides.virtual.delete(tools.PODS, "web", "default", grace_period_seconds=0)
    await sides.gone_above(tools.PODS, "web")


def _serve_containers(running: RunningHost, work_dir: Path) -> None:
    """kwok answers exec, attach and port-forward when its configuration says so; it reads that at its start."""
    file = running.host.layout.config / "kwok.yaml"
    log = work_dir / "container.log"
    log.write_text("".join(f"2026-01-01T00:00:00.{n:09d}Z stdout F line {n}\n" for n in range(1, 101)))
    documents = [
        _document("ClusterExec", execs=[{"local": {"workDir": str(work_dir)}}]),
        _document("ClusterAttach", attaches=[{"logsFile": str(log)}]),
        _document("ClusterPortForward", forwards=[{"target": {"port": tools.TARGET_PORT, "address": "127.0.0.1"}}]),
        # before the host's own: the first that fits counts
        _document("ClusterLogs", logs=[{"logsFile": str(log), "follow": True}]),
    ]
    old = [part for part in file.read_text().split("\n---\n") if '"ClusterLogs"' not in part]
    file.write_text("\n---\n".join([*old, *documents]))
    status = supervisor_status.read(running.host.layout.folder)
    assert status is not None
    pid = status.components[record.KWOK].pid
    assert pid
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + sides_module.PATIENCE
    while True:
        status = supervisor_status.read(running.host.layout.folder)
        one = status.components[record.KWOK] if status else None
        if one is not None and one.pid not in (None, 0, pid) and one.ready:
            return
        assert time.monotonic() < deadline, subprocess.list2cmdline(["kwok", str(one)])
        time.sleep(0.1)


def _document(kind: str, **spec: object) -> str:
    return json.dumps(
        {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": kind, "metadata": {"name": "test"}, "spec": spec}
    )
