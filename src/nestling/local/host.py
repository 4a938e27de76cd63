"""The embedded host: a Kubernetes cluster of local processes, for machines without a cluster.

All state is in one folder, so `up` after a reboot or after any number of killed processes brings the same cluster back.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import importlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nestling.binaries import chain
from nestling.binaries import progress as binaries_progress
from nestling.controlplane import authority, pki, supervisor_status
from nestling.kube import errors as kube_errors
from nestling.local import certificates, components, daemon, decide, errors, lock, nodes, report, status, together
from nestling.local import layout as layout_module
from nestling.local import paths as paths_module
from nestling.local import record as record_module


@dataclass(frozen=True, slots=True)
class HostInfo:
    """How to reach a host that is up."""

    name: str
    server: str
    kubeconfig: Path
    kubernetes_version: str
    nodes: int
    service_cidr: str
    node: str
    started: bool
    """False when it was up already."""


class Host:
    """One embedded host by name."""

    def __init__(self, name: str = record_module.DEFAULT_NAME, paths: paths_module.Paths | None = None) -> None:
        record_module.check_name(name)
        self.name = name
        self._paths = paths or paths_module.Paths.from_env()
        self.layout = layout_module.Layout(self._paths.host(name))

    @property
    def kubeconfig_path(self) -> Path:
        """The administrator's kubeconfig; there since the first `up`."""
        return self.layout.kubeconfig

    @property
    def record(self) -> record_module.Record:
        """What was decided for this host; raises `HostError` when there is no such host."""
        record = record_module.load(self.layout.folder)
        if record is None:
            raise errors.HostError(f"there is no embedded host {self.name!r}; make it with: {self._command('up')}")
        return record

    @property
    def ca(self) -> authority.Authority:
        """The authority whose client certificates the host's API server accepts."""
        return pki.load_authority(pki.read(self.layout.pki), pki.CLIENT_CA)

    @property
    def renewal_due(self) -> bool:
        """Whether its certificates end soon: `up` makes them new, also while it runs."""
        return certificates.due(self.layout)

    def running(self) -> bool:
        """Whether its supervisor lives."""
        return supervisor_status.supervisor(self.layout.folder) is not None

    def virtual_clusters(self) -> tuple[str, ...]:
        """The virtual clusters that live on this host, as `namespace/name`."""
        files = sorted(self._paths.clusters(self.name).glob("*/*/cluster.json"))
        return tuple(f"{file.parent.parent.name}/{file.parent.name}" for file in files)

    def client_kubeconfig(self, subject: authority.Subject) -> bytes:
        """A kubeconfig for somebody else, with a new client certificate: a syncer acts as its service account.

        It lives as long as its authority: nobody renews it while a virtual cluster runs, for years maybe. What it may
        do ends with the rights of its user.
        """
        files = pki.read(self.layout.pki)
        pair = pki.load_authority(files, pki.CLIENT_CA).issue(subject, lifetime=authority.CA_LIFETIME)
        request = components.pki_request(self.record)
        return pki.kubeconfig(request, ca=files[f"{pki.SERVER_CA}.crt"], pair=pair, user=subject.common_name)

    async def load_image(self, archive: Path) -> tuple[str, ...]:
        """Load an OCI or Docker archive into the real node; returns the names of its images."""
        record = self.record
        if not self.running():
            raise errors.HostError(f"the embedded host {self.name} is not up; start it with: {self._command('up')}")
        return await asyncio.to_thread(nodes.load_image, record, self.layout, archive)

    async def status(self) -> status.HostStatus:
        """How each part is doing, and the nodes as the API server sees them."""
        found = status.local(self.name, self.layout, clusters=self.virtual_clusters())
        if found.pid is None:
            return found
        return dataclasses.replace(found, nodes=await status.nodes(self.kubeconfig_path))

    async def up(
        self,
        reporter: report.Reporter | None = None,
        *,
        options: decide.Options | None = None,
        fetching: binaries_progress.Progress | None = None,
    ) -> HostInfo:
        """Bring the host up and wait until it takes pods; does nothing to a host that is up.

        Raises `HostError` for what the user can mend, and `BinaryError` when a program cannot be had. A host that
        did not come up is stopped again; what it stored stays.
        """
        reporter = reporter or report.Silent()
        with self._writable():
            async with self._lock(reporter):
                return await self._up(reporter, options or decide.Options(), fetching)

    async def down(self, reporter: report.Reporter | None = None) -> bool:
        """Stop the host and keep its data; False when it did not run."""
        reporter = reporter or report.Silent()
        if not self.layout.folder.exists():
            return False
        async with self._lock(reporter):
            with reporter.step(f"Stopping the embedded host {self.name}"):
                return await self._stop()

    async def delete(self, reporter: report.Reporter | None = None, *, force: bool = False) -> bool:
        """Stop the host and remove all that it stored; False when there was none.

        Raises `HostError` while virtual clusters live on it, unless forced.
        """
        reporter = reporter or report.Silent()
        if not self.layout.folder.exists():
            return False
        if (clusters := self.virtual_clusters()) and not force:
            raise errors.HostError(
                f"virtual clusters live on the embedded host {self.name}: {', '.join(clusters)}; delete them first, "
                f"or use --force, which makes them useless"
            )
        async with self._lock(reporter):
            with reporter.step(f"Removing the embedded host {self.name} and its data"), self._writable():
                await self._stop()
                shutil.rmtree(self.layout.folder)
        return True

    async def _up(
        self, reporter: report.Reporter, options: decide.Options, fetching: binaries_progress.Progress | None
    ) -> HostInfo:
        known = self._known()
        if known is not None and self.running():
            decide.refuse_restart_options(known, options, down=self._command("down"))
            await certificates.renew(known, self.layout)
            try:
                return await self._already_up(decide.changed(known, options))
            except (errors.HostError, kube_errors.ConnectionFailed):
                if self.running():
                    raise
                # It was being killed while we looked: start it.
        await daemon.end_leftovers(self.layout.folder)
        await nodes.clean(known, self.layout)
        # nobody depends on a new host: the virtual cluster that `create` is about to make has its folder already
        clusters = self.virtual_clusters() if known else ()
        record = await asyncio.to_thread(self._decide, known, options, clusters, reporter)
        record = decide.with_free_ports(record, clusters=clusters, reporter=reporter)
        with reporter.step(f"Getting the programs of Kubernetes {record.kubernetes_version}"):
            binaries = await asyncio.to_thread(
                chain.ensure, nodes.binaries(record), kubernetes_version=record.kubernetes_version, progress=fetching
            )
        self._write(components.Inputs(record, self.layout, binaries))
        try:
            with reporter.step(f"Starting the embedded host {self.name}"):
                await self._start(record, reporter)
        except BaseException:
            await asyncio.shield(self._stop())
            raise
        return self._info(record, started=True)

    def _decide(
        self,
        known: record_module.Record | None,
        options: decide.Options,
        clusters: tuple[str, ...],
        reporter: report.Reporter,
    ) -> record_module.Record:
        version = options.kubernetes_version or (known.kubernetes_version if known else None)
        kind = nodes.choose(known, options.node, folder=self.layout.folder, reporter=reporter, version=version)
        record = decide.changed(known, options) if known else decide.new(self.name, options)
        return nodes.with_kind(record, kind, hosts=self._paths.hosts, clusters=clusters, options=options)

    async def _stop(self) -> bool:
        """End all processes, and take away what a real node has outside."""
        ran = await daemon.stop(self.layout.folder)
        try:
            record = record_module.load(self.layout.folder)
        except errors.HostError:
            # A damaged record keeps nobody from stopping a host, or from removing it.
            record = None
        await nodes.clean(record, self.layout)
        return ran

    def _known(self) -> record_module.Record | None:
        """The record, None for a host that is made now; raises `HostError` when it is damaged or lost."""
        record = record_module.load(self.layout.folder)
        if record is None and self.layout.etcd.exists():
            raise errors.HostError(
                f"{self.layout.folder / record_module.FILE} is missing, and the embedded host {self.name} holds data; "
                f"restore it, or remove the host with: {record_module.remove_command(self.name)}"
            )
        return record

    async def _start(self, record: record_module.Record, reporter: report.Reporter) -> None:
        """Fill the cluster as soon as its API server is ready, while the other parts start."""
        told: set[str] = set()

        def tell(name: str) -> None:
            if name not in told:
                told.add(name)
                reporter.info(f"{name} is ready")

        daemon.start(self.layout.plan)
        await together.run(
            # With all of asyncio and TLS: imported while the API server starts.
            asyncio.to_thread(importlib.import_module, "nestling.local.population"),
            daemon.wait_ready(self.layout.folder, progress=tell, part=record_module.API_SERVER),
        )
        await together.run(self._populate(record), daemon.wait_ready(self.layout.folder, progress=tell))

    async def _already_up(self, record: record_module.Record) -> HostInfo:
        await daemon.wait_ready(self.layout.folder, progress=lambda _: None)
        await self._populate(record)
        record_module.save(self.layout.folder, record)
        return self._info(record, started=False)

    def _write(self, inputs: components.Inputs) -> None:
        layout = self.layout
        for folder in (layout.logs, layout.config):
            self._paths.make_private(folder)
        try:
            nodes.write(inputs, self._paths.make_private)
        except authority.CertificateError as error:
            raise certificates.unusable(layout, error) from error
        record_module.save(layout.folder, inputs.record)

    async def _populate(self, record: record_module.Record) -> None:
        from nestling.kube import client, kubeconfig  # with all of TLS: only commands that talk to the API pay

        async with client.Client(kubeconfig.load([self.kubeconfig_path])) as host_client:
            await nodes.populate(host_client, record, self.layout)

    def _info(self, record: record_module.Record, *, started: bool) -> HostInfo:
        return HostInfo(
            name=self.name,
            server=record.server,
            kubeconfig=self.kubeconfig_path,
            kubernetes_version=record.kubernetes_version,
            nodes=record.nodes,
            service_cidr=record.service_cidr,
            node=record.node,
            started=started,
        )

    def _command(self, verb: str) -> str:
        name = "" if self.name == record_module.DEFAULT_NAME else f" --name {self.name}"
        return f"nestling host {verb}{name}"

    def _lock(self, reporter: report.Reporter) -> contextlib.AbstractAsyncContextManager[None]:
        # Beside the folder, which may go.
        return lock.hold(self._paths.hosts / f".{self.name}.lock", reporter, what=f"the embedded host {self.name}")

    @contextlib.contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            self._paths.make_private(self._paths.hosts)
            yield
        except (PermissionError, FileExistsError, NotADirectoryError) as error:
            raise errors.HostError(
                f"cannot write {error.filename or self.layout.folder}: {error.strerror}; make it writable, "
                f"or name another folder with NESTLING_HOME"
            ) from error
