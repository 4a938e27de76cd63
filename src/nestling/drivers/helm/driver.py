"""What the verbs do on a cluster that the user has: a Helm release for each virtual cluster (spec §7)."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nestling.drivers import base, errors
from nestling.drivers.helm import background, hosts, workloads
from nestling.kube.resource import Obj, Resource
from nestling.local import layout, paths
from nestling.naming.tenant import Tenant

if TYPE_CHECKING:
    from nestling.drivers.helm import reach as reaching
    from nestling.drivers.helm import release, scaling
    from nestling.kube import client as kube_client

#: Namespaces in which nobody means to work.
_NOBODYS: Final = frozenset({"", "default"})


@dataclasses.dataclass(frozen=True, slots=True)
class HelmDriver:
    """The driver ``helm`` on one cluster."""

    host: hosts.HostCluster
    home: Path
    name: str = "helm"

    @classmethod
    def from_env(
        cls, kubeconfigs: Sequence[Path], context: str, *, known: list[str], nested: bool = False
    ) -> HelmDriver:
        """On the cluster of a context; raises ``UserError`` when there is none."""
        places = paths.Paths.from_env()
        embedded = {
            folder.name: found
            for folder in _folders(places.hosts)
            if (found := layout.Layout(folder).kubeconfig).exists()
        }
        return cls(hosts.find(tuple(kubeconfigs), context, known=known, embedded=embedded, nested=nested), places.home)

    def own_namespace(self) -> str | None:
        """The namespace of the context, unless it is nobody's in particular (spec §7)."""
        found = self.host.config().namespace
        return None if found in _NOBODYS else found

    def fetch(self, request: base.CreateRequest, reporter: base.Reporter) -> None:
        """Get helm."""
        from nestling.drivers.helm import charts, program

        charts.arguments(request.chart)
        program.fetch(reporter)

    async def clusters(self, namespace: str | None = None) -> list[base.VirtualCluster]:
        """All virtual clusters that the user may see: of the whole host, else of the own namespace."""
        from nestling.kube import errors as kube_errors

        async with self.host.client() as client:
            try:
                return await self._clusters(client, namespace)
            except kube_errors.Forbidden:
                own = self.host.config().namespace
                if namespace is not None or not own:
                    raise
                return await self._clusters(client, own)

    async def create(self, request: base.CreateRequest, reporter: base.Reporter) -> base.VirtualCluster:
        """Install, and leave nothing behind when that fails or is interrupted."""
        async with self._releases(reporter) as releases:
            await releases.create(request)
            reporter.done(f"The virtual cluster {request.name} runs in the namespace {request.namespace}")
            return await self._one(releases.client, Tenant(request.name, request.namespace))

    async def upgrade(
        self, cluster: base.VirtualCluster, request: base.CreateRequest, reporter: base.Reporter
    ) -> base.VirtualCluster:
        """Apply changed values; the data stays."""
        async with self._releases(reporter) as releases:
            await releases.upgrade(cluster, request)
            return await self._one(releases.client, _tenant(cluster))

    async def ensure_running(self, cluster: base.VirtualCluster, reporter: base.Reporter) -> base.VirtualCluster:
        """Scale up what was paused; returns once a pod is ready."""
        from nestling.drivers.helm import scaling

        if cluster.status in ("Failed", "Terminating"):
            raise errors.UserError(
                f'the virtual cluster "{cluster.name}" cannot be started: {cluster.detail}; remove it with: '
                f"nestling delete {cluster.name}"
            )
        if cluster.status == "Running":
            return cluster
        async with self._scaler(cluster) as scaler:
            if cluster.status in ("Paused", "ScaledDown"):
                await scaler.resume()
            await scaling.ready(scaler, reporter)
            return await self._one(scaler.client, _tenant(cluster))

    async def pause(self, cluster: base.VirtualCluster, reporter: base.Reporter) -> None:
        """Scale to nothing and delete the workloads; claims and objects stay."""
        from nestling.drivers import host_side
        from nestling.drivers.helm import release
        from nestling.kube import resource

        async with self._scaler(cluster) as scaler:
            with reporter.step(f"Stopping {cluster.name}"):
                await scaler.pause()
                side = host_side.HostSide(scaler.client, _tenant(cluster))
                await side.delete_workloads(resource.PODS, seconds=release.WORKLOAD_SECONDS)
        await background.end(self._place(cluster), keep=True)

    async def delete(
        self, cluster: base.VirtualCluster, request: base.DeleteRequest, reporter: base.Reporter
    ) -> Sequence[str]:
        """Uninstall and remove everything that is left, the process that forwards its port included."""
        await background.end(self._place(cluster))
        async with self._releases(reporter) as releases:
            with reporter.step(f"Deleting the virtual cluster {cluster.name}"):
                return await releases.remove(_tenant(cluster), request)

    @contextlib.asynccontextmanager
    async def reach(
        self, cluster: base.VirtualCluster, way: base.Way, reporter: base.Reporter
    ) -> AsyncIterator[base.Reached]:
        """An address of the virtual cluster that answers, else a forwarded port."""
        async with self._reacher(cluster, reporter) as reacher, reacher.reach(way) as reached:
            yield reached

    async def command_environment(
        self, program: str, environ: Mapping[str, str], reporter: base.Reporter
    ) -> Mapping[str, str]:
        """kubectl and helm from the binaries of Nestling, when the machine has none."""
        from nestling.drivers import fetching

        return await asyncio.to_thread(fetching.with_program, program, environ, reporter)

    async def values(self, cluster: base.VirtualCluster) -> str:
        """The values that helm was given."""
        from nestling.drivers.helm import values

        async with self.host.client() as client:
            return await values.of_user(client, _tenant(cluster))

    async def certificates(self, cluster: base.VirtualCluster) -> Mapping[str, bytes]:
        """The certificates in Secret ``NAME-certs``, which the control plane keeps equal to its files."""
        from nestling.drivers.helm import rotation

        async with self.host.client() as client:
            return await rotation.certificates(client, _tenant(cluster))

    async def rotate_certificates(
        self, cluster: base.VirtualCluster, *, authorities: bool, reporter: base.Reporter
    ) -> str:
        """Let the control plane make them new, in its pod."""
        from nestling.drivers.helm import rotation

        async with self._scaler(cluster) as scaler:
            return await rotation.rotate(self.host.config(), scaler, authorities=authorities, reporter=reporter)

    async def syncer(self, cluster: base.VirtualCluster, path: str) -> bytes:
        """What the syncer process in the pod answers."""
        from nestling.drivers.helm import inspection

        return await inspection.ask(self.host.config(), _tenant(cluster), path)

    async def shell(self, cluster: base.VirtualCluster, wanted: base.Shell, environ: Mapping[str, str]) -> base.Command:
        """``kubectl debug``: an ephemeral container in the pod of the control plane."""
        from nestling.drivers.helm import shell

        async with self._scaler(cluster) as scaler:
            return shell.command(self.host, cluster, await scaler.pods(), wanted, environ)

    async def diagnose(self, cluster: base.VirtualCluster, wanted: base.Diagnosis) -> AsyncIterator[base.Piece]:
        """Values, logs, objects of both sides."""
        from nestling.drivers.helm import diagnosis
        from nestling.local import report

        async with self._reacher(cluster, report.Silent()) as reacher:
            async for piece in diagnosis.pieces(self.host, reacher, wanted, lambda path: self.syncer(cluster, path)):
                yield piece

    @contextlib.asynccontextmanager
    async def _releases(self, reporter: base.Reporter) -> AsyncIterator[release.Releases]:
        from nestling.drivers.helm import program, release

        path = await asyncio.to_thread(program.fetch, reporter)
        async with self.host.client() as client:
            yield release.Releases(self.host, client, program.Helm(path, self.host), reporter)

    @contextlib.asynccontextmanager
    async def _scaler(self, cluster: base.VirtualCluster) -> AsyncIterator[scaling.Scaler]:
        from nestling.drivers.helm import scaling

        async with self.host.client() as client:
            yield scaling.Scaler(client, cluster.name, cluster.namespace)

    @contextlib.asynccontextmanager
    async def _reacher(self, cluster: base.VirtualCluster, reporter: base.Reporter) -> AsyncIterator[reaching.Reacher]:
        from nestling.drivers.helm import reach as reaching

        async with self.host.client() as client:
            yield reaching.Reacher(self.host, client, cluster, self._place(cluster), reporter)

    async def _one(self, client: kube_client.Client, tenant: Tenant) -> base.VirtualCluster:
        for found in await self._clusters(client, tenant.namespace):
            if found.name == tenant.name:
                return found
        raise errors.NotFoundError(f'the virtual cluster "{tenant.name}" went while it was worked on')

    async def _clusters(self, client: kube_client.Client, namespace: str | None) -> list[base.VirtualCluster]:
        """As the API server shows them now."""
        from nestling.drivers import host_side
        from nestling.kube import resource

        services = f"{workloads.SELECTOR},{host_side.SERVICE_LABEL}=true"
        wanted: list[tuple[Resource, str]] = [
            *((kind, workloads.SELECTOR) for kind in workloads.KINDS),
            (resource.SERVICES, services),
            (resource.PODS, workloads.SELECTOR),
        ]
        stateful_sets, deployments, found_services, pods = await _lists(client, namespace, wanted)
        return workloads.clusters([*stateful_sets, *deployments], found_services, pods, host_context=self.host.label)

    def _place(self, cluster: base.VirtualCluster) -> Path:
        return background.folder(self.home, cluster.context_name)


async def _lists(
    client: kube_client.Client, namespace: str | None, wanted: Sequence[tuple[Resource, str]]
) -> list[list[Obj]]:
    """Several collections at once; raises the first refusal as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(client.list(kind, namespace, label_selector=selector), name=kind.plural)
                for kind, selector in wanted
            ]
    except BaseExceptionGroup as group_error:
        raise errors.first(group_error) from group_error
    return [task.result() for task in tasks]


def _tenant(cluster: base.VirtualCluster) -> Tenant:
    return Tenant(cluster.name, cluster.namespace)


def _folders(place: Path) -> list[Path]:
    return [entry for entry in place.iterdir() if entry.is_dir()] if place.is_dir() else []
