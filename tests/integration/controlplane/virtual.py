"""A virtual control plane as real processes beside a bare host API, for tests: install, start, look, stop."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from nestling import resources
from nestling.controlplane import host_objects, prepare, settings, supervisor_status
from nestling.kube import client, kubeconfig, resource
from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant
from tests.support import envtest

#: How long anything may take on a busy machine.
PATIENCE = 90.0
_KINDS = {found.kind: found for found in vars(resource).values() if isinstance(found, resource.Resource)}


def until(
    condition: Callable[[], bool], what: str, *, explain: Callable[[], str] = lambda: "", patience: float = PATIENCE
) -> None:
    """Wait for a condition; fails with the explanation when it does not come."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"no {what} within {patience:.0f} s\n{explain()}")
        time.sleep(0.05)


class Virtual:
    """One virtual cluster: its folder, its process, and ways to look at it."""

    def __init__(self, host: envtest.Cluster, folder: Path, tenant: Tenant, values: str = "") -> None:
        self.host, self.folder, self.tenant = host, folder, tenant
        self.port = envtest.free_port()
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)
        self.config_file = folder / "values.yaml"
        self.config_file.write_text(values)
        self._write_host_access()

    async def install(self) -> None:
        """What the chart or the local driver does on the host."""
        config = prepare.read_config(self.config_file)
        release = host_objects.Release(self.tenant, "0.1.0")
        wanted = host_objects.everything(config, release, resources.specs(), values=self.config_file.read_text())
        async with client.Client(kubeconfig.load([self.host.kubeconfig])) as api:
            for namespace in {obj["metadata"].get("namespace", self.tenant.namespace) for obj in wanted}:
                body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
                await api.create(resource.NAMESPACES, body)
            for obj in wanted:
                await api.create(_KINDS[obj["kind"]], obj, obj["metadata"].get("namespace"))

    def command(self) -> list[str]:
        """The command line of ``nestling start``."""
        return [
            *(sys.executable, "-m", "nestling.cli.main", "start", "--config", str(self.config_file)),
            *(
                "--name",
                self.tenant.name,
                "--namespace",
                self.tenant.namespace,
                "--data-dir",
                str(self.folder / "data"),
            ),
            *("--host-kubeconfig", str(self.folder / "host.kubeconfig"), "--port", str(self.port)),
            *("--bind-address", "127.0.0.1", "--log-format", "json"),
        ]

    def start(self) -> None:
        """Start and wait until every component is ready."""
        with (self.folder / "start.log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, start_new_session=True)
        until(self.is_ready, "ready virtual cluster", explain=self.logs)

    def refusal(self) -> str:
        """Start where that must fail; returns what it says."""
        done = subprocess.run(self.command(), capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode != 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def is_ready(self) -> bool:
        """Does the supervisor say so, and does it live?"""
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}\n{self.logs()}")
        status = supervisor_status.read(self.folder)
        running = supervisor_status.supervisor(self.folder)
        return bool(status and status.ready and running and running.pid == self.process.pid)

    def components(self) -> dict[str, supervisor_status.ComponentStatus]:
        """How each component is."""
        status = supervisor_status.read(self.folder)
        return status.components if status else {}

    def pids(self) -> list[int]:
        """All processes of the virtual cluster that live."""
        found = [component.pid for component in self.components().values()]
        return [pid for pid in found if pid and supervisor_status.start_time(pid)]

    def stop(self) -> int:
        """SIGTERM to the supervisor; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def destroy(self) -> None:
        """End everything, whatever state it is in."""
        if self.process is None or self.process.poll() is not None:
            return
        pids = self.pids()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.terminate()
            self.process.wait(30)
        for pid in [self.process.pid, *pids]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)

    def kubectl(self, *arguments: str, virtual: bool = False) -> str:
        """Run kubectl against the host's namespace, or with the exported kubeconfig."""
        program = shutil.which("kubectl")
        assert program is not None
        access = self.exported() if virtual else self.host.kubeconfig
        where = [] if virtual else ["--namespace", self.tenant.namespace]
        done = subprocess.run(
            [program, "--kubeconfig", str(access), *where, *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env={**os.environ, "HOME": str(self.folder)},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, *arguments: str, virtual: bool = False) -> Obj:
        """``kubectl get … -o json``."""
        found: Obj = json.loads(self.kubectl("get", *arguments, "-o", "json", virtual=virtual))
        return found

    def exported(self) -> Path:
        """The kubeconfig of Secret vc-NAME as a file."""
        secret = self.get("secret", f"vc-{self.tenant.name}")
        file = self.folder / "exported.kubeconfig"
        settings.write_private(file, base64.b64decode(secret["data"]["config"]))
        return file

    def ask(self, path: str) -> int:
        """The status code that somebody without credentials gets from the virtual API server."""
        context = ssl.create_default_context(cafile=str(self.folder / "data" / "pki" / "ca.crt"))
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=30, context=context)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def syncer(self, path: str) -> tuple[int, str]:
        """What the syncer's own listener answers."""
        port = settings.from_json((self.folder / prepare.SETTINGS).read_text()).ports.health
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def logs(self) -> str:
        """The ends of all logs, for a failing test."""
        files = [self.folder / "start.log", self.folder / "supervisor.log", *(self.folder / "logs").glob("*.log")]
        return "\n".join(
            f"--- {file.name}\n{file.read_text(errors='replace')[-2000:]}" for file in files if file.exists()
        )

    def _write_host_access(self) -> None:
        """A certificate of the control plane's service account: it may do what its Role says and no more."""
        namespace = self.tenant.namespace
        certificate, key = self.host.issue(
            f"system:serviceaccount:{namespace}:vc-{self.tenant.name}", f"system:serviceaccounts:{namespace}"
        )
        access = yaml.safe_load(self.host.kubeconfig.read_text())
        access["users"][0]["user"] = {
            "client-certificate-data": base64.b64encode(certificate).decode(),
            "client-key-data": base64.b64encode(key).decode(),
        }
        settings.write_private(self.folder / "host.kubeconfig", yaml.safe_dump(access))


@contextlib.contextmanager
def virtual_cluster(host: envtest.Cluster, folder: Path, tenant: Tenant, values: str = "") -> Iterator[Virtual]:
    """A virtual cluster that is not installed yet; ended at the end."""
    virtual = Virtual(host, folder, tenant, values)
    try:
        yield virtual
    finally:
        virtual.destroy()
