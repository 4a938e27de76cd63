"""The driver helm against a real API server: what helm installs there, and what the verbs make of it.

Nodes are simulated, so pods become ready and no control plane runs in them; that is for the tests on a real node.
"""

from __future__ import annotations

import base64
import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.drivers.conftest import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

NAME = "main"
NAMESPACE = f"vcluster-{NAME}"
EXTERNAL = "controlPlane.backingStore.etcd.external"
#: No node has this label, so its pod waits for ever.
NOWHERE = ("--connect=false", "--set", "controlPlane.statefulSet.scheduling.nodeSelector.a=b")


@pytest.fixture(scope="module")
def main(world: World) -> Iterator[str]:
    """A virtual cluster that several tests look at."""
    world.run("create", NAME, "--connect=false")
    yield NAME
    world.run("delete", NAME, "--ignore-not-found")


def until(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + World.PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.05)


def test_with_a_context_helm_is_the_driver_and_installs_what_the_chart_says(world: World, main: str) -> None:
    annotations = world.get("namespace", NAMESPACE)["metadata"]["annotations"]
    assert annotations["vcluster.loft.sh/created"] == "true"
    workload = world.get("statefulset", main, "-n", NAMESPACE)
    assert (workload["metadata"]["labels"]["app"], workload["metadata"]["labels"]["release"]) == ("vcluster", main)
    for kind, name in (
        ("service", main),
        ("service", f"{main}-headless"),
        ("secret", f"vc-config-{main}"),
        ("serviceaccount", f"vc-{main}"),
        ("serviceaccount", f"vc-workload-{main}"),
        ("role", f"vc-{main}"),
        ("rolebinding", f"vc-{main}"),
        ("pvc", f"data-{main}-0"),
    ):
        assert world.exists(kind, name, "-n", NAMESPACE), (kind, name)
    assert not (world.home / "clusters").exists()


def test_list_and_describe_read_it_from_the_host(world: World, main: str) -> None:
    entry = world.entries()[main]
    assert (entry["Namespace"], entry["Status"], entry["Connected"]) == (NAMESPACE, "Running", False)
    found = json.loads(world.run("describe", main, "-o", "json").stdout)
    assert (found["backingStore"], found["imageTags"]["syncer"]) == ("embedded-etcd", found["version"])


def test_43_list_shows_what_the_user_may_see_and_reads_no_secret(world: World, main: str, tmp_path: Path) -> None:
    """A user of one namespace sees what is in it; nothing is asked of Secrets."""
    world.kubectl("create", "serviceaccount", "guest", "-n", NAMESPACE)
    rule = ("--verb=get,list", "--resource=pods,services,statefulsets.apps,deployments.apps")
    world.kubectl("create", "role", "guest", "-n", NAMESPACE, *rule)
    world.kubectl(
        "create", "rolebinding", "guest", "-n", NAMESPACE, "--role=guest", f"--serviceaccount={NAMESPACE}:guest"
    )
    token = world.kubectl("create", "token", "guest", "-n", NAMESPACE).strip()
    document = yaml.safe_load(world.kubeconfig.read_text())
    document["users"] = [{"name": "guest", "user": {"token": token}}]
    document["contexts"][0]["context"] |= {"user": "guest", "namespace": NAMESPACE}
    world.kubeconfig.write_text(yaml.safe_dump(document))
    try:
        assert list(world.entries()) == [main]
        assert "forbidden" in world.run("list", "-n", "kube-system", code=1).stderr
    finally:
        world.reset()
        world.kubectl("delete", "role,rolebinding,serviceaccount", "guest", "-n", NAMESPACE)


def test_pause_scales_to_nothing_and_resume_undoes_it(world: World, main: str) -> None:
    world.kubectl("run", "of-tenant", "-n", NAMESPACE, "--image=x", f"--labels=vcluster.loft.sh/managed-by={main}")
    world.run("pause", main)
    paused = world.get("statefulset", main, "-n", NAMESPACE)
    annotations = paused["metadata"]["annotations"]
    assert paused["spec"]["replicas"] == 0
    assert (annotations["loft.sh/paused"], annotations["loft.sh/paused-replicas"]) == ("true", "1")
    assert annotations["loft.sh/paused-date"].endswith("Z")
    assert not world.exists("pods", "-n", NAMESPACE)
    assert world.exists("pvc", f"data-{main}-0", "-n", NAMESPACE)
    assert world.entries()[main]["Status"] == "Paused"
    world.run("resume", main)
    resumed = world.get("statefulset", main, "-n", NAMESPACE)
    assert resumed["spec"]["replicas"] == 1
    assert not any(key.startswith("loft.sh/") for key in resumed["metadata"].get("annotations") or {})
    assert world.entries()[main]["Status"] == "Running"


