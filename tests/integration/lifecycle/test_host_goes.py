"""The embedded host goes: what lives on it is named, or goes with it."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from nestling.controlplane import supervisor_status
from nestling.drivers.helm import background
from nestling.drivers.local import process
from nestling.local import paths
from tests.integration.lifecycle.conftest import World
from tests.support import host as host_support
from tests.support import node

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

HOST = "goes"
CONTEXT = f"vcluster_on-it_vcluster-on-it_nestling-{HOST}"
INSTALLED = f"vcluster_installed_apps_nestling-{HOST}"


@pytest.fixture
def doomed(world: World) -> Iterator[World]:
    """A second host of the same user, with a virtual cluster that is connected, beside another context."""
    world.kubeconfig.write_text("contexts:\n- {name: prod, context: {cluster: c, user: u}}\ncurrent-context: prod\n")
    version = host_support.default_options().kubernetes_version
    with host_support.slot():
        world.run("host", "up", "--name", HOST, *(("--kubernetes-version", version) if version else ()))
        try:
            world.run("create", "on-it", "--context", f"nestling-{HOST}", "--driver", "local")
            yield world
        finally:
            world.run("host", "down", "--name", HOST, "--delete", "--force")
            world.kubeconfig.unlink()


@pytest.fixture
def forwarder(doomed: World) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """What `connect` leaves running for a virtual cluster that helm installed there."""
    place = background.folder(doomed.home, INSTALLED)
    place.mkdir(parents=True)
    settings = background.Settings(("/x",), "", "apps", "installed", "127.0.0.1", 1, 443)
    (place / background.SETTINGS).write_text(json.dumps(dataclasses.asdict(settings)))
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as waiting:
        started = {"start_time": supervisor_status.start_time(waiting.pid), "boot_id": supervisor_status.boot_id()}
        (place / background.PROCESS).write_text(json.dumps({"pid": waiting.pid, "port": 1, **started}))
        yield place, waiting
        waiting.kill()


def test_a_host_goes_with_all_that_lives_on_it_or_not_at_all(
    doomed: World, forwarder: tuple[Path, subprocess.Popen[bytes]]
) -> None:
    folder = paths.Paths(doomed.home).clusters(HOST)
    assert len(node.processes(str(folder))) >= 2
    refused = doomed.run("host", "down", "--name", HOST, "--delete", code=1)
    assert "vcluster-on-it/on-it" in refused.stderr
    assert len(node.processes(str(folder))) >= 2
    doomed.run("connect", "on-it", "--context", f"nestling-{HOST}", "--", "kubectl", "get", "namespaces")

    said = doomed.run("host", "down", "--name", HOST, "--delete", "--force").stderr
    assert node.processes(str(folder)) == set()
    assert not folder.exists()
    assert not paths.Paths(doomed.home).host(HOST).exists()
    assert CONTEXT in said
    kubeconfig = yaml.safe_load(doomed.kubeconfig.read_text())
    assert (kubeconfig["current-context"], [one["name"] for one in kubeconfig["contexts"]]) == ("prod", ["prod"])
    place, waiting = forwarder
    assert waiting.wait(timeout=60) < 0
    assert not place.exists()
    assert "There is no embedded host" in doomed.run("host", "down", "--name", HOST, "--delete", "--force").stderr


def test_what_a_host_that_is_gone_left_behind_goes_too(world: World) -> None:
    """As when the folder of the host was removed by hand; of the record nothing can be read any more."""
    folder = paths.Paths(world.home).clusters("away")
    place = folder / "apps" / "left"
    (place / "data").mkdir(parents=True)
    (place / "cluster.json").write_text("{")
    environment = {**os.environ, process.MARK: str(place)}
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], env=environment) as left:
        try:
            assert "apps/left" in world.run("host", "down", "--name", "away", "--delete", code=1).stderr
            assert left.poll() is None
            assert "are gone" in world.run("host", "down", "--name", "away", "--delete", "--force").stderr
            assert left.wait(timeout=60) < 0
        finally:
            left.kill()
    assert not folder.exists()
