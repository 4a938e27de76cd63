"""Random operations of a tenant and of somebody on the host, each written into the ledger.

Both speak to their API server directly: what breaks is between the syncer and the API servers, never here. While an
API server is down, its player does nothing.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import itertools
import random
from collections.abc import Awaitable, Callable
from typing import Final

from nestling.kube import client, errors
from nestling.kube.requests import PatchType
from nestling.kube.resource import (
    CONFIG_MAPS,
    NAMESPACES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Obj,
    Resource,
)
from tests.support import chaos_host, chaos_ledger, chaos_objects
from tests.support.chaos_oracle import PREFIX, SYNCED, Key

Operation = Callable[[], Awaitable[str]]


@dataclasses.dataclass(slots=True)
class Table:
    """What both players share."""

    rng: random.Random
    ledger: chaos_ledger.Ledger
    serial: itertools.count[int] = dataclasses.field(default_factory=itertools.count)

    def value(self) -> str:
        """A value that nobody has written before."""
        return f"v{next(self.serial)}"


class TenantPlayer:
    """Somebody with the virtual cluster's kubeconfig."""

    def __init__(self, api: client.Client, table: Table, *, has_controllers: bool = False) -> None:
        self._api, self._table, self._rng = api, table, table.rng
        self._has_controllers = has_controllers
        self.operations: Final[tuple[tuple[int, Operation], ...]] = (
            (30, self.create),
            (14, self.delete),
            (6, self.recreate),
            (14, self.mark),
            (10, self.edit_data),
            (8, self.edit_service),
            (8, self.edit_pod),
            (3, self.mark_namespace),
            (1, self.delete_namespace),
        )

    async def furnish(self) -> None:
        """What every virtual cluster has; the namespaces of the game."""
        for name in dict.fromkeys(("kube-system", *chaos_objects.SPACES)):
            await self._space(name)
        if self._has_controllers:
            return
        dns = {"metadata": {"name": "kube-dns", "namespace": "kube-system"}, "spec": {"ports": [{"port": 53}]}}
        await self._api.create(SERVICES, dns)

    async def create(self) -> str:
        resource = self._rng.choice(chaos_objects.KINDS)
        space, name = self._rng.choice(chaos_objects.SPACES), self._rng.choice(chaos_objects.NAMES)
        await self._space(space)
        return await self._create(chaos_objects.random_object(self._rng, resource, space, name), resource)

    async def delete(self) -> str:
        resource, obj = await self._any()
        meta = obj["metadata"]
        self._table.ledger.deleted(resource, (meta["namespace"], meta["name"]))
        await self._api.delete(resource, meta["name"], meta["namespace"], uid=meta["uid"])
        return f"delete {_named(resource, obj)}"

    async def recreate(self) -> str:
        """Delete, and create the same name again at once."""
        resource, obj = await self._any()
        meta = obj["metadata"]
        self._table.ledger.deleted(resource, (meta["namespace"], meta["name"]))
        await self._api.delete(resource, meta["name"], meta["namespace"], uid=meta["uid"])
        body = chaos_objects.random_object(self._rng, resource, meta["namespace"], meta["name"])
        return f"delete {_named(resource, obj)}, " + await self._create(body, resource)

    async def mark(self) -> str:
        resource, obj = await self._any()
        field = self._rng.choice(("labels", "annotations"))
        key = f"tenant-{self._rng.randrange(3)}"
        value = None if self._rng.random() < 0.2 else self._table.value()
        return await self._patch(resource, obj, ("metadata", field, key), value)

    async def edit_data(self) -> str:
        resource, obj = await self._any(CONFIG_MAPS, SECRETS)
        key = self._rng.choice("abc")
        value = chaos_objects.text(resource, self._table.value())
        return await self._patch(resource, obj, ("data", key), value)

    async def edit_service(self) -> str:
        _, obj = await self._any(SERVICES)
        meta = obj["metadata"]
        fresh = chaos_objects.service_spec(self._rng, meta["name"])
        if fresh.get("clusterIP") == "None" or obj["spec"].get("clusterIP") == "None":
            raise Skipped
        body = {**obj, "spec": {**obj["spec"], **fresh}}
        body["spec"].setdefault("ports", [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}])
        for port in body["spec"]["ports"]:
            port["port"] = self._rng.randrange(80, 90)
            if fresh["type"] == "ClusterIP":
                port.pop("nodePort", None)
        if fresh["type"] == "ExternalName":
            for field in ("clusterIP", "clusterIPs", "ports"):
                body["spec"].pop(field, None)
        else:
            body["spec"].pop("externalName", None)
        await self._api.replace(SERVICES, body)
        key = (meta["namespace"], meta["name"])
        self._table.ledger.wrote(SERVICES, key, ("spec", "type"), fresh["type"], host=False)
        return f"edit {_named(SERVICES, obj)}: {fresh}"

    async def edit_pod(self) -> str:
        _, obj = await self._any(PODS)
        meta = obj["metadata"]
        image = f"nginx:{self._table.value()}"
        body = {"spec": {"containers": [{"name": "app", "image": image}]}}
        await self._api.patch(PODS, meta["name"], body, meta["namespace"], patch_type=PatchType.STRATEGIC)
        return f"image {_named(PODS, obj)} {image}"

    async def mark_namespace(self) -> str:
        name, value = self._rng.choice(chaos_objects.SPACES), self._table.value()
        await self._api.patch(NAMESPACES, name, {"metadata": {"labels": {"team": value}}})
        return f"label namespace {name} {value}"

    async def delete_namespace(self) -> str:
        """Where no namespace controller runs, the player does its work."""
        name = self._rng.choice(chaos_objects.SPACES[1:])
        await self._api.delete(NAMESPACES, name)
        if self._has_controllers:
            for plural, key in list(self._table.ledger.entries):
                if key[0] == name:
                    del self._table.ledger.entries[plural, key]
            return f"delete namespace {name}"
        for resource in SYNCED:
            for obj in await self._api.list(resource, name):
                self._table.ledger.deleted(resource, (name, obj["metadata"]["name"]))
                await _unless_gone(self._api.delete(resource, obj["metadata"]["name"], name))
        # the syncer must not depend on a pod being gone before its namespace is
        for pod in await self._api.list(PODS, name):
            await _unless_gone(self._api.delete(PODS, pod["metadata"]["name"], name, grace_period_seconds=0))
        space = await self._api.get(NAMESPACES, name)
        space["spec"]["finalizers"] = []
        await self._api.replace(NAMESPACES, space, subresource="finalize")
        return f"delete namespace {name}"

    async def _space(self, name: str) -> None:
        with contextlib.suppress(errors.AlreadyExists):
            await self._api.create(NAMESPACES, chaos_objects.namespace(name))
        with contextlib.suppress(errors.AlreadyExists):
            await self._api.create(SERVICE_ACCOUNTS, {"metadata": {"name": "default", "namespace": name}})

    async def _create(self, obj: Obj, resource: Resource) -> str:
        try:
            created = await self._api.create(resource, obj)
        except (errors.AlreadyExists, errors.Conflict) as error:
            raise Skipped from error
        self._table.ledger.created(resource, created)
        return f"create {_named(resource, created)}"

    async def _patch(self, resource: Resource, obj: Obj, path: chaos_ledger.Path, value: str | None) -> str:
        meta = obj["metadata"]
        await self._api.patch(resource, meta["name"], _nested(path, value), meta["namespace"])
        key: Key = (meta["namespace"], meta["name"])
        self._table.ledger.wrote(resource, key, path, value or chaos_ledger.MISSING, host=False)
        return f"patch {_named(resource, obj)} {'.'.join(path)} {value}"

    async def _any(self, *resources: Resource) -> tuple[Resource, Obj]:
        """A random object of the game that is not on its way out."""
        resource = self._rng.choice(resources or SYNCED)
        found = [
            one
            for one in await self._api.list(resource)
            if (one["metadata"].get("labels") or {}).get("chaos") == "yes"
            and not one["metadata"].get("deletionTimestamp")
        ]
        if not found:
            raise Skipped
        return resource, self._rng.choice(found)


