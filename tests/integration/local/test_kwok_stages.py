"""Our kwok stages, played by kwok against a real API."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import nestling.local
from nestling.binaries import chain
from tests.support import envtest, skew

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

STAGES = pathlib.Path(nestling.local.__file__).parent / "kwok_stages.yaml"
NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "n1", "annotations": {"kwok.x-k8s.io/node": "fake"}},
}


class Api:
    """kubectl, for tests that only need a few objects."""

    def __init__(self, kubectl: pathlib.Path, kubeconfig: pathlib.Path) -> None:
        self._command = [str(kubectl), f"--kubeconfig={kubeconfig}"]

    def __call__(self, *arguments: str, given: object = None) -> str:
        text = None if given is None else json.dumps(given)
        return subprocess.run(
            [*self._command, *arguments], input=text, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    def get(self, kind: str, name: str) -> dict[str, Any]:
        text = self("get", kind, name, "--ignore-not-found", "-o", "json")
        return dict(json.loads(text)) if text else {}

    def until(self, kind: str, name: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the object once the condition holds."""
        deadline = time.monotonic() + 60
        while not condition(found := self.get(kind, name)):
            assert time.monotonic() < deadline, json.dumps(found)
        return found


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    paths = chain.ensure(["kwok", "kubectl"])
    cluster = envtest.Cluster(tmp_path_factory.mktemp("api"))
    guard = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    try:
        cluster.start()
        command = [
            str(paths["kwok"]),
            f"--kubeconfig={cluster.kubeconfig}",
            f"--config={STAGES}",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            "--node-lease-duration-seconds=40",
            "--node-ip=127.0.0.1",
        ]
        with (cluster.folder / "kwok.log").open("wb") as log:
            kwok = subprocess.Popen([*guard, *command], stdout=log, stderr=log)
        try:
            client = Api(paths["kubectl"], cluster.kubeconfig)
            deadline = time.monotonic() + 60
            while not client.get("namespace", "default"):
                assert time.monotonic() < deadline
            client("create", "-f", "-", given=NODE)
            yield client
        finally:
            kwok.kill()
            kwok.wait()
    finally:
        cluster.stop()


def pod(name: str, *, labels: dict[str, str] | None = None, **spec: object) -> dict[str, Any]:
    """A pod that is on the node already."""
    full = {"nodeName": "n1", "containers": [{"name": "c", "image": "web"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels or {}}, "spec": full}


def conditions(obj: dict[str, Any]) -> dict[str, str]:
    return {one["type"]: one["status"] for one in obj.get("status", {}).get("conditions", [])}


def is_running(obj: dict[str, Any]) -> bool:
    return bool(obj["status"].get("phase") == "Running")


def test_node_becomes_ready_and_holds_a_lease(api: Api) -> None:
    node = api.until("node", "n1", lambda found: conditions(found).get("Ready") == "True")
    assert {one["type"]: one["address"] for one in node["status"]["addresses"]} == {
        "InternalIP": "127.0.0.1",
        "Hostname": "n1",
    }
    assert set(node["status"]["allocatable"]) == {"cpu", "memory", "ephemeral-storage", "pods"}
    assert json.loads(api("get", "lease", "-n", "kube-node-lease", "n1", "-o", "json"))["spec"]["renewTime"]


def test_pod_runs_with_init_containers_done_and_sidecars_running(api: Api) -> None:
    sidecar = {"name": "side", "image": "proxy", "restartPolicy": "Always"}
    api("create", "-f", "-", given=pod("web", initContainers=[{"name": "init", "image": "setup"}, sidecar]))
    status = api.until("pod", "web", is_running)["status"]
    assert conditions({"status": status}) == {
        "PodScheduled": "True",
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "ContainersReady": "True",
        "Ready": "True",
    }
    assert status["podIP"] == status["podIPs"][0]["ip"]
    assert status["hostIP"] == status["hostIPs"][0]["ip"] == "127.0.0.1"
    assert status["startTime"]
    (container,) = status["containerStatuses"]
    assert (container["ready"], container["started"], list(container["state"])) == (True, True, ["running"])
    init, side = status["initContainerStatuses"]
    assert init["state"]["terminated"]["reason"] == "Completed"
    assert list(side["state"]) == ["running"]


def test_readiness_gate_holds_the_pod_back_until_it_is_open(api: Api) -> None:
    api("create", "-f", "-", given=pod("gated", readinessGates=[{"conditionType": "example.com/gate"}]))
    assert conditions(api.until("pod", "gated", is_running))["Ready"] == "False"
    opened = {"status": {"conditions": [{"type": "example.com/gate", "status": "True"}]}}
    api("patch", "pod", "gated", "--subresource=status", "--type=strategic", "-p", json.dumps(opened))
    api.until("pod", "gated", lambda found: conditions(found)["Ready"] == "True")


def test_pod_of_a_job_succeeds(api: Api) -> None:
    given = pod("job", labels={"batch.kubernetes.io/job-name": "j"}, restartPolicy="Never")
    api("create", "-f", "-", given=given)
    done = api.until("pod", "job", lambda found: found["status"].get("phase") == "Succeeded")
    (container,) = done["status"]["containerStatuses"]
    assert container["state"]["terminated"]["exitCode"] == 0
    assert conditions(done)["Ready"] == "False"


def test_pod_that_is_not_of_a_job_goes_on_running(api: Api) -> None:
    api("create", "-f", "-", given=pod("once", restartPolicy="Never"))
    api.until("pod", "once", is_running)
    # a Job's pod that came later has been completed, so this one was looked at, too
    api("create", "-f", "-", given=pod("later", labels={"batch.kubernetes.io/job-name": "j"}, restartPolicy="Never"))
    api.until("pod", "later", lambda found: found["status"].get("phase") == "Succeeded")
    assert is_running(api.get("pod", "once"))


def test_resize_in_place_is_granted(api: Api) -> None:
    if not skew.knows_resize(json.loads(api("get", "--raw", "/version"))):
        pytest.skip("this API server resizes no pods")
    container = {"name": "c", "image": "web", "resources": {"requests": {"cpu": "10m"}}}
    api("create", "-f", "-", given=pod("resized", containers=[container]))
    api.until("pod", "resized", is_running)
    wish = {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "20m"}}}]}}
    api("patch", "pod", "resized", "--subresource=resize", "--type=strategic", "-p", json.dumps(wish))

    def granted(found: dict[str, Any]) -> bool:
        (one,) = found["status"]["containerStatuses"]
        return bool(one["resources"]["requests"]["cpu"] == one["allocatedResources"]["cpu"] == "20m")

    (status,) = api.until("pod", "resized", granted)["status"]["containerStatuses"]
    assert (status["ready"], list(status["state"])) == (True, ["running"])


def test_debug_container_runs(api: Api) -> None:
    api("create", "-f", "-", given=pod("debugged"))
    api.until("pod", "debugged", is_running)
    api("debug", "debugged", "--image=shell", "--container=dbg", "--profile=general")
    found = api.until("pod", "debugged", lambda one: bool(one["status"].get("ephemeralContainerStatuses")))
    (status,) = found["status"]["ephemeralContainerStatuses"]
    assert (status["name"], list(status["state"])) == ("dbg", ["running"])


def test_deleted_pod_is_gone_without_its_grace_period(api: Api) -> None:
    api("create", "-f", "-", given=pod("deleted", terminationGracePeriodSeconds=3600))
    api.until("pod", "deleted", is_running)
    api("delete", "pod", "deleted", "--timeout=30s")
    assert api.get("pod", "deleted") == {}
