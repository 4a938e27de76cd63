"""Random operations of a tenant, each written into the ledger; those of somebody on the host are in ``chaos_admin``.

Both speak to their API server directly: what breaks is between the syncer and the API servers, never here. While an
API server is down, its player does nothing.
"""

from __future__ import annotations

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
    ENDPOINT_SLICES,
    ENDPOINTS,
    NAMESPACES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Obj,
    Resource,
)
from tests.support import chaos_ledger, chaos_objects
from tests.support.chaos_oracle import SYNCED, Key

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
            (3, self.let_go),
            (8, self.publish),
            (2, self.unpublish),
            (8 if has_controllers else 0, self.deploy),
            (2 if has_controllers else 0, self.undeploy),
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
        return f"delete {named(resource, obj)}"

    async def recreate(self) -> str:
        """Delete, and create the same name again at once."""
        resource, obj = await self._any()
        meta = obj["metadata"]
        self._table.ledger.deleted(resource, (meta["namespace"], meta["name"]))
        await self._api.delete(resource, meta["name"], meta["namespace"], uid=meta["uid"])
        body = chaos_objects.random_object(self._rng, resource, meta["namespace"], meta["name"])
        return f"delete {named(resource, obj)}, " + await self._create(body, resource)

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
        return f"edit {named(SERVICES, obj)}: {fresh}"

    async def edit_pod(self) -> str:
        _, obj = await self._any(PODS)
        meta = obj["metadata"]
        image = f"nginx:{self._table.value()}"
        body = {"spec": {"containers": [{"name": "app", "image": image}]}}
        await self._api.patch(PODS, meta["name"], body, meta["namespace"], patch_type=PatchType.STRATEGIC)
        return f"image {named(PODS, obj)} {image}"

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
        await self._empty(name)
        space = await self._api.get(NAMESPACES, name)
        space["spec"]["finalizers"] = []
        await self._api.replace(NAMESPACES, space, subresource="finalize")
        return f"delete namespace {name}"

    async def _empty(self, name: str) -> None:
        """Delete all that is in a namespace."""
        for resource in SYNCED:
            for obj in await self._api.list(resource, name):
                self._table.ledger.deleted(resource, (name, obj["metadata"]["name"]))
                await unless_gone(self._api.delete(resource, obj["metadata"]["name"], name))
        while held := list(await self._api.list(PERSISTENT_VOLUME_CLAIMS, name)):
            for claim in held:
                with contextlib.suppress(errors.Conflict):
                    await self._let_go(claim)
        for resource in (ENDPOINTS, ENDPOINT_SLICES):
            for obj in await self._api.list(resource, name):
                await unless_gone(self._api.delete(resource, obj["metadata"]["name"], name))
        # the syncer must not depend on a pod being gone before its namespace is
        for pod in await self._api.list(PODS, name):
            await unless_gone(self._api.delete(PODS, pod["metadata"]["name"], name, grace_period_seconds=0))

    async def publish(self) -> str:
        """Write down who stands behind a Service, whether there is one or not."""
        space, name = self._rng.choice(chaos_objects.SPACES), self._rng.choice(chaos_objects.NAMES)
        resource = self._rng.choice((ENDPOINTS, ENDPOINT_SLICES))
        make = chaos_objects.endpoints if resource is ENDPOINTS else chaos_objects.endpoint_slice
        return await self._put(resource, make(self._rng, space, name))

    async def unpublish(self) -> str:
        return await self._remove(self._rng.choice((ENDPOINTS, ENDPOINT_SLICES)), chaos_objects.PUBLISHED)

    async def deploy(self) -> str:
        """Create, scale or change a Deployment."""
        space, name = self._rng.choice(chaos_objects.SPACES), self._rng.choice(chaos_objects.NAMES)
        return await self._put(chaos_objects.DEPLOYMENTS, chaos_objects.deployment(self._rng, space, name))

    async def undeploy(self) -> str:
        return await self._remove(chaos_objects.DEPLOYMENTS, chaos_objects.CONTROLLED)

    async def _put(self, resource: Resource, obj: Obj) -> str:
        meta = obj["metadata"]
        await self._space(meta["namespace"])
        try:
            await self._api.create(resource, obj)
        except errors.AlreadyExists:
            await self._api.patch(resource, meta["name"], obj, meta["namespace"])
        return f"put {resource.plural} {meta['namespace']}/{meta['name']}"

    async def _remove(self, resource: Resource, mark: str) -> str:
        found = [
            one for one in await self._api.list(resource) if (one["metadata"].get("labels") or {}).get("chaos") == mark
        ]
        if not found:
            raise Skipped
        meta = self._rng.choice(found)["metadata"]
        await self._api.delete(resource, meta["name"], meta["namespace"], propagation_policy="Background")
        return f"delete {resource.plural} {meta['namespace']}/{meta['name']}"

    async def let_go(self) -> str:
        """Take the tenant's finalizer off all claims that are on their way out."""
        going = [
            one
            for one in await self._api.list(PERSISTENT_VOLUME_CLAIMS)
            if one["metadata"].get("deletionTimestamp") and chaos_objects.HOLD in one["metadata"].get("finalizers", ())
        ]
        if not going:
            raise Skipped
        for one in going:
            await self._let_go(one)
        return "let go of " + ", ".join(named(PERSISTENT_VOLUME_CLAIMS, one) for one in going)

    async def _let_go(self, claim: Obj) -> None:
        meta = claim["metadata"]
        kept = [one for one in meta.get("finalizers") or () if one != chaos_objects.HOLD]
        body = {"metadata": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"], "finalizers": kept}}
        await unless_gone(self._api.patch(PERSISTENT_VOLUME_CLAIMS, meta["name"], body, meta["namespace"]))

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
        return f"create {named(resource, created)}"

    async def _patch(self, resource: Resource, obj: Obj, path: chaos_ledger.Path, value: str | None) -> str:
        meta = obj["metadata"]
        await self._api.patch(resource, meta["name"], nested(path, value), meta["namespace"])
        key: Key = (meta["namespace"], meta["name"])
        self._table.ledger.wrote(resource, key, path, value or chaos_ledger.MISSING, host=False)
        return f"patch {named(resource, obj)} {'.'.join(path)} {value}"

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


async def unless_gone(work: Awaitable[object]) -> None:
    """What is gone already need not be deleted."""
    try:
        await work
    except errors.NotFound:
        return


def nested(path: chaos_ledger.Path, value: str | None) -> Obj:
    """The merge patch that sets one value."""
    body: Obj = {path[-1]: value}
    for part in reversed(path[:-1]):
        body = {part: body}
    return body


def named(resource: Resource, obj: Obj) -> str:
    """An object in the log."""
    meta = obj["metadata"]
    return f"{resource.plural} {meta.get('namespace')}/{meta['name']} {meta['uid'][:8]}"
