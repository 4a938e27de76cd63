"""A bare Kubernetes API for tests: a real etcd and kube-apiserver on free loopback ports, with throw-away certificates.

RBAC decides, the administrator is a client certificate of the group ``system:masters``. There are no controllers, no
scheduler and no nodes: objects stay as they are written. Both processes end with the test process, however that ends.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import trustme
import yaml

from nestling.binaries import chain
from nestling.local import ports

#: How long a start may take on a busy machine.
START_SECONDS = 90.0


def binary(name: str) -> Path:
    """A stock binary from the provider chain: fetched or built when it is not there, never skipped.

    NESTLING_TEST_KUBERNETES chooses the version of Kubernetes, here as for embedded hosts.
    """
    version = os.environ.get("NESTLING_TEST_KUBERNETES") or None
    return chain.ensure([name], kubernetes_version=version)[name]


def free_port() -> int:
    """A loopback port that nobody listens on, below those of outgoing connections: one of these could take it first."""
    return ports.choose(["server"])["server"]


class Cluster:
    """The two processes and the way in. ``folder`` is all that they write to."""

    def __init__(self, folder: Path, *, apiserver_args: Sequence[str] = ()) -> None:
        self.folder = folder
        self.url = ""
        self.port = 0
        self._etcd_url = ""
        self._args = tuple(apiserver_args)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._authority = trustme.CA()
        self._write_certificates()

    @property
    def ca_file(self) -> Path:
        """The certificate of the authority that signed the API server and its clients."""
        return self.folder / "ca.crt"

    @property
    def ca_pem(self) -> bytes:
        """The same as bytes."""
        return self.ca_file.read_bytes()

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig of the administrator."""
        return self.folder / "admin.conf"

    def start(self) -> None:
        """Start both and wait until the API is ready. The API server keeps its port over restarts."""
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        client, peer = free_port(), free_port()
        self._etcd_url = f"http://127.0.0.1:{client}"
        self._write_kubeconfig()
        peer_url = f"http://127.0.0.1:{peer}"
        self._spawn(
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={self._etcd_url}",
            f"--advertise-client-urls={self._etcd_url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=default={peer_url}",
            "--unsafe-no-fsync",
        )
        self.start_apiserver()

    def start_apiserver(self) -> None:
        """Start the API server (again) and wait until it is ready."""
        folder = self.folder
        self._spawn(
            "kube-apiserver",
            f"--etcd-servers={self._etcd_url}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--tls-cert-file={folder / 'apiserver.crt'}",
            f"--tls-private-key-file={folder / 'apiserver.key'}",
            f"--client-ca-file={self.ca_file}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={folder / 'apiserver.key'}",
            f"--service-account-signing-key-file={folder / 'apiserver.key'}",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--endpoint-reconciler-type=none",
            "--disable-admission-plugins=ServiceAccount",
            "--shutdown-delay-duration=0s",
            "--audit-log-path=",
            *self._args,
        )
        self._wait(self._is_ready, "kube-apiserver")

    def kill_apiserver(self) -> None:
        """SIGKILL, as the kernel does when memory runs out."""
        self._end("kube-apiserver", signal.SIGKILL)

    def stop(self) -> None:
        """End both processes."""
        for name in reversed(list(self._processes)):
            self._end(name, signal.SIGKILL)

    def compact(self) -> int:
        """Make etcd forget all history up to now; the answer is the revision."""
        status = self._etcd("/v3/maintenance/status", {})
        revision = int(status["header"]["revision"])
        try:
            self._etcd("/v3/kv/compaction", {"revision": str(revision), "physical": True})
        except urllib.error.HTTPError as error:
            # nothing was written since the last time
            if b"has been compacted" not in error.read():
                raise
        return revision

    def issue(self, user: str, group: str = "") -> tuple[bytes, bytes]:
        """A client certificate and its key, PEM."""
        # Go refuses a certificate without any alternative name, which trustme marks as critical
        issued = self._authority.issue_cert("client.test", common_name=user, organization_name=group or None)
        return b"".join(blob.bytes() for blob in issued.cert_chain_pems), issued.private_key_pem.bytes()

    def _write_certificates(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._authority.cert_pem.write_to_path(str(self.ca_file))
        names = ("127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "10.96.0.1")
        server = self._authority.issue_cert(*names)
        self._private("apiserver.crt", b"".join(blob.bytes() for blob in server.cert_chain_pems))
        self._private("apiserver.key", server.private_key_pem.bytes())
        certificate, key = self.issue("admin", "system:masters")
        self._private("admin.crt", certificate)
        self._private("admin.key", key)

    def _write_kubeconfig(self) -> None:
        def data(name: str) -> str:
            return base64.b64encode((self.folder / name).read_bytes()).decode()

        user = {"client-certificate-data": data("admin.crt"), "client-key-data": data("admin.key")}
        cluster = {"server": self.url, "certificate-authority-data": data("ca.crt")}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "admin", "user": user}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
            "current-context": "test",
        }
        self._private("admin.conf", yaml.safe_dump(content).encode())

    def _private(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)

    def _spawn(self, name: str, *args: str) -> None:
        path = binary(name)
        # setpriv: the process dies with us even when we are killed
        guard = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [*guard, str(path), *args], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _end(self, name: str, number: signal.Signals) -> None:
        process = self._processes.pop(name, None)
        if process is not None:
            process.send_signal(number)
            process.wait()

    def _wait(self, ready: Callable[[], bool], name: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if any(process.poll() is not None for process in self._processes.values()) or time.monotonic() > deadline:
                log = (self.folder / f"{name}.log").read_text(errors="replace")
                self.stop()
                raise RuntimeError(f"{name} does not start:\n{log[-3000:]}")
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        context = ssl.create_default_context(cafile=str(self.ca_file))
        context.load_cert_chain(self.folder / "admin.crt", self.folder / "admin.key")
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5, context=context)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    def _etcd(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(self._etcd_url + path, data=json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=30) as response:
            answer: dict[str, Any] = json.load(response)
            return answer


@contextlib.contextmanager
def running(folder: Path, *, apiserver_args: Sequence[str] = ()) -> Iterator[Cluster]:
    """A running cluster, for fixtures of any scope: ``with envtest.running(tmp_path_factory.mktemp("api")) as api``."""
    cluster = Cluster(folder, apiserver_args=apiserver_args)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@contextlib.asynccontextmanager
async def running_async(folder: Path, *, apiserver_args: Sequence[str] = ()) -> AsyncIterator[Cluster]:
    """The same from inside an event loop, which goes on while the processes start."""
    cluster = Cluster(folder, apiserver_args=apiserver_args)
    try:
        await asyncio.to_thread(cluster.start)
        yield cluster
    finally:
        await asyncio.to_thread(cluster.stop)