class HostPlayer:
    """Somebody with the host's kubeconfig who does not know that these objects are synced."""

    def __init__(self, api: client.Client, table: Table, namespace: str, fake: chaos_host.FakeHost | None) -> None:
        self._api, self._table, self._rng, self._namespace = api, table, table.rng, namespace
        self._fake = fake
        self.operations: Final[tuple[tuple[int, Operation], ...]] = (
            (4, self.delete),
            (8, self.mark),
            (4, self.edit_data),
            (3, self.unmark),
            (4, self.take_address),
            (8 if fake else 0, self.restart_containers),
        )

    async def delete(self) -> str:
        # a bound claim that is deleted while nobody looks gets a new volume, which its virtual claim cannot take on:
        # a known limit, see docs/faults.md
        resource, obj = await self._any(CONFIG_MAPS, SECRETS, SERVICES, PODS)
        meta = obj["metadata"]
        self._table.ledger.doomed.add(meta["annotations"][PREFIX + "object-uid"])
        await self._api.delete(resource, meta["name"], self._namespace, uid=meta["uid"])
        return f"host: delete {_named(resource, obj)}"

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
        return f"host: no label {key} on {_named(resource, obj)}"

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
            raise Skipped
        await self._fake.set_status(obj, restarts=statuses[0]["restartCount"] + 1)
        return f"host: restart a container of {obj['metadata']['name']}"

    async def _patch(self, resource: Resource, obj: Obj, path: chaos_ledger.Path, value: str) -> str:
        meta = obj["metadata"]
        body = _nested(path, value)
        body.setdefault("metadata", {})["uid"] = meta["uid"]
        await self._api.patch(resource, meta["name"], body, self._namespace)
        notes = meta["annotations"]
        key = (notes[PREFIX + "object-namespace"], notes[PREFIX + "object-name"])
        self._table.ledger.wrote(resource, key, path, value, host=True)
        return f"host: patch {_named(resource, obj)} {'.'.join(path)} {value}"

    async def _any(self, *resources: Resource) -> tuple[Resource, Obj]:
        resource = self._rng.choice(resources or (*SYNCED, PERSISTENT_VOLUME_CLAIMS, PODS))
        found = [
            one
            for one in await self._api.list(resource, self._namespace)
            if (one["metadata"].get("labels") or {}).get("chaos") == "yes"
            and PREFIX + "object-uid" in one["metadata"].get("annotations", {})
            and not one["metadata"].get("deletionTimestamp")
        ]
        if not found:
            raise Skipped
        return resource, self._rng.choice(found)


class Skipped(Exception):
    """There was nothing to do this to."""


async def play(rng: random.Random, operations: tuple[tuple[int, Operation], ...]) -> str:
    """One random operation; the answer is what it was, or why nothing came of it."""
    (chosen,) = rng.choices([operation for _, operation in operations], [weight for weight, _ in operations])
    try:
        return await chosen()
    except Skipped:
        return ""
    except (errors.NotFound, errors.Conflict, errors.Invalid, errors.Forbidden) as error:
        return f"({getattr(chosen, '__name__', '')}: {error})"


async def _unless_gone(work: Awaitable[object]) -> None:
    try:
        await work
    except errors.NotFound:
        return


def _nested(path: chaos_ledger.Path, value: str | None) -> Obj:
    body: Obj = {path[-1]: value}
    for part in reversed(path[:-1]):
        body = {part: body}
    return body


def _named(resource: Resource, obj: Obj) -> str:
    meta = obj["metadata"]
    return f"{resource.plural} {meta.get('namespace')}/{meta['name']} {meta['uid'][:8]}"
