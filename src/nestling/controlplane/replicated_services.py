"""The duty that keeps ``networking.replicateServices`` true (spec §3.3): Services of one side on the other.

It reads from watches of the single Services that the configuration names, and writes only what differs. What stands
under a replica's name and is not a replica is left alone, and an event says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterable
from typing import Final

from nestling.config import model
from nestling.controlplane import loops, replication, settings
from nestling.controlplane.replication import Direction, Replica
from nestling.kube import cache, client, errors
from nestling.kube.resource import ENDPOINTS, NAMESPACES, SERVICES, Obj, Resource
from nestling.naming.tenant import Tenant
from nestling.syncer import events

#: A first list takes no longer than this where it is allowed at all.
_PATIENCE: Final = 10.0
_KEY: Final = "networking.replicateServices"
_ACTION: Final = "ReplicateService"


@dataclasses.dataclass(frozen=True, slots=True)
class _Watched:
    """A replica with the watches of its source, and the API server that it is written to."""

    replica: Replica
    service: cache.Informer
    endpoints: cache.Informer
    to: client.Client
    #: The replicas that are there, on the other side.
    replicas: cache.Informer
    replica_endpoints: cache.Informer

    @property
    def informers(self) -> tuple[cache.Informer, ...]:
        """All that must have been listed before anything is decided."""
        return (self.service, self.endpoints, self.replicas, self.replica_endpoints)


class ReplicatedServices:
    """The duty and its watches."""

    def __init__(
        self,
        config: model.VClusterConfig,
        syncer: settings.SyncerSettings,
        virtual: client.Client,
        host: client.Client,
    ) -> None:
        self.tenant = Tenant(syncer.name, syncer.namespace)
        self.replicas = replication.replicas(config, self.tenant)
        self._set_owner = config.experimental.sync_settings.set_owner
        self._endpoints_to_host = config.sync.to_host.endpoints.enabled
        self._syncer, self._virtual, self._host = syncer, virtual, host
        self._recorder = events.EventRecorder(virtual, time.time)
        self._is_clean = False
        self._shared: list[cache.Informer] = []
        self._watched = self._watches()

    @property
    def informers(self) -> list[cache.Informer]:
        """What has to run beside the duty."""
        own = (informer for one in self._watched for informer in (one.service, one.endpoints))
        return [*self._shared, *own]

    def wakes(self, wake: Callable[[cache.Change], None]) -> None:
        """Call this when something has changed."""
        for informer in self.informers:
            informer.add_handler(wake)

    async def reconcile(self) -> None:
        """Every replica as its source wants it.

        Raises:
            NotYetError: some Services cannot be read; the others are in order.
        """
        if not self._is_clean:
            await self._clean_up()
            self._is_clean = True
        await self._listed()
        unread = [one for one in self._watched if not all(informer.synced.is_set() for informer in one.informers)]
        for one in self._watched:
            if one not in unread:
                await self._reconcile(one)
        if unread:
            raise loops.NotYetError("; ".join(_why(one) for one in unread))

    def _watches(self) -> list[_Watched]:
        label = "=".join(replication.MARK)
        found: list[_Watched] = []
        for direction, origin, to, where in (
            (Direction.TO_HOST, self._virtual, self._host, self.tenant.namespace),
            (Direction.FROM_HOST, self._host, self._virtual, None),
        ):
            wanted = [one for one in self.replicas if one.direction is direction]
            if not wanted:
                continue
            services, endpoints = (
                cache.Informer(to, resource, namespace=where, label_selector=label)
                for resource in (SERVICES, ENDPOINTS)
            )
            self._shared += [services, endpoints]
            found += [
                _Watched(one, _source(origin, SERVICES, one), _source(origin, ENDPOINTS, one), to, services, endpoints)
                for one in wanted
            ]
        return found

    async def _listed(self) -> None:
        """Wait a while for the first lists."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                for informer in self.informers:
                    await informer.synced.wait()

    async def _clean_up(self) -> None:
        """Replicas that an earlier configuration asked for go, on both sides."""
        label = "=".join(replication.MARK)
        for to, namespace, direction in (
            (self._virtual, None, Direction.FROM_HOST),
            (self._host, self.tenant.namespace, Direction.TO_HOST),
        ):
            wanted = [one for one in self.replicas if one.direction is direction]
            found = await to.list(SERVICES, namespace, label_selector=label)
            for obj in replication.leftovers(found, wanted):
                # without any right to delete Services, earlier replicas stay until Service NAME goes
                with contextlib.suppress(errors.Forbidden):
                    await _delete(to, SERVICES, obj)

    async def _reconcile(self, one: _Watched) -> None:
        source = one.service.store.get(one.replica.source.key)
        target = one.replica.target.key
        existing, existing_endpoints = one.replicas.store.get(target), one.replica_endpoints.store.get(target)
        if source is None or source["metadata"].get("deletionTimestamp"):
            for resource, obj in ((ENDPOINTS, existing_endpoints), (SERVICES, existing)):
                if obj is not None and replication.stands_for(obj, one.replica):
                    await _delete(one.to, resource, obj)
            return
        wanted = self._wanted(one.replica, source)
        if existing is not None and replication.must_recreate(existing, wanted):
            await _delete(one.to, SERVICES, existing)
            existing = None
        if not await self._write(one, SERVICES, existing, wanted, source):
            return
        behind = one.endpoints.store.get(one.replica.source.key)
        wanted_endpoints = self._wanted_endpoints(one.replica, source, behind)
        if wanted_endpoints is not None:
            await self._write(one, ENDPOINTS, existing_endpoints, wanted_endpoints, source)
        elif existing_endpoints is not None and not replication.selects(wanted):
            await _delete(one.to, ENDPOINTS, existing_endpoints)

    def _wanted(self, replica: Replica, source: Obj) -> Obj:
        owned = self._set_owner and replica.direction is Direction.TO_HOST
        owner = self._syncer.facts.service_uid if owned else ""
        return replication.service(replica, source, self.tenant, owner_uid=owner)

    def _wanted_endpoints(self, replica: Replica, source: Obj, behind: Obj | None) -> Obj | None:
        if replica.direction is Direction.TO_HOST and not self._endpoints_to_host:
            return None
        return replication.endpoints(replica, source, behind)

    async def _write(self, one: _Watched, resource: Resource, existing: Obj | None, wanted: Obj, source: Obj) -> bool:
        """Is the replica there now? Somebody else's object under its name is not."""
        if existing is None:
            try:
                await self._create(one, resource, wanted)
            except errors.AlreadyExists:
                existing = await one.to.get(resource, one.replica.target.name, one.replica.target.namespace)
                # Endpoints follow the Service of their name, whoever wrote them
                if resource is SERVICES and not replication.is_marked(existing):
                    await self._tell(one.replica, existing, source)
                    return False
            else:
                return True
        patch = replication.change(existing, wanted)
        if patch:
            version = {"resourceVersion": existing["metadata"]["resourceVersion"]}
            patch["metadata"] = {**patch.get("metadata", {}), **version}
            place = one.replica.target
            await one.to.patch(resource, place.name, patch, place.namespace)
        return True

    async def _create(self, one: _Watched, resource: Resource, wanted: Obj) -> None:
        body = {key: value for key, value in wanted.items() if key != "spec"}
        if "spec" in wanted:
            body["spec"] = {key: value for key, value in wanted["spec"].items() if value is not None}
        place = one.replica.target
        try:
            await one.to.create(resource, body, place.namespace)
        except errors.NotFound:
            if one.replica.direction is Direction.TO_HOST:
                raise
            await one.to.create(NAMESPACES, {"metadata": {"name": place.namespace}})
            await one.to.create(resource, body, place.namespace)

    async def _tell(self, replica: Replica, existing: Obj, source: Obj) -> None:
        """The tenant hears of it: on the Service in the way, or on his own that does not get out."""
        key = f"{_KEY}.{replica.direction.value}"
        if replica.direction is Direction.FROM_HOST:
            about = existing
            message = (
                f"{key}: Service {replica.source} of the host is not shown here, because this Service has its name; "
                "delete it, or choose another name in the configuration"
            )
        else:
            about = source
            message = (
                f'{key}: the host has another Service "{replica.target.name}" in namespace '
                f'"{replica.target.namespace}"; remove that one, or choose another name in the configuration'
            )
        await self._recorder.record(about, reason="SyncWarning", action=_ACTION, message=message)


def _source(origin: client.Client, resource: Resource, replica: Replica) -> cache.Informer:
    """A watch of one object: rights for this name are enough."""
    place = replica.source
    return cache.Informer(origin, resource, namespace=place.namespace, field_selector=f"metadata.name={place.name}")


def _why(one: _Watched) -> str:
    reasons = _first(informer.last_error for informer in one.informers if not informer.synced.is_set())
    return f"{_KEY}.{one.replica.direction.value}: cannot read Service {one.replica.source}: {reasons}"


def _first(found: Iterable[Exception | None]) -> str:
    return next((str(error) for error in found if error is not None), "no answer yet")


async def _delete(to: client.Client, resource: Resource, obj: Obj) -> None:
    meta = obj["metadata"]
    with contextlib.suppress(errors.NotFound):
        await to.delete(resource, meta["name"], meta.get("namespace"), uid=meta["uid"])
