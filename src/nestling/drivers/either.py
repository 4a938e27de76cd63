"""Two drivers as one, for the embedded host when nobody chose: new virtual clusters are processes, and those that helm
installed there are found as well."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence

from nestling.drivers import base


@dataclasses.dataclass(slots=True)
class Either:
    """The first driver creates; every other verb goes to the driver that has the virtual cluster."""

    first: base.Driver
    second: base.Driver
    _of_second: set[tuple[str, str]] = dataclasses.field(default_factory=set)

    @property
    def name(self) -> str:
        """Both names, that of the driver that creates first."""
        return f"{self.first.name} or {self.second.name}"

    def own_namespace(self) -> str | None:
        """As the driver that creates."""
        return self.first.own_namespace()

    def fetch(self, request: base.CreateRequest, reporter: base.Reporter) -> None:
        """What the driver that creates needs."""
        self.first.fetch(request, reporter)

    async def clusters(self, namespace: str | None = None) -> list[base.VirtualCluster]:
        """Those of both."""
        mine = await self.first.clusters(namespace)
        taken = {(one.name, one.namespace) for one in mine}
        others = [one for one in await self._others(namespace) if (one.name, one.namespace) not in taken]
        self._of_second |= {(one.name, one.namespace) for one in others}
        return [*mine, *others]

    async def create(self, request: base.CreateRequest, reporter: base.Reporter) -> base.VirtualCluster:
        """By the first."""
        return await self.first.create(request, reporter)

    async def upgrade(
        self, cluster: base.VirtualCluster, request: base.CreateRequest, reporter: base.Reporter
    ) -> base.VirtualCluster:
        """By the driver that has it."""
        return await self._of(cluster).upgrade(cluster, request, reporter)

    async def ensure_running(self, cluster: base.VirtualCluster, reporter: base.Reporter) -> base.VirtualCluster:
        """By the driver that has it."""
        return await self._of(cluster).ensure_running(cluster, reporter)

    async def pause(self, cluster: base.VirtualCluster, reporter: base.Reporter) -> None:
        """By the driver that has it."""
        await self._of(cluster).pause(cluster, reporter)

    async def delete(
        self, cluster: base.VirtualCluster, request: base.DeleteRequest, reporter: base.Reporter
    ) -> Sequence[str]:
        """By the driver that has it."""
        return await self._of(cluster).delete(cluster, request, reporter)

    def reach(
        self, cluster: base.VirtualCluster, way: base.Way, reporter: base.Reporter
    ) -> contextlib.AbstractAsyncContextManager[base.Reached]:
        """By the driver that has it."""
        return self._of(cluster).reach(cluster, way, reporter)

    async def command_environment(
        self, program: str, environ: Mapping[str, str], reporter: base.Reporter
    ) -> Mapping[str, str]:
        """The same for both."""
        return await self.first.command_environment(program, environ, reporter)

    async def values(self, cluster: base.VirtualCluster) -> str:
        """By the driver that has it."""
        return await self._of(cluster).values(cluster)

    async def certificates(self, cluster: base.VirtualCluster) -> Mapping[str, bytes]:
        """By the driver that has it."""
        return await self._of(cluster).certificates(cluster)

    async def rotate_certificates(
        self, cluster: base.VirtualCluster, *, authorities: bool, reporter: base.Reporter
    ) -> str:
        """By the driver that has it."""
        return await self._of(cluster).rotate_certificates(cluster, authorities=authorities, reporter=reporter)

    async def syncer(self, cluster: base.VirtualCluster, path: str) -> bytes:
        """By the driver that has it."""
        return await self._of(cluster).syncer(cluster, path)

    async def shell(self, cluster: base.VirtualCluster, wanted: base.Shell, environ: Mapping[str, str]) -> base.Command:
        """By the driver that has it."""
        return await self._of(cluster).shell(cluster, wanted, environ)

    async def diagnose(self, cluster: base.VirtualCluster, wanted: base.Diagnosis) -> AsyncIterator[base.Piece]:
        """By the driver that has it."""
        async for piece in self._of(cluster).diagnose(cluster, wanted):
            yield piece

    async def _others(self, namespace: str | None) -> list[base.VirtualCluster]:
        """Those of the second; none while its host starts or stops: the first one's need no host to be listed."""
        from nestling.kube import errors

        try:
            return await self.second.clusters(namespace)
        except errors.ConnectionFailed:
            return []

    def _of(self, cluster: base.VirtualCluster) -> base.Driver:
        return self.second if (cluster.name, cluster.namespace) in self._of_second else self.first
