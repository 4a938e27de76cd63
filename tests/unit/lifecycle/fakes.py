"""A driver that remembers instead of doing, and a reporter that listens."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path

from nestling.drivers import base, errors
from nestling.kube.resource import Obj
from nestling.lifecycle import kubeconfig_file, session

CREATED = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


def cluster(name: str = "my-vc", namespace: str = "", status: str = "Running") -> base.VirtualCluster:
    return base.VirtualCluster(
        name=name,
        namespace=namespace or f"vcluster-{name}",
        host_context="nestling-default",
        status=status,
        version="0.1.0",
        created=CREATED,
        kubernetes_version="v1.36.3",
        server="https://127.0.0.1:16001",
    )


class FakeReporter:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, message: str) -> None:
        self.lines.append(f"info {message}")

    def done(self, message: str) -> None:
        self.lines.append(f"done {message}")

    def warn(self, message: str) -> None:
        self.lines.append(f"warn {message}")

    def debug(self, message: str) -> None:
        self.lines.append(f"debug {message}")

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        self.lines.append(f"step {text}")
        yield


class FakeDriver:
    def __init__(self, *known: base.VirtualCluster) -> None:
        self.known = list(known)
        self.calls: list[str] = []
        self.left: list[str] = []
        self.user_values = "a: 1\n"
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, bytes] = {}
        self.pieces: list[base.Piece] = []
        self.ways: list[base.Way] = []
        self.name = "fake"
        self.holds = False

    def own_namespace(self) -> str | None:
        return None

    def fetch(self, request: base.CreateRequest, reporter: base.Reporter) -> None:
        self.calls.append("fetch")

    async def clusters(self, namespace: str | None = None) -> list[base.VirtualCluster]:
        return [found for found in self.known if namespace in (None, found.namespace)]

    async def create(self, request: base.CreateRequest, reporter: base.Reporter) -> base.VirtualCluster:
        self.calls.append(f"create {request.name}")
        made = cluster(request.name, request.namespace)
        self.known.append(made)
        return made

    async def upgrade(
        self, cluster: base.VirtualCluster, request: base.CreateRequest, reporter: base.Reporter
    ) -> base.VirtualCluster:
        self.calls.append(f"upgrade {cluster.name} in {request.namespace}")
        return cluster

    async def ensure_running(self, cluster: base.VirtualCluster, reporter: base.Reporter) -> base.VirtualCluster:
        self.calls.append(f"ensure_running {cluster.name}")
        return cluster

    async def pause(self, cluster: base.VirtualCluster, reporter: base.Reporter) -> None:
        self.calls.append(f"pause {cluster.name}")

    async def delete(
        self, cluster: base.VirtualCluster, request: base.DeleteRequest, reporter: base.Reporter
    ) -> Sequence[str]:
        self.calls.append(f"delete {cluster.name}")
        if not self.left:
            self.known = [found for found in self.known if found != cluster]
        return self.left

    @contextlib.asynccontextmanager
    async def reach(
        self, cluster: base.VirtualCluster, way: base.Way, reporter: base.Reporter
    ) -> AsyncIterator[base.Reached]:
        if cluster.status == "Broken":
            raise errors.UserError("no kubeconfig")
        self.ways.append(way)
        config: Obj = {
            "clusters": [{"cluster": {"server": cluster.server, "certificate-authority-data": "Q0E="}}],
            "users": [{"user": {"client-key-data": "S0VZ"}}],
        }
        yield base.Reached(config, held=self.holds and not way.background)

    async def command_environment(
        self, program: str, environ: Mapping[str, str], reporter: base.Reporter
    ) -> Mapping[str, str]:
        return environ

    async def values(self, cluster: base.VirtualCluster) -> str:
        return self.user_values

    async def certificates(self, cluster: base.VirtualCluster) -> Mapping[str, bytes]:
        return self.files

    async def rotate_certificates(
        self, cluster: base.VirtualCluster, *, authorities: bool, reporter: base.Reporter
    ) -> str:
        self.calls.append(f"rotate {cluster.name} {authorities}")
        return "/backup"

    async def syncer(self, cluster: base.VirtualCluster, path: str) -> bytes:
        if path not in self.answers:
            raise errors.UserError("the syncer process does not answer")
        return self.answers[path]

    async def shell(self, cluster: base.VirtualCluster, wanted: base.Shell, environ: Mapping[str, str]) -> base.Command:
        return base.Command(["sh", "-c", f"exit {len(wanted.words)}"], environ)

    async def diagnose(self, cluster: base.VirtualCluster, wanted: base.Diagnosis) -> AsyncIterator[base.Piece]:
        for piece in self.pieces:
            yield piece


def new_session(
    path: Path, *known: base.VirtualCluster, namespace: str | None = None
) -> tuple[session.Session, FakeDriver]:
    driver = FakeDriver(*known)
    files = kubeconfig_file.Files((path / "kubeconfig",))
    return session.Session(driver=driver, files=files, reporter=FakeReporter(), namespace=namespace), driver
