"""A virtual cluster and its host as tests see them: two clients, and waiting for conditions."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from nestling.controlplane import supervisor_status
from nestling.kube import cache, client, errors, kubeconfig, merge
from nestling.kube.resource import EVENTS, SERVICE_ACCOUNTS, Obj, Resource
from nestling.naming import names
from nestling.naming.tenant import Tenant, VirtualKey
from tests.support import host as host_support

T = TypeVar("T")
#: How long anything may take on a busy machine.
PATIENCE: Final = 60.0
_PAUSE: Final = 0.05


@dataclasses.dataclass(frozen=True)
class VirtualCluster:
    """A virtual cluster of the driver ``local``, made by the command line."""

    name: str
    home: Path
    host_kubeconfig: Path

    @property
    def tenant(self) -> Tenant:
        """Who it is on the host."""
        return Tenant(self.name, f"vcluster-{self.name}")

    @property
    def folder(self) -> Path:
        """Where its state is."""
        return self.home / "clusters" / "default" / self.tenant.namespace / self.name

    def command(self, *arguments: str) -> str:
        """Run a verb; its output."""
        environment = {**os.environ, "NESTLING_HOME": str(self.home), "KUBECONFIG": str(self.home / "kubeconfig")}
        program = [sys.executable, "-m", "nestling.cli.main", *host_support.of_tenant(arguments)]
        done = subprocess.run(program, check=False, capture_output=True, text=True, env=environment, timeout=300)
        assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout}\n{done.stderr}\n{self.logs()}"
        return done.stdout

    def logs(self) -> str:
        """The ends of the logs, for a failing test."""
        files = sorted((self.folder / "logs").glob("*.log"))
        return "\n".join(f"--- {file.name}\n{file.read_text(errors='replace')[-3000:]}" for file in files)

    @property
    def syncer_pid(self) -> int:
        """The process of the syncer, 0 while there is none."""
        status = supervisor_status.read(self.folder)
        return (status.components["syncer"].pid or 0) if status else 0

    @contextlib.asynccontextmanager
    async def without_syncer(self) -> AsyncIterator[None]:
        """The syncer was killed and is held down for the time of the block; afterwards a new one works."""
        pid = self.syncer_pid
        # stopped rather than killed at first: the supervisor would start the next one at once
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGKILL)
        await until(lambda: _true(self.syncer_pid not in (0, pid)), "new syncer", explain=self.logs)


@dataclasses.dataclass(frozen=True)
class Sides:
    """Clients of both API servers."""

    cluster: VirtualCluster
    virtual: client.Client
    host: client.Client

    @property
    def tenant(self) -> Tenant:
        """Who the virtual cluster is on the host."""
        return self.cluster.tenant

    def host_name(self, name: str, namespace: str = "default") -> str:
        """The name that an object has on the host."""
        return names.host_name(VirtualKey(namespace, name), self.tenant).name

    async def create(self, resource: Resource, name: str, body: Obj, *, namespace: str = "default", **meta: Any) -> Obj:
        """Create a virtual object."""
        where = namespace if resource.namespaced else None
        obj = {**body, "metadata": {"name": name, **({"namespace": where} if where else {}), **meta}}
        return await self.virtual.create(resource, obj, where)

    async def on_host(
        self,
        resource: Resource,
        name: str,
        condition: Callable[[Obj], object] = bool,
        *,
        namespace: str = "default",
    ) -> Obj:
        """The host object of a virtual one, once it fulfils the condition."""
        host_name = self.host_name(name, namespace)
        return await self._seen(self.host, resource, host_name, self.tenant.namespace, condition)

    async def above(
        self,
        resource: Resource,
        name: str,
        condition: Callable[[Obj], object] = bool,
        *,
        namespace: str | None = "default",
    ) -> Obj:
        """The virtual object, once it fulfils the condition."""
        return await self._seen(self.virtual, resource, name, namespace, condition)

    async def gone_on_host(self, resource: Resource, name: str, *, namespace: str = "default") -> None:
        """Wait until the host object is gone."""
        host_name = self.host_name(name, namespace)
        await self._gone(self.host, resource, host_name, self.tenant.namespace)

    async def gone_above(self, resource: Resource, name: str, *, namespace: str | None = "default") -> None:
        """Wait until the virtual object is gone."""
        await self._gone(self.virtual, resource, name, namespace)

    async def change(self, resource: Resource, name: str, patch: Obj, *, namespace: str = "default") -> Obj:
        """Change the virtual object."""
        return await self.virtual.patch(resource, name, patch, namespace)

    async def change_on_host(self, resource: Resource, name: str, patch: Obj) -> Obj:
        """Change the host object behind the syncer's back."""
        return await self.host.patch(resource, self.host_name(name), patch, self.tenant.namespace)

    async def warning(self, name: str, text: str, *, namespace: str = "default") -> Obj:
        """An event on a virtual object whose message has this text."""

        async def look() -> Obj | None:
            events = await self.virtual.list(EVENTS, namespace)
            found = (
                event
                for event in events
                if event["involvedObject"].get("name") == name and text in event.get("message", "")
            )
            return next(found, None)

        return await until(look, f'event with "{text}" on {name}', explain=self.cluster.logs)

    async def settled(self, resource: Resource, name: str, *, namespace: str = "default") -> None:
        """A change made now has passed through the syncer: one on this object has, after all before it."""
        await self.change(resource, name, {"metadata": {"annotations": {"mark": "1"}}}, namespace=namespace)
        await self.on_host(
            resource, name, lambda one: one["metadata"]["annotations"].get("mark") == "1", namespace=namespace
        )

    async def _seen(
        self,
        api: client.Client,
        resource: Resource,
        name: str,
        namespace: str | None,
        condition: Callable[[Obj], object],
    ) -> Obj:
        last: list[Obj] = []

        async def look() -> Obj | None:
            with contextlib.suppress(errors.NotFound):
                last[:] = [await api.get(resource, name, namespace)]
                return last[0] if condition(last[0]) else None
            return None

        return await until(
            look, f"{resource.kind} {namespace}/{name}", explain=lambda: f"last seen: {last}\n{self.cluster.logs()}"
        )

    async def _gone(self, api: client.Client, resource: Resource, name: str, namespace: str | None) -> None:
        async def look() -> bool | None:
            try:
                await api.get(resource, name, namespace)
            except errors.NotFound:
                return True
            return None

        await until(look, f"end of {resource.kind} {namespace}/{name}", explain=self.cluster.logs)