def test_upgrade_changes_the_values_and_keeps_the_claim(world: World, main: str, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text("sync: {toHost: {configMaps: {all: true}}}\n")
    claim = world.get("pvc", f"data-{main}-0", "-n", NAMESPACE)["metadata"]["uid"]
    encoded = base64.b64encode(b"telemetry: {enabled: false}").decode()
    world.run(
        "create",
        main,
        "--upgrade",
        "-f",
        str(values),
        "-f",
        encoded,
        "--set",
        "logging.encoding=json",
        "--connect=false",
    )
    given = yaml.safe_load(world.run("describe", main, "--config-only").stdout)
    assert given == {
        "sync": {"toHost": {"configMaps": {"all": True}}},
        "telemetry": {"enabled": False},
        "logging": {"encoding": "json"},
    }
    assert world.get("pvc", f"data-{main}-0", "-n", NAMESPACE)["metadata"]["uid"] == claim


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([NAME], "exists already in the namespace vcluster-main"),
        (["second", "-n", NAMESPACE], f'holds the virtual cluster "{NAME}" already'),
        (["My_VC"], 'for example "my-vc"'),
        (["x", "--set", "controlPlane.nonsense=1"], "nonsense"),
        (["x", "--chart-version", "9.9.9"], "--chart-repo URL"),
        (["x", "--local-chart-dir", "/nothing"], "there is no Chart.yaml"),
        (["x", "--create-namespace=false"], 'the namespace "vcluster-x" does not exist'),
        (
            [NAME, "--upgrade", "--set", f"{EXTERNAL}.enabled=true", "--set", f"{EXTERNAL}.endpoint=https://x:2379"],
            "the data cannot move from an embedded etcd to an external etcd",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_made(world: World, main: str, args: list[str], said: str) -> None:
    before = world.get("secrets", "-n", NAMESPACE, "-l", "owner=helm")["items"]
    assert said in world.run("create", *args, "--connect=false", code=1).stderr
    assert len(world.get("secrets", "-n", NAMESPACE, "-l", "owner=helm")["items"]) == len(before)
    assert not world.exists("namespace", "vcluster-x")
    assert list(world.entries()) == [main]


def test_the_platforms_namespace_is_refused(world: World) -> None:
    world.kubectl("create", "namespace", "platform")
    world.kubectl("create", "service", "clusterip", "loft", "-n", "platform", "--tcp=443")
    try:
        refused = world.run("create", "x", "-n", "platform", "--connect=false", code=1).stderr
        assert "holds the platform of vCluster" in refused
    finally:
        world.kubectl("delete", "namespace", "platform", "--wait=false")


def test_without_a_control_plane_connect_says_where_to_look(world: World, main: str) -> None:
    """Nodes are simulated, so the Secret is never written; one is made by hand, and leads nowhere."""
    config = {
        "clusters": [{"name": "c", "cluster": {"server": "https://localhost:8443"}}],
        "users": [{"name": "u", "user": {}}],
    }
    world.kubectl(
        "create", "secret", "generic", f"vc-{main}", "-n", NAMESPACE, f"--from-literal=config={json.dumps(config)}"
    )
    printed = yaml.safe_load(world.run("connect", main, "--print", "--server", "vc.example.org").stdout)
    assert printed["clusters"][0]["cluster"]["server"] == "https://vc.example.org"
    assert printed["current-context"] == f"vcluster_{main}_{NAMESPACE}_prod"
    refused = world.run("connect", main, "--print", "--background-proxy=false", code=1).stderr
    assert "a printed kubeconfig leads nowhere" in refused
    assert not (world.home / "forwards").exists()


def test_expose_makes_a_load_balancer_and_a_failure_leaves_nothing(world: World) -> None:
    process = world.start(
        "create",
        "halted",
        "--expose",
        "--connect=false",
        "--set",
        "controlPlane.statefulSet.scheduling.nodeSelector.a=b",
    )
    until(lambda: process.poll() is not None or world.exists("statefulset", "halted", "-n", "vcluster-halted"), "it")
    assert process.poll() is None, process.communicate()
    assert world.get("service", "halted", "-n", "vcluster-halted")["spec"]["type"] == "LoadBalancer"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=World.PATIENCE)
    assert process.returncode == 130, err
    assert "halted" not in world.entries()
    assert not world.exists("namespace", "vcluster-halted")


def test_what_a_killed_create_left_is_shown_and_removed(world: World) -> None:
    process = world.start(
        "create", "killed", "--connect=false", "--set", "controlPlane.statefulSet.scheduling.nodeSelector.a=b"
    )
    until(lambda: world.exists("statefulset", "killed", "-n", "vcluster-killed"), "the workload")
    process.kill()
    process.communicate(timeout=World.PATIENCE)
    world.kubectl("delete", "statefulset", "killed", "-n", "vcluster-killed")
    assert world.entries()["killed"]["Status"] == "Failed"
    assert "nestling delete killed" in world.run("connect", "killed", code=1).stderr
    world.run("delete", "killed")
    assert not world.exists("namespace", "vcluster-killed")


def test_delete_leaves_nothing_and_a_namespace_of_others_alone(world: World) -> None:
    world.kubectl("create", "namespace", "kept")
    world.kubectl("create", "configmap", "theirs", "-n", "kept")
    values = "sync.fromHost.ingressClasses.enabled=true"
    world.run("create", "guest", "-n", "kept", "--connect=false", "--set", values)
    assert world.exists("clusterrole", "vc-guest-v-kept")
    world.run("delete", "guest", "-n", "kept")
    assert world.exists("configmap", "theirs", "-n", "kept")
    left = world.kubectl("get", "all,secrets,pvc,serviceaccounts,roles,rolebindings", "-n", "kept", "-o", "name")
    assert [name for name in left.split() if "guest" in name] == []
    assert "guest" not in world.kubectl("get", "clusterroles,clusterrolebindings", "-o", "name")
    world.kubectl("delete", "namespace", "kept", "--wait=false")


def test_21_keep_pvc_keeps_the_data(world: World) -> None:
    """Of the control plane. A tenant's claim belongs to its Service, which goes: that is said before."""
    world.run("create", "saved", "--connect=false")
    service = world.get("service", "saved", "-n", "vcluster-saved")["metadata"]
    owner = {"apiVersion": "v1", "kind": "Service", "name": "saved", "uid": service["uid"]}
    notes = {"vcluster.loft.sh/object-name": "files", "vcluster.loft.sh/object-namespace": "shop"}
    marks = {"vcluster.loft.sh/managed-by": "saved"}
    meta = {"name": "files-x-shop-x-saved", "labels": marks, "annotations": notes, "ownerReferences": [owner]}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}
    file = world.folder / "claim.json"
    file.write_text(json.dumps(claim))
    world.kubectl("apply", "-n", "vcluster-saved", "-f", str(file))
    said = world.run("delete", "saved", "--keep-pvc").stderr
    assert "Claims that go, with their data: 1 of the tenant (shop/files)" in said
    assert "Claims that stay: data-saved-0" in said
    assert said.index("Claims that go") < said.index("Deleted the virtual cluster")
    assert not world.exists("pvc", "files-x-shop-x-saved", "-n", "vcluster-saved")
    assert world.exists("pvc", "data-saved-0", "-n", "vcluster-saved")
    assert not world.exists("statefulset", "-n", "vcluster-saved")
    assert "saved" not in world.entries()
    world.kubectl("delete", "namespace", "vcluster-saved", "--wait=false")


def test_the_namespace_of_the_context_is_used_unless_it_is_default(world: World) -> None:
    world.kubectl("create", "namespace", "team-a")
    document = yaml.safe_load(world.kubeconfig.read_text())
    document["contexts"][0]["context"]["namespace"] = "team-a"
    world.kubeconfig.write_text(yaml.safe_dump(document))
    try:
        world.run("create", "mine", "--connect=false")
        assert world.entries()["mine"]["Namespace"] == "team-a"
        world.run("delete", "mine")
        assert world.exists("namespace", "team-a")
    finally:
        world.reset()
        world.kubectl("delete", "namespace", "team-a", "--wait=false")
