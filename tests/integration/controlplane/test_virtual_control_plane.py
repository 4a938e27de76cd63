"""``nestling start`` with real etcd, API server, controller-manager and syncer, beside a real host API."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nestling.controlplane import certificates, pki, supervisor_status
from nestling.naming.tenant import Tenant
from tests.integration.controlplane import virtual as virtual_module
from tests.support import envtest

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(400),
]

VALUES = """
exportKubeConfig:
  additionalSecrets:
    - name: for-argo
      context: argo
      server: https://my-vc.team-x.svc:443
      serviceAccount: {name: argo, namespace: kube-system, clusterRole: view}
controlPlane:
  proxy: {extraSANs: [vc.example.com]}
  distro: {k8s: {apiServer: {extraArgs: ["--max-requests-inflight=399"]}}}
"""


@pytest.fixture(scope="module")
def virtual(host: envtest.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[virtual_module.Virtual]:
    folder = tmp_path_factory.mktemp("vc") / "my-vc"
    with virtual_module.virtual_cluster(host, folder, Tenant("my-vc", "team-x"), VALUES) as made:
        asyncio.run(made.install())
        made.start()
        yield made


def test_the_exported_kubeconfig_works(virtual: virtual_module.Virtual) -> None:
    assert "kube-system" in virtual.kubectl("get", "namespaces", virtual=True)
    virtual.kubectl("create", "configmap", "mine", "--from-literal=a=b", virtual=True)
    assert virtual.get("configmap", "mine", virtual=True)["data"] == {"a": "b"}


def test_default_kubernetes_has_the_address_of_service_name(virtual: virtual_module.Virtual) -> None:
    outside = virtual.get("service", "my-vc")
    inside = virtual.get("service", "kubernetes", virtual=True)
    assert inside["spec"]["clusterIP"] == outside["spec"]["clusterIP"]
    assert [port["name"] for port in inside["spec"]["ports"]] == ["https"]
    endpoints = virtual.get("endpoints", "kubernetes", virtual=True)["subsets"]
    assert [port["port"] for port in endpoints[0]["ports"]] == [virtual.port]
    slices = virtual.get("endpointslices", "-l", "kubernetes.io/service-name=kubernetes", virtual=True)["items"]
    assert [found["metadata"]["name"] for found in slices] == ["kubernetes"]


def test_the_service_range_is_the_hosts_and_remembered(virtual: virtual_module.Virtual) -> None:
    annotations = virtual.get("service", "my-vc")["metadata"]["annotations"]
    assert annotations["vcluster.loft.sh/service-cidr"] == "10.96.0.0/16"
    names = [found["metadata"]["name"] for found in virtual.get("services")["items"]]
    assert not [name for name in names if name.startswith("vcluster-service-cidr-")]


def test_strangers_reach_the_health_paths_only(virtual: virtual_module.Virtual) -> None:
    assert [virtual.ask(path) for path in ("/readyz", "/livez", "/healthz")] == [200, 200, 200]
    assert [virtual.ask(path) for path in ("/api", "/version", "/apis", "/metrics")] == [401, 401, 401, 401]


def test_secrets_have_labels_and_owner(virtual: virtual_module.Virtual) -> None:
    owner = virtual.get("service", "my-vc")["metadata"]["uid"]
    for name in ("vc-my-vc", "my-vc-certs", "for-argo"):
        metadata = virtual.get("secret", name)["metadata"]
        assert metadata["labels"].items() >= {"app": "vcluster", "vcluster-name": "my-vc"}.items()
        assert [reference["uid"] for reference in metadata["ownerReferences"]] == [owner]


def test_an_additional_secret_holds_the_token_of_its_service_account(virtual: virtual_module.Virtual) -> None:
    secret = virtual.get("secret", "for-argo")
    token = base64.b64decode(secret["data"]["token"]).decode()
    assert "client-key-data" not in base64.b64decode(secret["data"]["config"]).decode()
    program = ["kubectl", "--kubeconfig", os.devnull, "--server", f"https://localhost:{virtual.port}"]
    trust = ["--certificate-authority", str(virtual.folder / "data" / "pki" / "ca.crt"), "--token", token]

    def can(verb: str) -> str:
        words = [*program, *trust, "auth", "can-i", verb, "pods"]
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()

    # the rules of ClusterRole view are put together by a controller some time after the start
    virtual_module.until(lambda: can("get") == "yes", "right to get pods", explain=virtual.logs)
    assert can("delete") == "no"


def test_extra_args_reach_the_process(virtual: virtual_module.Virtual) -> None:
    pid = virtual.components()["kube-apiserver"].pid
    arguments = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    assert "--max-requests-inflight=399" in arguments


def test_a_deleted_kubeconfig_secret_comes_back(virtual: virtual_module.Virtual) -> None:
    before = virtual.get("secret", "vc-my-vc")
    virtual.kubectl("delete", "secret", "vc-my-vc")
    virtual_module.until(
        lambda: "secret/vc-my-vc" in virtual.kubectl("get", "secrets", "-o", "name"), "new Secret", explain=virtual.logs
    )
    assert virtual.get("secret", "vc-my-vc")["data"] == before["data"]


def test_metrics_and_readiness(virtual: virtual_module.Virtual) -> None:
    assert virtual.syncer("/healthz") == (200, "ok")
    assert virtual.syncer("/readyz")[0] == 200
    status, text = virtual.syncer("/metrics")
    assert status == 200
    assert 'nestling_certificate_expiry_timestamp_seconds{file="apiserver.crt"}' in text


def test_keys_are_private_and_not_in_the_logs(virtual: virtual_module.Virtual) -> None:
    for file in (virtual.folder / "data" / "pki").rglob("*"):
        if file.suffix in {".key", ".conf"}:
            assert file.stat().st_mode & 0o077 == 0, file
    key = (virtual.folder / "data" / "pki" / "sa.key").read_text().splitlines()[1]
    assert key not in virtual.logs()


@pytest.mark.parametrize("name", ["syncer", "kube-controller-manager", "etcd", "kube-apiserver"])
def test_a_killed_component_comes_back(virtual: virtual_module.Virtual, name: str) -> None:
    before = virtual.components()[name]
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)

    def back() -> bool:
        now = virtual.components()[name]
        return now.pid not in {None, before.pid} and virtual.is_ready()

    virtual_module.until(back, f"restarted {name}", explain=virtual.logs)
    assert "default" in virtual.kubectl("get", "namespaces", virtual=True)


def test_a_second_start_in_the_same_folder_is_refused(virtual: virtual_module.Virtual) -> None:
    assert "already runs here" in virtual.refusal()


def test_a_restart_with_an_empty_disk_keeps_the_authority(virtual: virtual_module.Virtual) -> None:
    """Last of those on the shared virtual cluster, because it loses its data."""
    data = virtual.folder / "data"
    before = pki.read(data / "pki")
    exported = virtual.exported().read_text()
    pids = virtual.pids()
    assert virtual.stop() == 0
    assert not [pid for pid in pids if supervisor_status.start_time(pid)]
    data.rename(virtual.folder / "lost")
    virtual.start()
    after = pki.read(data / "pki")
    assert {name: after[name] for name in ("ca.crt", "ca.key", "sa.key")} == {
        name: before[name] for name in ("ca.crt", "ca.key", "sa.key")
    }
    assert certificates.expiries(after) == certificates.expiries(before)
    assert virtual.exported().read_text() == exported
    assert "default" in virtual.kubectl("get", "namespaces", virtual=True)


def test_without_its_service_it_says_who_makes_that(host: envtest.Cluster, tmp_path: Path) -> None:
    with virtual_module.virtual_cluster(host, tmp_path / "vc", Tenant("lonely", "team-y")) as made:
        asyncio.run(_allow(made))
        assert "the host has no Service lonely in namespace team-y" in made.refusal()


def test_a_busy_port_is_named(host: envtest.Cluster, tmp_path: Path) -> None:
    with (
        virtual_module.virtual_cluster(host, tmp_path / "vc", Tenant("busy", "team-z")) as made,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        made.port = server.getsockname()[1]
        assert f"port {made.port} on 127.0.0.1 is in use" in made.refusal()


def test_a_broken_configuration_names_the_key(host: envtest.Cluster, tmp_path: Path) -> None:
    with virtual_module.virtual_cluster(host, tmp_path / "vc", Tenant("x", "team-x"), "syncc: 1\n") as made:
        assert "syncc" in made.refusal()


async def _allow(made: virtual_module.Virtual) -> None:
    """Everything on the host but the services."""
    await made.install()
    for name in (made.tenant.name, f"{made.tenant.name}-headless"):
        await asyncio.to_thread(made.kubectl, "delete", "service", name)
