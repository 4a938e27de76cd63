"""The syncer dies after each of its writes while it replaces a claim and a Service: nothing is lost, nothing stays.

On real API servers, with the finalizer that protects claims, and with addresses that are really taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from nestling.kube import client, errors, kubeconfig, requests
from nestling.kube.resource import NAMESPACES, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, SERVICES, Obj, Resource
from nestling.naming import labels, names
from nestling.naming.tenant import VirtualKey
from nestling.syncer import replacement
from tests.integration.syncer.sides import until
from tests.support import chaos, chaos_host, envtest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

#: One more than a replacement writes on claims, or on Services: the last one lives.
DEATHS: Final = 8
HOLD: Final = "backup.example.com/hold"
_RANGE: Final = "--service-cluster-ip-range=10.96.0.0/24"
_UNPROTECTED: Final = "--disable-admission-plugins=StorageObjectInUseProtection,ServiceAccount"


class Death:
    """Waits for a write on claims or Services, and says when it has come."""

    def __init__(self, after: int) -> None:
        self.has_come = asyncio.Event()
        self._after, self._seen = after, dict.fromkeys((PERSISTENT_VOLUME_CLAIMS.plural, SERVICES.plural), 0)

    async def watch(self, request: requests.Request) -> None:
        """Called when the server has done it; whoever asked hears nothing any more."""
        plural = next((one for one in self._seen if f"/{one}" in request.path), None)
        if plural is None or request.method == "GET" or "dryRun" in request.params:
            return
        self._seen[plural] += 1
        if self.has_come.is_set() or self._seen[plural] == self._after:
            self.has_come.set()
            await asyncio.Event().wait()


class MortalClient(client.Client):
    """A client whose process dies."""

    def __init__(self, config: kubeconfig.ClientConfig, death: Death) -> None:
        super().__init__(config)
        self._death = death

    async def send(self, request: requests.Request) -> bytes:
        answer = await super().send(request)
        await self._death.watch(request)
        return answer


class MortalSyncer(chaos.Syncer):
    """A syncer that dies after some write."""

    def __init__(self, virtual: kubeconfig.ClientConfig, host: kubeconfig.ClientConfig, death: Death) -> None:
        super().__init__(virtual, host)
        self._death = death

    def _client(self, config: kubeconfig.ClientConfig) -> client.Client:
        return MortalClient(config, self._death)


class Stage:
    """Two API servers, the host's controllers, and two objects that have to be replaced."""

    def __init__(self, accesses: list[kubeconfig.ClientConfig], apis: list[client.Client]) -> None:
        self.accesses = accesses
        self.virtual, self.host = apis

    @contextlib.asynccontextmanager
    async def syncing(self, death: Death | None = None) -> AsyncIterator[None]:
        """A syncer works during the block, and is killed."""
        async with asyncio.TaskGroup() as group:
            virtual, host = self.accesses
            syncer = MortalSyncer(virtual, host, death) if death else chaos.Syncer(virtual, host)
            syncer.start(group)
            try:
                yield
            finally:
                await syncer.kill()

    async def bereave(self, name: str) -> dict[Resource, Obj]:
        """The host objects of both go while no syncer works, and somebody takes the address of the Service."""
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        meta = {"name": name, "namespace": "default", "labels": {"app": name}, "finalizers": [HOLD]}
        await self.virtual.create(PERSISTENT_VOLUME_CLAIMS, {"metadata": meta, "spec": spec})
        await self.virtual.create(SERVICES, {"metadata": meta, "spec": {"type": "NodePort", "ports": [{"port": 80}]}})
        async with self.syncing():
            before = {resource: await self.agreed(resource, name) for resource in (PERSISTENT_VOLUME_CLAIMS, SERVICES)}
        for resource in before:
            await self.host.delete(resource, self._host_name(name), chaos.TENANT.namespace)
        ports = [{"port": 80, "nodePort": before[SERVICES]["spec"]["ports"][0]["nodePort"]}]
        taken = {"type": "NodePort", "clusterIP": before[SERVICES]["spec"]["clusterIP"], "ports": ports}
        await self.host.create(SERVICES, {"metadata": {"name": f"foreign-{name}"}, "spec": taken}, "default")
        return before

    async def agreed(self, resource: Resource, name: str) -> Obj:
        """The virtual object, once both sides say the same about it."""
        return await until(lambda: self.agreement(resource, name), f"agreement about {resource.kind} {name}")

    async def agreement(self, resource: Resource, name: str) -> Obj | None:
        """The virtual object if both sides say the same about it."""
        try:
            virtual = await self.virtual.get(resource, name, "default")
            host = await self.host.get(resource, self._host_name(name), chaos.TENANT.namespace)
        except errors.NotFound:
            return None
        return virtual if _agree(virtual, host) else None

    def _host_name(self, name: str) -> str:
        return names.host_name(VirtualKey("default", name), chaos.TENANT).name


