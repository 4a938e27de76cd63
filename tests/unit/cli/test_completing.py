"""Names of virtual clusters that helm installed, asked of a cluster that answers, one that never does, and none."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from nestling.cli import completing, settings
from tests.unit.drivers.helm.test_workloads import workload

STATEFUL_SETS = "/apis/apps/v1/statefulsets"


class Cluster(http.server.ThreadingHTTPServer):
    """An API server with one virtual cluster; it waits with its answers until it may."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.may_answer = threading.Event()
        self.asked = threading.Event()


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Cluster

    def do_GET(self) -> None:
        self.server.asked.set()
        self.server.may_answer.wait()
        items = [workload("far-away")] if self.path.startswith(STATEFUL_SETS) else []
        body = json.dumps({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": items}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The one of the current context of a user who has another virtual cluster on this machine."""
    record = tmp_path / "clusters" / "default" / "ns" / "near" / "cluster.json"
    record.parent.mkdir(parents=True)
    known = {"name": "near", "namespace": "here", "host": "default", "port": 1, "phase": "ready", "version": "1"}
    record.write_text(json.dumps({**known, "owner": [0, 0, ""], "created": "2026-01-01T00:00:00+00:00"}))
    with Cluster() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        config = {
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_address[1]}"}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "prod",
        }
        (tmp_path / "kubeconfig").write_text(json.dumps(config))
        monkeypatch.setenv("NESTLING_HOME", str(tmp_path))
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setattr(completing, "SECONDS", 60.0)
        yield server
        server.may_answer.set()
        server.shutdown()
        thread.join()


def offered(word: str = "", *, namespace: str | None = None) -> list[tuple[str, str]]:
    context = click.Context(click.Command("connect"), obj=settings.Settings(namespace=namespace))
    return [(item.value, item.help or "") for item in completing.clusters(context, click.Option(["--x"]), word)]


def test_those_of_the_current_context_are_offered_beside_those_of_this_machine(cluster: Cluster) -> None:
    cluster.may_answer.set()
    assert offered() == [("far-away", "ns"), ("near", "here")]
    assert offered("f") == [("far-away", "ns")]


def test_a_cluster_that_does_not_answer_keeps_nobody_waiting(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(completing, "SECONDS", 0.5)
    begun = time.monotonic()
    assert offered() == [("near", "here")]
    assert time.monotonic() - begun < 30, "the answer never comes"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kubeconfig", ["{", "current-context: nowhere", ""])
def test_a_kubeconfig_that_leads_nowhere_is_no_reason_to_say_a_word(
    cluster: Cluster, tmp_path: Path, kubeconfig: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kubeconfig").write_text(kubeconfig)
    assert offered() == [("near", "here")]
    assert capfd.readouterr() == ("", "")
    assert not cluster.asked.is_set()
