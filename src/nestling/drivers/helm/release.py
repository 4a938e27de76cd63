"""Creating, changing and removing the release of one virtual cluster."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Sequence
from typing import Final

from nestling.drivers import base, claims, errors, host_side
from nestling.drivers.helm import charts, hosts, program, scaling, storage, values, workloads
from nestling.kube import client as kube_client
from nestling.kube import resource
from nestling.naming.tenant import Tenant

GONE_SECONDS: Final = 120.0
WORKLOAD_SECONDS: Final = 45.0
#: A helm that is alive is through with an operation by then: it is never told to wait.
PENDING_SECONDS: Final = 60.0
_PLATFORM: Final = "loft"


@dataclasses.dataclass(frozen=True, slots=True)
class Releases:
    """The releases on one host cluster."""

    host: hosts.HostCluster
    client: kube_client.Client
    helm: program.Helm
    reporter: base.Reporter

    async def create(self, request: base.CreateRequest) -> None:
        """Install, and leave nothing behind when that fails or is interrupted."""
        tenant = Tenant(request.name, request.namespace)
        chart = charts.arguments(request.chart)
        await self._clear_half_made(tenant)
        await self._refuse_platform(tenant)
        side = host_side.HostSide(self.client, tenant)
        await self._refuse_second(tenant)
        created = await side.claim_namespace(create=request.create_namespace)
        try:
            await self._apply(request, chart)
            await scaling.ready(self._scaler(tenant), self.reporter)
        except BaseException as error:
            self.reporter.info(f"Removing what was created of {request.name}")
            await self._undo(tenant, created=created, error=error)
            raise

    async def upgrade(self, cluster: base.VirtualCluster, request: base.CreateRequest) -> None:
        """Apply changed values; when helm refuses them, the release is as it was."""
        chart = charts.arguments(request.chart)
        tenant = Tenant(cluster.name, cluster.namespace)
        before = await values.before(self.client, tenant)
        if before is not None:
            values.check_change(before, request.config)
        await self._unblock(tenant)
        await self._apply(request, chart)
        await scaling.ready(self._scaler(tenant), self.reporter)

    async def remove(
        self, tenant: Tenant, request: base.DeleteRequest, *, namespace_created: bool = False
    ) -> Sequence[str]:
        """Uninstall, then delete whatever carries our marks; returns what is left, in words."""
        side = host_side.HostSide(self.client, tenant, await self._exports(tenant))
        await claims.tell(side, request, self.reporter, namespace_created=namespace_created)
        await self.helm.uninstall(tenant.name, tenant.namespace)
        if request.wait:
            # Only then nobody makes objects any more.
            await self._scaler(tenant).wait_gone(workloads.SELECTOR, seconds=GONE_SECONDS)
            also = () if request.keep_pvc else (resource.PERSISTENT_VOLUME_CLAIMS,)
            await side.delete_workloads(resource.PODS, *also, seconds=WORKLOAD_SECONDS)
        whole = await side.delete(request, namespace_created=namespace_created)
        return await side.wait_gone(request, whole=whole, seconds=GONE_SECONDS) if request.wait else []

    async def _apply(self, request: base.CreateRequest, chart: Sequence[str]) -> None:
        text = values.for_helm(request, desktop=self.host.desktop)
        with self.reporter.step(f"Installing the release {request.name} in the namespace {request.namespace}"):
            await self.helm.apply(request.name, request.namespace, chart, text)
        tenant = Tenant(request.name, request.namespace)
        await storage.supply(self.client, tenant, embedded=self.host.embedded, reporter=self.reporter)

    async def _clear_half_made(self, tenant: Tenant) -> None:
        """A run that was killed left a release without a workload, or a record that blocks every other run."""
        status = await self._settled(tenant)
        if status in ("", "uninstalled"):
            return
        half_made = status.startswith(("pending", "uninstalling", "failed"))
        if half_made:
            with self.reporter.step(f"Removing what an interrupted run left of {tenant.name}"):
                left = await self.remove(tenant, base.DeleteRequest(auto_delete_namespace=False))
            if left:
                raise errors.UserError("an interrupted run left things that do not go away:\n  " + "\n  ".join(left))
            return
        raise errors.UserError(
            f'the namespace "{tenant.namespace}" has a Helm release "{tenant.name}" already, which is no virtual '
            f"cluster; choose another name, or another namespace with -n NAMESPACE"
        )

    async def _unblock(self, tenant: Tenant) -> None:
        """Go back to the last good revision when an upgrade was killed: helm refuses everything until then."""
        if (await self._settled(tenant)).startswith("pending"):
            with self.reporter.step(f"Going back to the last revision of {tenant.name}: an upgrade was interrupted"):
                await self.helm.rollback(tenant.name, tenant.namespace)

    async def _settled(self, tenant: Tenant) -> str:
        """The status of the release once nobody can be working on it any more."""
        deadline = time.monotonic() + PENDING_SECONDS
        while (status := await self.helm.status(tenant.name, tenant.namespace)).startswith("pending"):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(2.0)
        return status

    async def _refuse_platform(self, tenant: Tenant) -> None:
        """The names of the platform's Service and those of the chart would meet (spec §6)."""
        names = [one["metadata"]["name"] for one in await self.client.list(resource.SERVICES, tenant.namespace)]
        if _PLATFORM in names:
            raise errors.UserError(
                f'the namespace "{tenant.namespace}" holds the platform of vCluster (Service {_PLATFORM}); choose '
                f"another one with -n NAMESPACE"
            )

    async def _refuse_second(self, tenant: Tenant) -> None:
        """One virtual cluster in a namespace: the names of two would collide (spec §1.1)."""
        for kind in workloads.KINDS:
            for one in await self.client.list(kind, tenant.namespace, label_selector=workloads.SELECTOR):
                other = one["metadata"]["labels"].get("release")
                if other and other != tenant.name:
                    raise errors.UserError(
                        f'the namespace "{tenant.namespace}" holds the virtual cluster "{other}" already, and each '
                        f"needs a namespace of its own; choose another one with -n NAMESPACE"
                    )

    async def _undo(self, tenant: Tenant, *, created: bool, error: BaseException) -> None:
        """Remove what this run made. A failure here is reported beside the first one, which is the one that matters."""
        request = base.DeleteRequest(auto_delete_namespace=created)
        try:
            left = await self.remove(tenant, request, namespace_created=created)
        except Exception as second:  # noqa: BLE001  recorded: the first error is raised by the caller
            why = errors.first(second)
            self.reporter.warn(f"Could not remove everything ({why}); nestling delete {tenant.name} does it later")
            error.add_note(f"while removing what was created: {second!r}")
        else:
            for item in left:
                self.reporter.warn(f"Left on the host: {item}; nestling delete {tenant.name} removes it")

    async def _exports(self, tenant: Tenant) -> dict[str, tuple[str, ...]]:
        """The kubeconfig Secrets that the values put into other namespaces."""
        from nestling.controlplane import rbac

        config = await values.before(self.client, tenant)
        return {} if config is None else rbac.foreign_secrets(config, tenant)

    def _scaler(self, tenant: Tenant) -> scaling.Scaler:
        return scaling.Scaler(self.client, tenant.name, tenant.namespace)