def _agree(virtual: Obj, host: Obj) -> bool:
    ours, theirs = virtual["spec"], host["spec"]
    is_settled = bool(theirs.get("clusterIP") or (theirs.get("volumeName") and virtual["status"].get("capacity")))
    notes = host["metadata"]["annotations"]
    return (
        is_settled
        and all(ours.get(field) == theirs.get(field) for field in ("clusterIP", "ports", "volumeName"))
        and notes[labels.OBJECT_UID] == virtual["metadata"]["uid"]
        and replacement.NOTE not in notes
    )


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with contextlib.AsyncExitStack() as stack:
        virtual = await stack.enter_async_context(envtest.running_async(tmp_path / "virtual", apiserver_args=[_RANGE]))
        arguments = [_RANGE, _UNPROTECTED]
        host = await stack.enter_async_context(envtest.running_async(tmp_path / "host", apiserver_args=arguments))
        accesses = [kubeconfig.load([cluster.kubeconfig]) for cluster in (virtual, host)]
        apis = [await stack.enter_async_context(client.Client(access)) for access in accesses]
        await apis[1].create(NAMESPACES, {"metadata": {"name": chaos.TENANT.namespace}})
        front = {"metadata": {"name": chaos.TENANT.name}, "spec": {"ports": [{"port": 443}]}}
        await apis[1].create(SERVICES, front, chaos.TENANT.namespace)
        async with asyncio.TaskGroup() as group:
            fake = group.create_task(chaos_host.FakeHost(apis[1], chaos.TENANT.namespace).run())
            try:
                yield Stage(accesses, apis)
            finally:
                fake.cancel()


async def test_the_syncer_dies_after_each_write_of_a_replacement(stage: Stage) -> None:
    deaths = 0
    for number in range(1, DEATHS + 1):
        name = f"data-{number}"
        before = await stage.bereave(name)
        death = Death(number)
        async with stage.syncing(death):
            await until(functools.partial(_ended, stage, name, death), "death, or agreement")
        deaths += death.has_come.is_set()
        async with stage.syncing():
            for resource, old in before.items():
                new = await stage.agreed(resource, name)
                assert new["metadata"]["uid"] != old["metadata"]["uid"]
                assert new["metadata"]["labels"] == {"app": name}
                assert HOLD in new["metadata"]["finalizers"]
                assert "deletionTimestamp" not in new["metadata"]
    assert deaths >= DEATHS - 2
    volumes = {one["metadata"]["name"] for one in await stage.virtual.list(PERSISTENT_VOLUMES)}
    claims = await stage.virtual.list(PERSISTENT_VOLUME_CLAIMS)
    assert {one["spec"]["volumeName"] for one in claims} <= volumes


async def _ended(stage: Stage, name: str, death: Death) -> bool | None:
    agreements = [await stage.agreement(resource, name) for resource in (PERSISTENT_VOLUME_CLAIMS, SERVICES)]
    return True if death.has_come.is_set() or all(agreements) else None
