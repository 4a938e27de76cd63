"""Pausing and resuming by the replicas of the workload, and waiting for its pods (spec §7)."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import time
from collections.abc import AsyncIterator
from typing import Final

from nestling.drivers import base, errors
from nestling.drivers.helm import logs, workloads
from nestling.kube import client as kube_client
from nestling.kube import errors as kube_errors
from nestling.kube import resource
from nestling.kube.resource import Obj

GONE_SECONDS: Final = 180.0
READY_SECONDS: Final = 600.0
#: What does not go away by waiting, when it lasts so long: a node may be on its way, an image that is not there is not.
HOPELESS_SECONDS: Final = 60.0
HOPELESS: Final = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CrashLoopBackOff", "Error"}
    | {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
)


@dataclasses.dataclass(frozen=True, slots=True)
class Scaler:
    """The workload of one virtual cluster: its control plane, and an etcd of the chart."""

    client: kube_client.Client
    name: str
    namespace: str

    async def workload(self) -> Obj:
        """The StatefulSet or Deployment; raises ``NotFoundError``."""
        found = [one async for one in self._of(workloads.SELECTOR)]
        if not found:
            raise errors.NotFoundError(
                f'the virtual cluster "{self.name}" is gone: the namespace {self.namespace} holds no StatefulSet and '
                f"no Deployment of it"
            )
        return found[0]

    async def pods(self, selector: str = workloads.SELECTOR) -> list[Obj]:
        """The pods of the control plane."""
        return await self.client.list(resource.PODS, self.namespace, label_selector=f"{selector},release={self.name}")

    async def pause(self) -> None:
        """Scale to nothing, the control plane before its store, and wait until the pods are gone."""
        now = datetime.datetime.now(datetime.UTC)
        for selector in (workloads.SELECTOR, workloads.ETCD_SELECTOR):
            async for one in self._of(selector):
                await self._patch(one, workloads.pausing(one, now))
            await self.wait_gone(selector)

    async def resume(self) -> None:
        """Scale to what it was, the store first."""
        for selector in (workloads.ETCD_SELECTOR, workloads.SELECTOR):
            async for one in self._of(selector):
                if one["spec"].get("replicas", 1) == 0 or workloads.is_paused(one):
                    await self._patch(one, workloads.resuming(one))

    async def wait_gone(self, selector: str, *, seconds: float = GONE_SECONDS) -> None:
        """Wait until no pod is left."""
        deadline = time.monotonic() + seconds
        while left := await self.pods(selector):
            if time.monotonic() > deadline:
                names = ", ".join(pod["metadata"]["name"] for pod in left)
                raise errors.UserError(
                    f"the pods {names} in the namespace {self.namespace} do not end within {seconds:.0f} s; look at "
                    f"them with kubectl describe, then repeat the command"
                )
            await asyncio.sleep(0.2)

    async def wait_ready(self, *, seconds: float = READY_SECONDS) -> Obj:
        """Wait until a pod of the workload as it is now is ready; returns the workload.

        Raises ``UserError`` with the reason, and the end of the log where there is one, when it never will be.
        """
        deadline = time.monotonic() + seconds
        since: float | None = None
        while True:
            workload = await self.workload()
            if rolled_out(workload):
                return workload
            pods = await self.pods()
            status, detail = workloads.status_of(workload, [pod for pod in pods if not workloads.is_ready(pod)])
            hopeless = status.rpartition(":")[2] in HOPELESS
            since = (since or time.monotonic()) if hopeless else None
            if time.monotonic() > deadline or (since is not None and time.monotonic() - since > HOPELESS_SECONDS):
                raise errors.UserError(await self._why_not(pods, status, detail))
            await asyncio.sleep(0.2)

    async def _why_not(self, pods: list[Obj], status: str, detail: str) -> str:
        said = f": {detail}" if detail else ""
        text = f'the control plane of "{self.name}" in the namespace {self.namespace} does not become ready: {status}'
        return f"{text}{said}\n{await logs.last_lines(self.client, pods)}".rstrip()

    async def _patch(self, one: Obj, patch: Obj) -> None:
        await self.client.patch(workloads.resource_of(one), one["metadata"]["name"], patch, self.namespace)

    async def _of(self, selector: str) -> AsyncIterator[Obj]:
        for kind in workloads.KINDS:
            try:
                found = await self.client.list(kind, self.namespace, label_selector=f"{selector},release={self.name}")
            except kube_errors.Forbidden:
                # Whoever may only see one of the two kinds works with that.
                continue
            for one in found:
                yield one


def rolled_out(workload: Obj) -> bool:
    """Whether a pod of the newest form is ready, and the controller has seen that form. Pure."""
    status = workload.get("status") or {}
    if status.get("observedGeneration", 0) < workload["metadata"].get("generation", 0):
        return False
    if workload["spec"].get("replicas", 1) == 0:
        return False
    return bool(status.get("updatedReplicas")) and bool(status.get("readyReplicas"))


async def ready(scaler: Scaler, reporter: base.Reporter) -> Obj:
    """``wait_ready`` with a word to the user."""
    with reporter.step(f"Waiting for the control plane of {scaler.name}"):
        return await scaler.wait_ready()
