"""Virtual clusters that Helm installs on a real node: the release, its pod, and the API inside."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nestling.binaries import chain
from tests.support import node as support

ROOT = Path(__file__).parents[2]
CHART = ROOT / "chart"
IMAGES = ROOT / ".images"
DNS_IMAGE = "docker.io/coredns/coredns:1.14.2"


def missing() -> str:
    """Why no control plane can run in a pod here; empty when one can."""
    if reason := support.missing():
        return reason
    absent = [one.name for one in archives() if not one.is_file()]
    return f"no {' and no '.join(absent)} in .images; run: make image" if absent else ""


def archives() -> tuple[Path, ...]:
    """The images that `make image` makes."""
    return (IMAGES / "nestling.tar", IMAGES / "kubernetes.tar")


def load_images(node: support.Node, folder: Path) -> None:
    """What pods of control planes and tenants run."""
    coredns = support.image(folder, DNS_IMAGE, chain.ensure(["coredns"])["coredns"], "/coredns")
    for archive in (*archives(), support.program_image(folder), coredns):
        node.nestling("host", "load-image", str(archive))


@dataclasses.dataclass(frozen=True)
class Release:
    """One release; its virtual cluster has the same name."""

    node: support.Node
    folder: Path
    name: str = "my-vc"
    namespace: str = "vcluster-my-vc"

    @property
    def pod(self) -> str:
        """The pod of the control plane."""
        found = self.host("get", "pods", "-l", f"app=vcluster,release={self.name}", "-o", "name").split()
        return found[0] if found else f"pod/{self.name}-0"

    def command(self, *arguments: str) -> list[str]:
        """The command line of helm for this release."""
        program = str(chain.ensure(["helm"])["helm"])
        return [program, *arguments, "-n", self.namespace, f"--kubeconfig={self.node.layout.kubeconfig}"]

    def helm(self, *arguments: str, values: Mapping[str, Any] | str | None = None) -> str:
        """Run helm; fails the test with its words."""
        command = self.command(*arguments)
        text = values if isinstance(values, str) else json.dumps(values or {})
        if values is not None:
            command += ["-f", "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=dict(os.environ))
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def install(self, values: Mapping[str, Any] | str | None = None) -> None:
        """Install the chart of this repository and wait until it is ready."""
        self.helm("install", self.name, str(CHART), "--create-namespace", values=values)
        self.wait_ready()

    def upgrade(self, values: Mapping[str, Any] | str | None = None) -> None:
        """Other values; waits until they are in force."""
        self.helm("upgrade", self.name, str(CHART), values=values)
        self.wait_rolled_out()

    def wait_rolled_out(self) -> None:
        """Wait until pods of the last revision are ready."""
        kind = self.host("get", "statefulset,deployment", "-l", f"app=vcluster,release={self.name}", "-o", "name")
        self._wait("rollout", "status", kind.split()[0])

    def wait_ready(self) -> None:
        """Wait for the pod."""
        support.wait(lambda: bool(self.host("get", self.pod, "--ignore-not-found")), "there is a pod")
        self._wait("wait", "--for=condition=Ready", self.pod)

    def _wait(self, *arguments: str) -> None:
        try:
            self.host(*arguments, f"--timeout={support.SECONDS:.0f}s")
        except AssertionError as error:
            said = self.host("describe", "pods"), self.logs()
            raise AssertionError("\n".join((str(error), *said))) from error

    def logs(self) -> str:
        """What the control plane said last."""
        with contextlib.suppress(AssertionError):
            return self.host("logs", self.pod, "-c", "syncer", "--tail=40")
        return ""

    def host(self, *arguments: str) -> str:
        """Ask the host about the namespace."""
        return self.node.kubectl("-n", self.namespace, *arguments)

    def virtual(self, *arguments: str, text: str | None = None) -> str:
        """Ask the virtual cluster."""
        return self.node.kubectl(*arguments, kubeconfig=self.kubeconfig(), text=text)

    def apply(self, *bodies: Mapping[str, Any]) -> None:
        """Create or change objects in it."""
        self.node.apply(*bodies, kubeconfig=self.kubeconfig())

    def run_pod(self, body: Mapping[str, Any]) -> None:
        """Create a pod in it and wait until it is ready; a namespace takes pods once it has its service account."""
        account = ("get", "serviceaccount", "default", "--ignore-not-found", "-o", "name")
        support.wait(lambda: bool(self.virtual(*account)), "the service account")
        self.node.run_pod(body, kubeconfig=self.kubeconfig())

    def answers(self) -> bool:
        """Whether its API does."""
        with contextlib.suppress(AssertionError):
            return bool(self.virtual("get", "namespace", "default", "-o", "name"))
        return False

    def read(self, *arguments: str) -> str:
        """What kubectl says of it as soon as it succeeds: the way to a pod that has just started may come after it."""
        return support.eventually(lambda: self.virtual(*arguments))

    def kubeconfig(self) -> Path:
        """The administrator's, with the address of the pod as it is now: this machine has a route to it."""
        support.wait(
            lambda: bool(self.host("get", "secret", f"vc-{self.name}", "--ignore-not-found")), f"Secret vc-{self.name}"
        )
        secret = self.host("get", "secret", f"vc-{self.name}", "-o", "jsonpath={.data.config}")
        address = self.host("get", self.pod, "-o", "jsonpath={.status.podIP}")
        config = json.loads(
            self.node.kubectl("config", "view", "--raw", "-o", "json", kubeconfig=self._write("secret", secret))
        )
        config["clusters"][0]["cluster"]["server"] = f"https://{address}:8443"
        return self._write("kubeconfig", base64.b64encode(json.dumps(config).encode()).decode())

    def container(self, pod: str) -> str:
        """The id of the container of one of the tenant's pods: a container that was restarted has another one."""
        return self.host("get", "pod", pod, "-o", "jsonpath={.status.containerStatuses[0].containerID}")

    def processes(self) -> dict[str, int]:
        """The processes in the pod, by name, as this machine numbers them."""
        identity = self.host("get", self.pod, "-o", "jsonpath={.metadata.uid}").replace("-", "")
        found = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with contextlib.suppress(OSError):
                    if identity in (folder / "cgroup").read_text(encoding="ascii").replace("-", "").replace("_", ""):
                        found[_name((folder / "cmdline").read_bytes())] = int(folder.name)
        return found

    def _write(self, kind: str, encoded: str) -> Path:
        file = self.folder / f"{self.name}-{kind}"
        file.write_bytes(base64.b64decode(encoded))
        return file


@contextlib.contextmanager
def installed(release: Release, values: Mapping[str, Any] | str | None = None) -> Iterator[Release]:
    """A release that is ready, and is gone with its namespace afterwards."""
    try:
        release.install(values)
        yield release
    finally:
        with contextlib.suppress(AssertionError):
            release.helm("uninstall", release.name)
        release.node.kubectl("delete", "namespace", release.namespace, "--ignore-not-found", "--wait=false")


def _name(command: bytes) -> str:
    """`etcd` for /binaries/etcd …, the module for what Python runs; `syncer` for either way to become it."""
    words = command.decode(errors="replace").split("\0")
    program = words[0].rpartition("/")[2]
    name = words[2].rpartition(".")[2] if program.startswith("python") and len(words) > 2 else program
    return "syncer" if name in ("preparing", "syncer_process") else name
