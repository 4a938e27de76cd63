"""The volume provisioner of an embedded host: `python -m nestling.local.provisioner KUBECONFIG [FOLDER]`.

Its nodes have no storage driver. For each claim of our storage class this process makes a volume: a folder inside
FOLDER for a real node, for simulated ones nothing at all. Kubernetes' own controllers bind it, and everything that
watches claims sees what it would see elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
from pathlib import Path
from typing import Literal, NamedTuple

from nestling.kube import cache, client, errors, kubeconfig, queue, resource
from nestling.kube.resource import Obj
from nestling.local import manifests, volumes

_LOG = logging.getLogger(__name__)


class Key(NamedTuple):
    """A claim or a volume."""

    kind: Literal["claim", "volume"]
    namespace: str
    name: str


class Provisioner:
    """Reconciles claims and volumes, level-based: it looks at what is, not at what happened."""

    def __init__(self, host: client.Client, storage: volumes.Storage = volumes.SIMULATED) -> None:
        self._host = host
        self._storage = storage
        self._claims = cache.Informer(host, resource.PERSISTENT_VOLUME_CLAIMS)
        self._volumes = cache.Informer(host, resource.PERSISTENT_VOLUMES)
        self._queue: queue.WorkQueue[Key] = queue.WorkQueue()

    async def run(self) -> None:
        """Work until cancelled."""
        self._claims.add_handler(lambda change: self._queue.add(Key("claim", *change.key)))
        self._volumes.add_handler(lambda change: self._queue.add(Key("volume", *change.key)))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._claims.run())
            group.create_task(self._volumes.run())
            group.create_task(self._work())

    async def _work(self) -> None:
        await self._claims.synced.wait()
        await self._volumes.synced.wait()
        while True:
            key = await self._queue.get()
            try:
                await (self._claim(key) if key.kind == "claim" else self._volume(key))
                self._queue.forget(key)
            except (errors.ApiError, errors.ConnectionFailed) as error:
                _LOG.warning(
                    "will try again",
                    extra={"kind": key.kind, "namespace": key.namespace, "event_name": key.name, "error": str(error)},
                )
                self._queue.add_rate_limited(key)
            finally:
                self._queue.done(key)

    async def _claim(self, key: Key) -> None:
        claim = self._claims.store.get((key.namespace, key.name))
        if claim is None:
            return
        if volumes.wants_volume(claim, self._storage):
            await self._provision(claim)
        elif size := volumes.wanted_size(claim):
            await self._grow(claim, size)

    async def _provision(self, claim: Obj) -> None:
        storage_class = await self._host.get(resource.STORAGE_CLASSES, claim["spec"]["storageClassName"])
        volume = volumes.volume_for(claim, storage_class, self._storage)
        if self._storage.folder is not None:
            await asyncio.to_thread(_make, Path(self._storage.path(volume["metadata"]["name"])))
        try:
            await self._host.create(resource.PERSISTENT_VOLUMES, volume)
        except errors.AlreadyExists:
            return
        _LOG.info("volume made", extra={"volume": volume["metadata"]["name"], "claim": _name(claim)})

    async def _grow(self, claim: Obj, size: str) -> None:
        volume = self._volumes.store.get(("", claim["spec"]["volumeName"]))
        if volume is None or not volumes.is_ours(volume, self._storage):
            return
        capacity = {"capacity": {"storage": size}}
        await self._host.patch(resource.PERSISTENT_VOLUMES, volume["metadata"]["name"], {"spec": capacity})
        metadata = claim["metadata"]
        await self._host.patch(
            resource.PERSISTENT_VOLUME_CLAIMS,
            metadata["name"],
            {"status": capacity},
            metadata["namespace"],
            subresource="status",
        )
        _LOG.info("volume grown", extra={"volume": volume["metadata"]["name"], "claim": _name(claim), "size": size})

    async def _volume(self, key: Key) -> None:
        volume = self._volumes.store.get(("", key.name))
        if volume is None or not volumes.to_be_deleted(volume, self._storage):
            return
        if self._storage.folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._storage.path(key.name), ignore_errors=True)
        try:
            await self._host.delete(resource.PERSISTENT_VOLUMES, key.name, uid=volume["metadata"]["uid"])
        except (errors.NotFound, errors.Conflict):
            return
        _LOG.info("volume removed", extra={"volume": key.name})


def _name(claim: Obj) -> str:
    return f"{claim['metadata']['namespace']}/{claim['metadata']['name']}"


def _make(folder: Path) -> None:
    """Make the folder of a volume; every user of a container may write there, and only root reaches it otherwise."""
    folder.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)


async def _main(path: Path, folder: Path | None = None) -> None:
    storage = volumes.Storage(manifests.LOCAL_PATH_PROVISIONER, folder) if folder else volumes.SIMULATED
    async with client.Client(kubeconfig.load([path])) as host:
        await Provisioner(host, storage).run()


if __name__ == "__main__":
    asyncio.run(_main(*map(Path, sys.argv[1:3])))
