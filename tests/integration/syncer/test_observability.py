"""A virtual cluster on the embedded host: what happens behind a stopped syncer's back is repaired, and shown."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nestling.binaries import settings
from tests.support import host as host_support

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

NAME = "seen"
NAMESPACE = f"vcluster-{NAME}"
PATIENCE = 120.0
PAGE = Path(__file__).parents[3] / "docs" / "observability.md"
#: A Service without selector brings Endpoints that the syncer copies to the host.
OBJECTS = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: manual}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: manual}
subsets: [{addresses: [{ip: 10.1.2.3}], ports: [{port: 80}]}]
"""


class Cluster:
    """A virtual cluster, its syncer process and both API servers."""

    def __init__(self, folder: Path, host: host_support.RunningHost) -> None:
        self.host = host
        self.folder = host.paths.clusters(host.host.name) / NAMESPACE / NAME
        self.env = {
            **os.environ,
            "HOME": str(folder),
            "KUBECONFIG": str(folder / "kubeconfig"),
            "NESTLING_HOME": str(host.paths.home),
            "NESTLING_CACHE_DIR": str(settings.Settings.from_env().cache_dir),
            "NO_COLOR": "1",
        }

    def run(self, *words: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            words, env=self.env, input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def nestling(self, *words: str) -> str:
        return self.run(sys.executable, "-m", "nestling.cli.main", *words)

    def virtual(self, *words: str, stdin: str | None = None) -> str:
        return self.run("kubectl", *words, stdin=stdin)

    def on_host(self, *words: str) -> str:
        return self.run("kubectl", "--kubeconfig", str(self.host.kubeconfig), "-n", NAMESPACE, *words)

    def exists(self, run: Callable[..., str], kind: str, name: str) -> bool:
        return bool(run("get", kind, name, "--ignore-not-found", "-o", "name").strip())

    def uid(self, kind: str, name: str) -> str:
        """Of a host object, "" when it is not there."""
        return self.on_host("get", kind, name, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}")

    @property
    def syncer(self) -> int:
        """The process id."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if b"nestling.controlplane.syncer_process" in words and any(
                    str(self.folder).encode() in w for w in words
                ):
                    return int(entry.name)
        raise AssertionError("the syncer does not run")

    def ask(self, path: str) -> str:
        """The health listener."""
        words = Path(f"/proc/{self.syncer}/cmdline").read_bytes().split(b"\0")
        port = json.loads(Path(words[words.index(b"nestling.controlplane.syncer_process") + 1].decode()).read_text())
        url = f"http://127.0.0.1:{port['ports']['health']}{path}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            text: str = answer.read().decode()
            return text

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ask("/status"))
        return found


def until(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, host: host_support.RunningHost) -> Iterator[Cluster]:
    found = Cluster(tmp_path_factory.mktemp("seen"), host)
    found.nestling("create", NAME)
    try:
        yield found
    finally:
        found.nestling("delete", NAME)


def test_what_is_deleted_behind_a_stopped_syncer_is_repaired(cluster: Cluster) -> None:
    service, endpoints = f"web-x-default-x-{NAME}", f"manual-x-default-x-{NAME}"
    cluster.virtual("apply", "-f", "-", stdin=OBJECTS)
    until(lambda: cluster.uid("endpoints", endpoints) and cluster.uid("service", service), "both on the host")
    until(lambda: cluster.status()["syncer"]["kinds"]["endpoints"]["inAgreement"], "agreement")
    before = cluster.uid("endpoints", endpoints)
    pid = cluster.syncer
    os.kill(pid, signal.SIGSTOP)
    try:
        cluster.on_host("delete", "service", service)
        cluster.on_host("delete", "endpoints", endpoints)
    finally:
        os.kill(pid, signal.SIGCONT)
    # what the tenant owns alone is made anew; a Service that goes on the host goes in the virtual cluster too
    until(lambda: cluster.uid("endpoints", endpoints) not in ("", before), "the endpoints again")
    until(
        lambda: (
            cluster.exists(cluster.virtual, "service", "web") == cluster.exists(cluster.on_host, "service", service)
        ),
        "both sides to agree about the service",
    )
    assert cluster.exists(cluster.virtual, "service", "manual")
    until(lambda: all(kind["inAgreement"] for kind in cluster.status()["syncer"]["kinds"].values()), "agreement")


def test_the_metrics_are_those_of_the_page(cluster: Cluster) -> None:
    until(lambda: re.search(r"^nestling_store_bytes [1-9]", cluster.ask("/metrics"), re.MULTILINE), "the store's size")
    served = set(re.findall(r"^# TYPE (\S+) ", cluster.ask("/metrics"), re.MULTILINE))
    documented = set(re.findall(r"^\| `([a-z]+_[a-z_]+)` \|", PAGE.read_text(), re.MULTILINE))
    assert documented <= served, documented - served
    assert {name for name in served if name.startswith("nestling_") and not name.endswith("_created")} <= documented


def test_the_status_says_that_all_is_well_and_holds_no_secret(cluster: Cluster) -> None:
    cluster.virtual("create", "secret", "generic", "mine", "--from-literal=password=hunter2")
    document = cluster.status()
    assert document["ready"]
    pods = document["syncer"]["kinds"]["pods"]
    assert pods["stuck"] == {"count": 0, "oldest": []}
    assert {entry["side"] for entry in document["syncer"]["caches"]} == {"virtual", "host"}
    assert all(not entry["failing"] for entry in document["syncer"]["caches"])
    assert "hunter2" not in json.dumps(document)
