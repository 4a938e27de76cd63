"""Random operations of somebody with the host's kubeconfig who does not know that these objects are synced."""

from __future__ import annotations

import base64
from typing import Final

from nestling.kube import client, errors
from nestling.kube.resource import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SECRETS,
    SERVICES,
    Obj,
    Resource,
)
from tests.support import chaos_host, chaos_ledger, chaos_objects, chaos_players
from tests.support.chaos_oracle import PREFIX, SYNCED


class HostPlayer:
    """Somebody with the host's kubeconfig who does not know that these objects are synced."""

    def __init__(
        self, api: client.Client, table: chaos_players.Table, namespace: str, fake: chaos_host.FakeHost | None
    ) -> None:
        self._api, self._table, self._rng, self._namespace = api, table, table.rng, namespace
        self._fake = fake
        self.operations: Final[tuple[tuple[int, chaos_players.Operation], ...]] = (
            (4, self.delete),
            (8, self.mark),
            (4, self.edit_data),
            (3, self.unmark),
            (4, self.take_address),
            (2, self.delete_published),
            (3, self.delete_controlled),
            (8 if fake else 0, self.restart_containers),
        )

    async def delete(self) -> str:
        resource, obj = await self._any()
        meta = obj["metadata"]
        notes = meta["annotations"]
        self._table.ledger.doomed.add(notes[PREFIX + "object-uid"])
        if resource in (SERVICES, PERSISTENT_VOLUME_CLAIMS):
            key = (notes[PREFIX + "object-namespace"], notes[PREFIX + "object-name"])
            self._table.ledger.bereft.add((resource.plural, key))
        await self._api.delete(resource, meta["name"], self._namespace, uid=meta["uid"])
        if resource is PERSISTENT_VOLUME_CLAIMS and self._rng.random() < 0.5:
            # by force, whether a pod uses it or not
            bare = {"metadata": {"uid": meta["uid"], "finalizers": None}}
            await chaos_players.unless_gone(self._api.patch(resource, meta["name"], bare, self._namespace))
        return f"host: delete {chaos_players.named(resource, obj)}"

    async def delete_published(self) -> str:
        """Endpoints and slices come back: the tenant's are the truth."""
        resource, obj = await self._any(ENDPOINTS, ENDPOINT_SLICES, mark=chaos_objects.PUBLISHED)
        await self._api.delete(resource, obj["metadata"]["name"], self._namespace, uid=obj["metadata"]["uid"])
        return f"host: delete {chaos_players.named(resource, obj)}"

    async def delete_controlled(self) -> str:
        """A host pod of a Deployment: its virtual pod goes, and the controller makes another."""
        resource, obj = await self._any(PODS, mark=chaos_objects.CONTROLLED)
        self._table.ledger.doomed.add(obj["metadata"]["annotations"][PREFIX + "object-uid"])
        await self._api.delete(resource, obj["metadata"]["name"], self._namespace, uid=obj["metadata"]["uid"])
        return f"host: delete {chaos_players.named(resource, obj)}"

    async def mark(self) -> str:
        resource, obj = await self._any()
        field = self._rng.choice(("labels", "annotations"))
        key = self._rng.choice(("host-0", "host-1", "tenant-0"))
        return await self._patch(resource, obj, ("metadata", field, key), self._table.value())

    async def edit_data(self) -> str:
        resource, obj = await self._any(CONFIG_MAPS, SECRETS)
        value = base64.b64encode(self._table.value().encode()).decode()
        return await self._patch(resource, obj, ("data", self._rng.choice("bh")), value)

    async def unmark(self) -> str:
        """Take one of our labels off: not managed-by, as what lost it while nobody looked stays (docs/faults.md)."""
        resource, obj = await self._any()
        key = PREFIX + "namespace"
        body = {"metadata": {"uid": obj["metadata"]["uid"], "labels": {key: None}}}
        await self._api.patch(resource, obj["metadata"]["name"], body, self._namespace)
        return f"host: no label {key} on {chaos_players.named(resource, obj)}"

    async def take_address(self) -> str:
        """A Service of somebody else takes a ClusterIP and a node port that a tenant may want."""
        name = f"foreign-{self._rng.randrange(20)}"
        body: Obj = {"metadata": {"name": name}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}}
        try:
            await self._api.create(SERVICES, body, self._namespace)
        except errors.AlreadyExists:
            await self._api.delete(SERVICES, name, self._namespace)
            return f"host: delete service {name}"
        return f"host: create service {name}"

    async def restart_containers(self) -> str:
        assert self._fake is not None
        _, obj = await self._any(PODS)
        statuses = (obj.get("status") or {}).get("containerStatuses")
        if not statuses:
            raise chaos_players.Skipped
        await self._fake.set_status(obj, restarts=statuses[0]["restartCount"] + 1)
        return f"host: restart a container of {obj['metadata']['name']}"

    async def _patch(self, resource: Resource, obj: Obj, path: chaos_ledger.Path, value: str) -> str:
        meta = obj["metadata"]
        body = chaos_players.nested(path, value)
        body.setdefault("metadata", {})["uid"] = meta["uid"]
        await self._api.patch(resource, meta["name"], body, self._namespace)
        notes = meta["annotations"]
        key = (notes[PREFIX + "object-namespace"], notes[PREFIX + "object-name"])
        self._table.ledger.wrote(resource, key, path, value, host=True)
        return f"host: patch {chaos_players.named(resource, obj)} {'.'.join(path)} {value}"

    async def _any(self, *resources: Resource, mark: str = "yes") -> tuple[Resource, Obj]:
        resource = self._rng.choice(resources or (*SYNCED, PERSISTENT_VOLUME_CLAIMS, PODS))
        found = [
            one
            for one in await self._api.list(resource, self._namespace)
            if (one["metadata"].get("labels") or {}).get("chaos") == mark
            and PREFIX + "object-uid" in one["metadata"].get("annotations", {})
            and not one["metadata"].get("deletionTimestamp")
        ]
        if not found:
            raise chaos_players.Skipped
        return resource, self._rng.choice(found)