async def until(look: Callable[[], Awaitable[T | None]], what: str, *, explain: Callable[[], str] = lambda: "") -> T:
    """Look until there is something to see; fails with the explanation when it does not come."""
    deadline = time.monotonic() + PATIENCE
    while (found := await look()) is None:
        if time.monotonic() > deadline:
            raise AssertionError(f"no {what} within {PATIENCE:.0f} s\n{explain()}")
        await asyncio.sleep(_PAUSE)
    return found


@contextlib.asynccontextmanager
async def recorded(api: client.Client, resource: Resource, namespace: str, name: str) -> AsyncIterator[list[Obj]]:
    """Every state that an object goes through during the block."""
    states: list[Obj] = []
    informer = cache.Informer(api, resource, namespace=namespace, field_selector=f"metadata.name={name}")
    informer.add_handler(lambda change: states.append(change.new.obj) if change.new else None)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(informer.run())
        await informer.synced.wait()
        yield states
        running.cancel()


async def _true(value: bool) -> bool | None:
    return True if value else None


@contextlib.asynccontextmanager
async def opened(cluster: VirtualCluster) -> AsyncIterator[Sides]:
    """Clients for one test."""
    inside = kubeconfig.load([cluster.folder / "data" / "pki" / "admin.conf"])
    outside = kubeconfig.load([cluster.host_kubeconfig])
    async with client.Client(inside) as virtual, client.Client(outside) as host:
        made = Sides(cluster, virtual, host)
        # pods need it, and the controller that makes it has only just started
        await made.above(SERVICE_ACCOUNTS, "default")
        yield made


def pod(*, containers: list[Obj] | None = None, **spec: Any) -> Obj:
    """A pod's body."""
    return {"spec": {"containers": containers or [{"name": "app", "image": "nginx"}], **spec}}


def merged(obj: Obj, patch: Obj) -> Obj:
    """An object with a merge patch applied."""
    return merge.apply(obj, patch)
