"""A host with a real node for end-to-end tests, images for it, and what a machine shows of it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from nestling.binaries import chain, settings
from nestling.controlplane import supervisor_status
from nestling.local import layout, paths, record
from nestling.local.node import cgroups, network, oci, parts, requirements, spec

T = TypeVar("T")

SECONDS = 90.0
IMAGE = "test.nestling/program:1"
_PROGRAM = Path(__file__).parents[1] / "e2e" / "program"


def impossible() -> list[str]:
    """Why this machine can have no real node, whatever is built."""
    return requirements.problems(requirements.look(), Path.home())


def missing() -> str:
    """Why no real node can be made here now; empty when one can."""
    problems = impossible()
    provider = chain.Chain()
    absent = [one.name for one in provider.binaries(parts.BINARIES) if provider.find(one) is None]
    if absent:
        problems.append(f"not here: {', '.join(absent)}; run: nestling binaries fetch --node")
    if shutil.which("go", path=f"{os.environ['PATH']}:/usr/local/go/bin") is None:
        problems.append("no go to build the test image")
    return "; ".join(problems)


class Node:
    """One host in a home of its own, used by its commands."""

    def __init__(self, home: Path, name: str = "default") -> None:
        self.home = home
        self.name = name
        self.layout = layout.Layout(paths.Paths(home).host(name))
        kubectl = chain.ensure(["kubectl"])["kubectl"]
        self.environment = {**os.environ, "NESTLING_HOME": str(home), "KUBECONFIG": str(home / "kubeconfig")}
        self._kubectl = str(kubectl)

    @property
    def spec(self) -> spec.Spec:
        """What its processes share."""
        found = record.load(self.layout.folder)
        assert found is not None
        return network.of(found, self.layout)

    def nestling(self, *arguments: str) -> str:
        """Run a command; fails the test with its words when that fails."""
        return _run([sys.executable, "-m", "nestling.cli.main", *arguments], self.environment)

    def up(self) -> None:
        """Start it."""
        self.nestling("host", "up", "--node", "containerd", "--name", self.name)

    def kubectl(self, *arguments: str, kubeconfig: Path | None = None, text: str | None = None) -> str:
        """Ask the host, or another cluster."""
        config = kubeconfig or self.layout.kubeconfig
        return _run([self._kubectl, f"--kubeconfig={config}", *arguments], self.environment, text=text)

    def apply(self, *bodies: Mapping[str, Any], kubeconfig: Path | None = None) -> None:
        """Create or change objects."""
        content = json.dumps({"apiVersion": "v1", "kind": "List", "items": bodies})
        self.kubectl("apply", "-f", "-", kubeconfig=kubeconfig, text=content)

    def run_pod(self, body: Mapping[str, Any], *, kubeconfig: Path | None = None) -> None:
        """Create a pod and wait until it is ready."""
        self.apply(body, kubeconfig=kubeconfig)
        name = body["metadata"]["name"]
        try:
            self.kubectl(
                "wait", "--for=condition=Ready", f"pod/{name}", f"--timeout={SECONDS:.0f}s", kubeconfig=kubeconfig
            )
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.kubectl('describe', 'pod', name, kubeconfig=kubeconfig)}") from error

    def part(self, name: str) -> int:
        """The pid of a process of the host."""
        status = supervisor_status.read(self.layout.folder)
        assert status is not None
        pid = status.components[name].pid
        assert pid is not None
        return pid

    def supervisor(self) -> int | None:
        """The pid of its supervisor, None when that does not live."""
        found = supervisor_status.supervisor(self.layout.folder)
        return None if found is None else found.pid

    def ready(self) -> bool:
        """Whether all its parts are."""
        status = supervisor_status.read(self.layout.folder)
        return status is not None and status.ready


def pod(name: str, *arguments: str, **container: Any) -> dict[str, Any]:
    """A pod with one container of the test image."""
    program = {"name": "main", "image": IMAGE, "args": list(arguments), **container}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [program], "terminationGracePeriodSeconds": 0},
    }


def wait(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.1)


def eventually(check: Callable[[], T]) -> T:
    """What a check gives as soon as it holds; its last complaint when it does not in time.

    For what is true only some time after everybody said that they are ready: rules of a node, measurements, events.
    """
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def shows(ask: Callable[..., str], wanted: str, *arguments: str) -> str:
    """What a cluster shows, asked so, as soon as this text is in it."""

    def shown() -> str:
        said = ask(*arguments)
        assert wanted in said, said
        return said

    return eventually(shown)


def program_image(folder: Path) -> Path:
    """Build the test image; it needs no registry and no base image."""
    target = folder / "program"
    environment = {**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off"}
    environment["PATH"] += ":/usr/local/go/bin"
    _run(["go", "build", "-trimpath", "-o", str(target), *map(str, sorted(_PROGRAM.glob("*.go")))], environment)
    # under another name it is as much of tar as `kubectl cp` needs
    return image(folder, IMAGE, target, "/program", also=("bin/tar",))


def image(folder: Path, name: str, program: Path, entrypoint: str, *, also: Sequence[str] = ()) -> Path:
    """An image archive of one static program."""
    archive = folder / f"{program.name}.tar"
    files = dict.fromkeys((entrypoint.lstrip("/"), *also), program.read_bytes())
    oci.write(archive, name, files, entrypoint=[entrypoint], architecture=settings.Settings.from_env().architecture)
    return archive


def shell_image(folder: Path, name: str, *, also: Sequence[str] = (), entrypoint: Sequence[str] = ("/bin/sh",)) -> Path:
    """An image with `sh` and `sed`, for init containers that need them: busybox, else what this machine has."""
    wanted = ("sh", "sed", *also)
    busybox = shutil.which("busybox")
    if busybox is not None:
        files = {f"bin/{applet}": Path(busybox).read_bytes() for applet in wanted}
    else:
        programs = {f"bin/{one}": Path(shutil.which(one) or one).resolve() for one in wanted}
        libraries = {word for one in programs.values() for word in _run(["ldd", str(one)], os.environ).split()}
        found = {word.lstrip("/"): Path(word).resolve() for word in libraries if word.startswith("/")}
        files = {inside: file.read_bytes() for inside, file in {**programs, **found}.items()}
    archive = folder / "shell.tar"
    architecture = settings.Settings.from_env().architecture
    oci.write(archive, name, files, entrypoint=entrypoint, architecture=architecture)
    return archive


def footprint() -> dict[str, set[str]]:
    """What nodes could leave on a machine: devices, routes, nft tables, mounts, cgroups, settings."""
    raised = ("net/ipv4/ip_forward", "fs/inotify/max_user_instances", "fs/inotify/max_user_watches")
    return {
        "devices": {folder.name for folder in Path("/sys/class/net").iterdir()},
        "routes": set(network.routes()),
        "tables": set(_run(["nft", "list", "tables"], {**os.environ, "PATH": parts.search_path()}).splitlines()),
        "mounts": {line.split()[4] for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()},
        "cgroups": {str(found) for root in cgroups.hierarchies() for found in root.glob("nestling-*")},
        "settings": {f"{name}={Path('/proc/sys', name).read_text(encoding='ascii').strip()}" for name in raised},
    }


def processes(text: str) -> set[int]:
    """The processes whose command line or environment names something."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):
                if text.encode() in (folder / "cmdline").read_bytes():
                    found.add(int(folder.name))
    return found


@contextlib.contextmanager
def running(home: Path) -> Iterator[Node]:
    """A host that is up, and is gone afterwards."""
    node = Node(home)
    node.up()
    try:
        yield node
    finally:
        node.nestling("host", "down", "--delete", "--force")


def _run(command: list[str], environment: Mapping[str, str], *, text: str | None = None) -> str:
    done = subprocess.run(command, env=environment, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


if __name__ == "__main__":
    # `make e2e` asks before it builds
    raise SystemExit("; ".join(impossible()) or 0)
