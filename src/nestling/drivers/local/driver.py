"""What the verbs do on this machine: the embedded host, a folder and processes for each virtual cluster."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nestling.controlplane import supervisor_status
from nestling.drivers import base, errors
from nestling.drivers.local import folder, process
from nestling.drivers.local import status as status_module
from nestling.kube import resource
from nestling.local import paths, ports, record, report
from nestling.naming.tenant import Tenant

if TYPE_CHECKING:
    from nestling.drivers import host_side
    from nestling.drivers.local import embedded

STOP_SECONDS: Final = 20.0
GONE_SECONDS: Final = 120.0
#: More than the usual grace period of pods.
WORKLOAD_SECONDS: Final = 45.0


def home() -> Path:
    """The folder of Nestling's state."""
    return paths.Paths.from_env().home


def records(host: str = record.DEFAULT_NAME) -> list[folder.Record]:
    """All virtual clusters as their folders tell it, without asking any process: for shell completion."""
    return [found for _, found in folder.Clusters(paths.Paths.from_env().clusters(host)).all()]


@dataclasses.dataclass(frozen=True, slots=True)
class LocalDriver:
    """The driver ``local`` on one embedded host."""

    places: paths.Paths
    host_name: str = record.DEFAULT_NAME
    name: str = "local"

    @classmethod
    def from_env(cls, host_name: str | None = None) -> LocalDriver:
        """With the folders that the environment names, on the named host or the default one."""
        return cls(paths.Paths.from_env(), host_name or record.DEFAULT_NAME)

    @property
    def host_runs(self) -> bool:
        """Whether the embedded host runs, told from its files; a part of it may be busy with itself."""
        return supervisor_status.supervisor(self.places.host(self.host_name)) is not None

    @property
    def all(self) -> folder.Clusters:
        """The folders of all virtual clusters."""
        return folder.Clusters(self.places.clusters(self.host_name))

    def own_namespace(self) -> str | None:
        """None: nobody else works on this host."""
        return None

    def fetch(self, request: base.CreateRequest, reporter: base.Reporter) -> None:
        """Get the binaries of the embedded host and of the virtual cluster."""
        from nestling.drivers.local import embedded

        folder.check_writable(self.places.home)
        embedded.fetch(self.host, request, reporter)

    async def clusters(self, namespace: str | None = None) -> list[base.VirtualCluster]:
        """All virtual clusters of this machine's host."""
        return [self._describe(place, found) for place, found in self.all.all() if namespace in (None, found.namespace)]

    async def create(self, request: base.CreateRequest, reporter: base.Reporter) -> base.VirtualCluster:
        """Create, and leave nothing behind when that fails or is interrupted."""
        from nestling.config import support
        from nestling.drivers.local import build, claim

        self.host.check()
        tenant = Tenant(request.name, request.namespace)
        place = self.all.folder(request.namespace, request.name)
        if unused := support.helm_only(request.config):
            reporter.info(f"Of the values, only a Helm installation uses: {', '.join(unused)}")
        with self.all.locked(request.namespace):
            await self._clear_half_made(place, tenant, reporter)
            claim.refuse_taken(self.all, request, place)
            found = claim.new_record(self.all, self.host_name, request)
            place.write(found)
            try:
                found = await build.create(self.host, place, found, request, reporter)
            except BaseException as error:
                reporter.info(f"Removing what was created of {request.name}")
                await self._undo(place, tenant, reporter, error)
                raise
            found = dataclasses.replace(found, phase="ready")
            place.write(found)
        reporter.done(f"The virtual cluster {request.name} is usable")
        return self._describe(place, found)

    async def upgrade(
        self, cluster: base.VirtualCluster, request: base.CreateRequest, reporter: base.Reporter
    ) -> base.VirtualCluster:
        """Write the new values and start the control plane again; the data stays."""
        from nestling.drivers.local import embedded

        place, found = self._existing(cluster)
        with self.all.locked(cluster.namespace):
            before = _readable_request(place, found)
            with reporter.step(f"Stopping the control plane of {cluster.name}"):
                await process.stop(place, seconds=STOP_SECONDS)
            new = dataclasses.replace(found, kubernetes_version=embedded.version(request))
            try:
                return await self._start(place, new, request, reporter)
            except Exception as error:
                await self._back(place, found, before, reporter, error)
                raise

    async def ensure_running(self, cluster: base.VirtualCluster, reporter: base.Reporter) -> base.VirtualCluster:
        """Start what does not run; returns once the API is usable."""
        from nestling.drivers.local import build, readiness

        place, found = self._existing(cluster)
        if found.phase in ("creating", "deleting"):
            what = "half created" if found.phase == "creating" else "half deleted"
            remedy = (
                "wait for the command that works on it"
                if found.owner_alive
                else f"remove it with: nestling delete {cluster.name}"
            )
            raise errors.UserError(f'the virtual cluster "{cluster.name}" is {what}; {remedy}')
        if process.running(place):
            await readiness.wait_usable(place, found, process=None)
            return self._describe(place, found)
        with self.all.locked(cluster.namespace):
            return await self._start(place, found, build.request_of(place, found), reporter)

    async def pause(self, cluster: base.VirtualCluster, reporter: base.Reporter) -> None:
        """Stop the processes and the workloads on the host."""
        place, found = self._existing(cluster)
        with self.all.locked(cluster.namespace), reporter.step(f"Stopping {cluster.name}"):
            place.write(dataclasses.replace(found, phase="paused"))
            await process.stop(place, seconds=STOP_SECONDS)
            if self.host.ready:
                async with self._host_side(Tenant(cluster.name, cluster.namespace)) as side:
                    await side.delete_workloads(resource.PODS, seconds=WORKLOAD_SECONDS)

    async def delete(
        self, cluster: base.VirtualCluster, request: base.DeleteRequest, reporter: base.Reporter
    ) -> Sequence[str]:
        """Remove everything; a second call finishes what a first one could not."""
        tenant = Tenant(cluster.name, cluster.namespace)
        with self.all.locked(cluster.namespace), reporter.step(f"Deleting the virtual cluster {cluster.name}"):
            return await self._remove(self.all.folder(cluster.namespace, cluster.name), tenant, request, reporter)

    @contextlib.asynccontextmanager
    async def reach(
        self, cluster: base.VirtualCluster, way: base.Way, reporter: base.Reporter
    ) -> AsyncIterator[base.Reached]:
        """The kubeconfig of Secret ``vc-NAME`` with the address on this machine."""
        from nestling.drivers.local import build

        place, found = self._existing(cluster)
        await self.host.up(report.Silent())
        async with self.host.client() as client:
            config = await build.exported_kubeconfig(client, place, found, address=self.host.address)
        yield base.Reached(config)

    async def command_environment(
        self, program: str, environ: Mapping[str, str], reporter: base.Reporter
    ) -> Mapping[str, str]:
        """kubectl and helm from the binaries of Nestling, when the machine has none."""
        from nestling.drivers import fetching

        return fetching.with_program(program, environ, reporter)

    async def values(self, cluster: base.VirtualCluster) -> str:
        """The values as the user gave them."""
        place, _ = self._existing(cluster)
        with folder.os_refusals(place.user_values_file):
            return place.user_values_file.read_text(encoding="utf-8") if place.user_values_file.exists() else ""

    async def certificates(self, cluster: base.VirtualCluster) -> Mapping[str, bytes]:
        """The certificates in its folder."""
        from nestling.drivers.local import certificates

        place, _ = self._existing(cluster)
        return certificates.read(place)

    async def rotate_certificates(
        self, cluster: base.VirtualCluster, *, authorities: bool, reporter: base.Reporter
    ) -> str:
        """Stop the control plane, make the certificates new, start it again if it ran."""
        from nestling.drivers import certificates as shared
        from nestling.drivers.local import build, certificates

        place, found = self._existing(cluster)
        with self.all.locked(cluster.namespace):
            ran = process.running(place)
            await self.host.up(reporter)
            async with self.host.client() as client:
                try:
                    with reporter.step(f"Making the certificates of {cluster.name} new"):
                        await process.stop(place, seconds=STOP_SECONDS)
                        backup, new = await certificates.rotate(client, place, found, authorities=authorities)
                finally:
                    if ran:
                        await self._start(place, found, build.request_of(place, found), reporter)
                tenant = Tenant(cluster.name, cluster.namespace)
                if ran and not await shared.wait_exported(client, tenant, new["server-ca.crt"]):
                    reporter.warn(f"Secret vc-{cluster.name} does not hold the new kubeconfig yet; connect needs it")
        return str(backup)

    async def syncer(self, cluster: base.VirtualCluster, path: str) -> bytes:
        """What its syncer process answers."""
        from nestling.drivers.local import inspection

        place, _ = self._existing(cluster)
        return await inspection.ask(place, path)

    async def shell(self, cluster: base.VirtualCluster, wanted: base.Shell, environ: Mapping[str, str]) -> base.Command:
        """There is no pod: raises ``UserError`` with what to do instead."""
        place = self.all.folder(cluster.namespace, cluster.name)
        raise errors.UserError(
            f"the virtual cluster {cluster.name} has no pod to open a shell in: its control plane is made of processes "
            f"of this machine, with their files in {place.path}. For a shell with its kubeconfig: nestling connect "
            f"{cluster.name} -- bash. For its logs and state: nestling debug collect {cluster.name}"
        )

    async def diagnose(self, cluster: base.VirtualCluster, wanted: base.Diagnosis) -> AsyncIterator[base.Piece]:
        """Files, logs, objects of both sides."""
        from nestling.drivers.local import diagnosis

        place, found = self._existing(cluster)
        async for piece in diagnosis.pieces(self.host, place, found, wanted):
            yield piece

    @property
    def host(self) -> embedded.Embedded:
        """The embedded host."""
        from nestling.drivers.local import embedded

        return embedded.Embedded(self.host_name, self.places)

    @contextlib.asynccontextmanager
    async def _host_side(self, tenant: Tenant) -> AsyncIterator[host_side.HostSide]:
        from nestling.drivers import host_side
        from nestling.drivers.local import build

        place = self.all.folder(tenant.namespace, tenant.name)
        async with self.host.client() as client:
            yield host_side.HostSide(client, tenant, build.exports(place, tenant))

    def _existing(self, cluster: base.VirtualCluster) -> tuple[folder.Folder, folder.Record]:
        place = self.all.folder(cluster.namespace, cluster.name)
        found = place.read()
        if found is None:
            raise errors.NotFoundError(
                f'the virtual cluster "{cluster.name}" is gone: {place.record_file} does not exist'
            )
        return place, found

    async def _clear_half_made(self, place: folder.Folder, tenant: Tenant, reporter: base.Reporter) -> None:
        """An earlier run was killed in the middle: what it made is removed before anything new is made."""
        found = place.read()
        if found is None or found.phase not in ("creating", "deleting") or found.owner_alive:
            return
        with reporter.step(f"Removing what an interrupted run left of {tenant.name}"):
            left = await self._remove(place, tenant, base.DeleteRequest(), reporter)
        if left:
            raise errors.UserError("an interrupted run left things that do not go away:\n  " + "\n  ".join(left))

    async def _undo(self, place: folder.Folder, tenant: Tenant, reporter: base.Reporter, error: BaseException) -> None:
        """Remove what this run made. A failure here is reported beside the first one, which is the one that matters."""
        try:
            left = await self._remove(place, tenant, base.DeleteRequest(), reporter)
        except Exception as second:  # noqa: BLE001  recorded: the first error is raised by the caller
            why = errors.first(second)
            reporter.warn(f"Could not remove everything ({why}); nestling delete {tenant.name} does it later")
            error.add_note(f"while removing what was created: {second!r}")
        else:
            for item in left:
                reporter.warn(f"Left on the host: {item}; nestling delete {tenant.name} removes it")

    async def _remove(
        self, place: folder.Folder, tenant: Tenant, request: base.DeleteRequest, reporter: base.Reporter
    ) -> list[str]:
        """Processes first (a syncer would create objects again), then the host's objects, then the folder."""
        from nestling.drivers import claims

        found = place.read()
        this = supervisor_status.this_process()
        if found is not None and found.phase != "deleting":
            place.write(dataclasses.replace(found, phase="deleting", owner=(this.pid, this.start_time, this.boot_id)))
        await process.stop(place, seconds=0)
        left: list[str] = []
        if self.host.exists:
            await self.host.up(reporter)
            created = found is not None and found.namespace_created
            async with self._host_side(tenant) as side:
                await claims.tell(side, request, reporter, namespace_created=created)
                if request.wait:
                    also = () if request.keep_pvc else (resource.PERSISTENT_VOLUME_CLAIMS,)
                    await side.delete_workloads(resource.PODS, *also, seconds=WORKLOAD_SECONDS)
                whole = await side.delete(request, namespace_created=created)
                if request.wait:
                    left = await side.wait_gone(request, whole=whole, seconds=GONE_SECONDS)
        if not left:
            await asyncio.to_thread(place.remove)
        return left

    async def _start(
        self, place: folder.Folder, found: folder.Record, request: base.CreateRequest, reporter: base.Reporter
    ) -> base.VirtualCluster:
        """Start an existing virtual cluster: after a pause, a reboot, or with new values."""
        from nestling.drivers.local import build

        if not ports.is_free(found.port):
            raise errors.UserError(
                f"the port {found.port} of {found.name} is in use by {ports.holder(found.port)}; "
                f"end that program, then repeat the command"
            )
        await self.host.up(reporter)
        try:
            async with self.host.client() as client:
                await build.start(self.host, place, found, request, client, reporter)
        except BaseException:
            # What ends again and again must not go on behind a command that has failed.
            await asyncio.shield(process.stop(place, seconds=0))
            raise
        found = dataclasses.replace(found, phase="ready")
        place.write(found)
        return self._describe(place, found)

    async def _back(
        self,
        place: folder.Folder,
        found: folder.Record,
        before: base.CreateRequest | None,
        reporter: base.Reporter,
        error: Exception,
    ) -> None:
        """An upgrade failed: the virtual cluster goes on as it was. A failure here is reported beside the first one."""
        if before is None:
            return
        reporter.info(f"Going back to the values that {found.name} had")
        try:
            await self._start(place, found, before, reporter)
        except Exception as second:  # noqa: BLE001  recorded: the caller raises the first error
            reporter.warn(f"Could not start it with them either ({errors.first(second)})")
            error.add_note(f"while going back: {second!r}")

    def _describe(self, place: folder.Folder, found: folder.Record) -> base.VirtualCluster:
        status, detail = status_module.of(place, found)
        return base.VirtualCluster(
            name=found.name,
            namespace=found.namespace,
            host_context=f"nestling-{found.host}",
            status=status,
            version=found.version,
            created=found.created_at,
            kubernetes_version=found.kubernetes_version,
            server=f"https://{self.host.shown_address}:{found.port}",
            detail=detail,
        )


def _readable_request(place: folder.Folder, found: folder.Record) -> base.CreateRequest | None:
    """What it was created with; None when that cannot be read, which new values may be there to mend."""
    from nestling.config import errors as config_errors
    from nestling.drivers.local import build

    try:
        return build.request_of(place, found)
    except (errors.UserError, config_errors.ConfigError):
        return None
