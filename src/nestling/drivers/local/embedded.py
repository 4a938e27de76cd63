"""The embedded host as the local driver uses it, and the binaries that both need."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
from collections.abc import AsyncIterator
from typing import Final

from nestling.binaries import chain, versions
from nestling.binaries import progress as binaries_progress
from nestling.controlplane import authority, supervisor_status
from nestling.drivers import base, fetching
from nestling.kube import client as kube_client
from nestling.kube import kubeconfig
from nestling.local import components, errors, nodes, paths, record, report
from nestling.local import host as local_host

#: What a virtual control plane runs.
CONTROL_PLANE: Final = ("kube-apiserver", "kube-controller-manager", "etcd")


@dataclasses.dataclass(frozen=True, slots=True)
class Embedded:
    """One embedded host."""

    name: str
    places: paths.Paths

    @property
    def _host(self) -> local_host.Host:
        return local_host.Host(self.name, self.places)

    @property
    def context(self) -> str:
        """Its name in kubeconfig context names."""
        return f"nestling-{self.name}"

    @property
    def exists(self) -> bool:
        """Whether it was ever up: only then can it hold objects."""
        return self._host.kubeconfig_path.exists() and record.load(self._host.layout.folder) is not None

    def check(self) -> None:
        """Raise ``HostError`` when its record is damaged: before anything is made that could not be undone then."""
        record.load(self._host.layout.folder)

    @property
    def address(self) -> str:
        """Where API servers listen on this machine: on loopback, or where the pods of a real node reach them."""
        known = record.load(self._host.layout.folder)
        return record.LOOPBACK if known is None else known.address

    @property
    def shown_address(self) -> str:
        """The same for a list, which a damaged record does not hold up: what runs goes on, and commands that need the
        address say what is wrong."""
        try:
            return self.address
        except errors.HostError:
            return record.LOOPBACK

    @property
    def binaries(self) -> tuple[str, ...]:
        """The programs that it is known to need."""
        known = record.load(self._host.layout.folder)
        return components.BINARIES if known is None else nodes.binaries(known)

    @property
    def ready(self) -> bool:
        """Whether all its parts are ready now."""
        status = supervisor_status.read(self._host.layout.folder) if self._host.running() else None
        return status is not None and status.ready

    @property
    def logs(self) -> pathlib.Path:
        """The folder of its logs."""
        return self._host.layout.logs

    @property
    def kubernetes_version(self) -> str:
        """Its Kubernetes version, or that which it will get."""
        known = record.load(self._host.layout.folder)
        return versions.DEFAULT_KUBERNETES if known is None else known.kubernetes_version

    def client_kubeconfig(self, subject: authority.Subject) -> str:
        """Access for somebody who is no administrator."""
        return self._host.client_kubeconfig(subject).decode()

    async def up(self, reporter: report.Reporter) -> None:
        """Start it if it does not run, and make its certificates new when they end soon."""
        if not self.ready or self._host.renewal_due:
            await self._host.up(reporter, fetching=fetching.Progress(reporter))

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[kube_client.Client]:
        """A client with an administrator's rights on the host."""
        async with kube_client.Client(kubeconfig.load([self._host.kubeconfig_path])) as client:
            yield client


def fetch(host: Embedded, request: base.CreateRequest, reporter: base.Reporter) -> None:
    """Get the binaries of a virtual cluster, and those of the embedded host unless it runs already."""
    progress = binaries_progress.Throttled(fetching.Progress(reporter))
    chain.ensure(CONTROL_PLANE, kubernetes_version=version(request), progress=progress)
    if not host.ready:
        chain.ensure(host.binaries, kubernetes_version=host.kubernetes_version, progress=progress)


def version(request: base.CreateRequest) -> str:
    """The Kubernetes version of a virtual cluster; raises ``UnknownVersionError``."""
    from nestling.config import resolve

    return versions.resolve(resolve.kubernetes_version(request.config))
