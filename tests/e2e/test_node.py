"""The real node of an embedded host, as its users see it: what runs there, what a crash leaves, what `down` leaves."""

from __future__ import annotations

import base64
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from nestling.binaries import chain
from nestling.local.node import cgroups, parts
from tests.support import node as support

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

DNS_IMAGE = "docker.io/coredns/coredns:1.14.2"
LIMIT = 64 * 1024 * 1024


@pytest.fixture(scope="module")
def before() -> dict[str, set[str]]:
    """What the machine shows before there is a node."""
    if reason := support.missing():
        pytest.skip(f"no real node on this machine: {reason}")
    return support.footprint()


@pytest.fixture(scope="module")
def host(before: dict[str, set[str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.Node]:
    """A host with a real node and the test image."""
    folder = tmp_path_factory.mktemp("node")
    archive = support.program_image(folder)
    with support.running(folder / "home") as node:
        node.nestling("host", "load-image", str(archive))
        yield node


@pytest.fixture(scope="module")
def server(host: support.Node) -> str:
    """A pod that serves behind a Service; gives the container's id."""
    body = support.pod("web", "serve", resources={"limits": {"memory": str(LIMIT), "cpu": "100m"}})
    host.run_pod(body)
    service = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    host.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": service})
    return container(host, "web")


def container(host: support.Node, pod: str) -> str:
    """The id of a pod's container: a container that was restarted has another one."""
    return host.kubectl("get", "pod", pod, "-o", "jsonpath={.status.containerStatuses[0].containerID}")


def test_a_container_runs_within_its_limit(host: support.Node, server: str) -> None:
    identity = server.rpartition("/")[2]
    limits = [
        int(file.read_text(encoding="ascii"))
        for root in cgroups.hierarchies()
        for name in ("memory.limit_in_bytes", "memory.max")
        for file in (root / host.spec.cgroup).glob(f"kubepods/**/{identity}/{name}")
    ]
    assert limits == [LIMIT]


def test_a_container_of_another_user_runs(host: support.Node) -> None:
    host.run_pod(support.pod("somebody", "serve", securityContext={"runAsUser": 1001, "runAsNonRoot": True}))


def test_logs_and_exec_reach_the_container(host: support.Node, server: str) -> None:
    assert host.kubectl("logs", "web") == "serving\n"
    assert host.kubectl("exec", "web", "--", "/program", "get", "http://127.0.0.1:8080") == "200\nserved by web"


def test_another_pod_reaches_a_service_by_address_and_by_name(host: support.Node, server: str) -> None:
    host.run_pod(support.pod("client", "serve"))
    address = host.kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
    for target in (address, "web.default.svc.cluster.local"):
        reached(host, "client", f"http://{target}/")


def reached(host: support.Node, pod: str, url: str) -> None:
    """A pod gets an answer of the server; the rules of the node may come some time after the Service."""
    support.shows(host.kubectl, "200\nserved by web", "exec", pod, "--", "/program", "get", url)


def test_a_claim_is_a_folder_that_goes_with_it(host: support.Node) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    body = support.pod("writer", "serve", volumeMounts=[{"name": "data", "mountPath": "/data"}])
    body["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    host.apply(
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": claim},
    )
    host.run_pod(body)
    host.kubectl("exec", "writer", "--", "/program", "write", "/data/file", "kept")
    volume = host.kubectl("get", "pvc", "data", "-o", "jsonpath={.spec.volumeName}")
    folder = host.layout.volumes / volume
    assert (folder / "file").read_text(encoding="ascii") == "kept"
    host.kubectl("delete", "pod/writer", "pvc/data", f"--timeout={support.SECONDS:.0f}s")
    support.wait(lambda: not folder.exists(), "the folder of the volume goes")


def test_resource_metrics_are_served(host: support.Node, server: str) -> None:
    def measured() -> bool:
        answer = json.loads(host.kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/pods"))
        return "web" in [item["metadata"]["name"] for item in answer["items"]]

    host.kubectl("wait", "--for=condition=Available", "apiservice/v1beta1.metrics.k8s.io", "--timeout=90s")
    support.wait(measured, "metrics of the pod")


@pytest.mark.parametrize("part", [parts.ANCHOR, parts.CONTAINERD, parts.KUBELET, parts.PROXY])
def test_containers_outlive_a_part_that_is_killed(host: support.Node, server: str, part: str) -> None:
    killed = host.part(part)
    os.kill(killed, signal.SIGKILL)
    support.wait(lambda: host.ready() and host.part(part) != killed, f"{part} is back")
    assert container(host, "web") == server
    host.run_pod(support.pod(f"after-{part}", "serve"))


def test_pods_of_a_virtual_cluster_reach_its_api_server_and_dns(host: support.Node, tmp_path: Path) -> None:
    coredns = chain.ensure(["coredns"])["coredns"]
    host.nestling("host", "load-image", str(support.image(tmp_path, DNS_IMAGE, coredns, "/coredns")))
    host.nestling("create", "my-vc", "--connect=false")
    secret = host.kubectl("get", "secret", "vc-my-vc", "-n", "vcluster-my-vc", "-o", "jsonpath={.data.config}")
    virtual = tmp_path / "kubeconfig"
    virtual.write_bytes(base64.b64decode(secret))
    assert f"https://{host.spec.gateway}:" in virtual.read_text(encoding="utf-8")
    try:
        host.kubectl(
            "-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=90s", kubeconfig=virtual
        )
        asks = support.pod("asks", "get", "https://kubernetes.default.svc/version")
        asks["spec"]["restartPolicy"] = "Never"
        host.apply(asks, kubeconfig=virtual)
        done = "--for=jsonpath={.status.phase}=Succeeded"
        host.kubectl("wait", done, "pod/asks", f"--timeout={support.SECONDS:.0f}s", kubeconfig=virtual)
        assert host.kubectl("-n", "vcluster-my-vc", "logs", "asks-x-default-x-my-vc").startswith("200\n")
    finally:
        host.nestling("delete", "my-vc")


def test_after_a_crash_up_cleans_and_starts(host: support.Node, server: str) -> None:
    name = host.spec.cgroup
    left = cgroups.pids(name)
    supervisor = host.supervisor()
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    support.wait(lambda: host.supervisor() is None, "the supervisor is gone")
    assert left & cgroups.pids(name), "containers outlive a supervisor that is killed"
    host.up()
    assert not left & cgroups.pids(name)
    host.kubectl("wait", "--for=condition=Ready", "pod/web", f"--timeout={support.SECONDS:.0f}s")
    support.wait(lambda: container(host, "web") != server, "the container runs anew")


def test_down_leaves_nothing(before: dict[str, set[str]], host: support.Node) -> None:
    host.nestling("host", "down")
    assert support.footprint() == before
    assert not support.processes(str(host.home))
    host.up()
    host.kubectl("wait", "--for=condition=Ready", "pod/web", f"--timeout={support.SECONDS:.0f}s")


def test_two_hosts_have_nothing_in_common(host: support.Node, server: str) -> None:
    other = support.Node(host.home, "other")
    other.up()
    try:
        assert other.spec.pod_cidr != host.spec.pod_cidr
        assert other.kubectl("get", "nodes", "-o", "name") == f"node/{parts.NODE_NAME}\n"
    finally:
        other.nestling("host", "down", "--name", "other", "--delete")
    reached(host, "web", "http://web.default.svc/")


@pytest.mark.usefixtures("before")
def test_the_first_create_brings_up_a_host_with_a_real_node(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody chose anything: the folder of the virtual cluster is there before its host, and holds nobody to a kind."""
    monkeypatch.delenv("NESTLING_NODE", raising=False)
    # under a short name: requirements.problems
    first = support.Node(tmp_path_factory.mktemp("first") / "home")
    try:
        first.nestling("create", "my-vc", "--driver", "local", "--connect=false")
        assert first.spec.pod_cidr
        assert first.kubectl("get", "nodes", "-o", "name") == f"node/{parts.NODE_NAME}\n"
        first.nestling("delete", "my-vc", "--driver", "local")
    finally:
        first.nestling("host", "down", "--delete", "--force")
