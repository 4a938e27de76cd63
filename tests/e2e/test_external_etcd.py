"""A virtual cluster in a pod whose store is an etcd of somebody else's, with certificates of its own (spec §4.4)."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nestling.binaries import chain
from nestling.controlplane import authority
from tests.support import envtest, releases
from tests.support import node as support

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

MARK = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mark"}, "data": {"kept": "yes"}}
NAMESPACE = "external"


@pytest.fixture(scope="module")
def etcd(node_with_images: support.Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Its address as pods reach it, and the folder with what a client needs."""
    folder = tmp_path_factory.mktemp("etcd")
    gateway = node_with_images.spec.gateway
    ca = authority.Authority.create("etcd")
    server = ca.issue(authority.Subject("server", server=True, client=True, sans=(gateway,)))
    client = ca.issue(authority.Subject("client", client=True))
    for name, content in {
        "ca.crt": ca.pem,
        "server.crt": server.cert,
        "server.key": server.key,
        "tls.crt": client.cert,
        "tls.key": client.key,
    }.items():
        (folder / name).write_bytes(content)
    address = f"https://{gateway}:{envtest.free_port()}"
    peer = f"http://127.0.0.1:{envtest.free_port()}"
    command = [
        str(chain.ensure(["etcd"])["etcd"]),
        f"--data-dir={folder / 'data'}",
        *(f"--listen-client-urls={address}", f"--advertise-client-urls={address}"),
        *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}"),
        *(f"--cert-file={folder / 'server.crt'}", f"--key-file={folder / 'server.key'}"),
        *("--client-cert-auth", f"--trusted-ca-file={folder / 'ca.crt'}", "--log-level=warn"),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield address, folder
    finally:
        process.terminate()
        process.wait(30)


def test_the_data_is_in_an_external_etcd(
    node_with_images: support.Node, etcd: tuple[str, Path], tmp_path: Path
) -> None:
    address, folder = etcd
    release = releases.Release(node_with_images, tmp_path, "external", NAMESPACE)
    names = ("ca.crt", "tls.crt", "tls.key")
    data = {name: base64.b64encode((folder / name).read_bytes()).decode() for name in names}
    node_with_images.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "etcd", "namespace": NAMESPACE}, "data": data},
    )
    tls = {"caFile": "/etcd/ca.crt", "certFile": "/etcd/tls.crt", "keyFile": "/etcd/tls.key"}
    persistence = {
        "addVolumes": [{"name": "etcd", "secret": {"secretName": "etcd"}}],
        "addVolumeMounts": [{"name": "etcd", "mountPath": "/etcd", "readOnly": True}],
    }
    plane = {
        "backingStore": {"etcd": {"external": {"enabled": True, "endpoint": address, "tls": tls}}},
        "statefulSet": {"persistence": persistence},
    }
    with releases.installed(release, {"controlPlane": plane}):
        assert "etcd" not in release.processes()
        assert release.host("get", "persistentvolumeclaims", "-o", "name") == ""
        release.apply(MARK)
        # nothing of the cluster is in the pod: another one has all of it
        old = release.pod
        release.host("delete", old)
        support.wait(
            lambda: release.pod != old and "external" in release.host("get", "pods", "-o", "name"), "another pod"
        )
        release.wait_ready()
        assert release.read("get", "configmap", "mark", "-o", "jsonpath={.data.kept}") == "yes"
