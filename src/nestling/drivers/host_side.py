"""The host's objects of a virtual cluster: applied at its creation, and all found again at its deletion.

Deletion asks the host, not our memory: everything that carries the marks of spec §1 goes, whoever created it and
however far that got.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from nestling.controlplane import host_objects
from nestling.drivers import base, errors
from nestling.kube import client as kube_client
from nestling.kube import discovery, requests
from nestling.kube import errors as kube_errors
from nestling.kube import resource as resources
from nestling.kube.resource import Obj, Resource
from nestling.naming import labels, names
from nestling.naming.tenant import Tenant

FIELD_MANAGER: Final = "vcluster-nestling"
CREATED_ANNOTATION: Final = "vcluster.loft.sh/created"
SERVICE_LABEL: Final = "vcluster.loft.sh/service"
#: The label ``app`` of what the chart installs: the control plane, and an etcd of its own.
CHART_APPS: Final = frozenset({"vcluster", "vcluster-etcd"})

_BY_KIND: Final = {
    found.kind: found
    for found in (
        resources.SERVICES,
        resources.SECRETS,
        resources.SERVICE_ACCOUNTS,
        resources.ROLES,
        resources.ROLE_BINDINGS,
        resources.CLUSTER_ROLES,
        resources.CLUSTER_ROLE_BINDINGS,
        resources.ENDPOINT_SLICES,
        Resource("", "v1", "resourcequotas", "ResourceQuota"),
        Resource("", "v1", "limitranges", "LimitRange"),
        Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
    )
}


@dataclasses.dataclass(frozen=True, slots=True)
class HostSide:
    """One virtual cluster's part of the host."""

    client: kube_client.Client
    tenant: Tenant
    exports: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    """Kubeconfig Secrets in other namespaces: namespace to names."""

    async def claim_namespace(self, *, create: bool) -> bool:
        """Make sure that the namespace exists and is nobody else's; tells whether it was created now."""
        try:
            found = await self.client.get(resources.NAMESPACES, self.tenant.namespace)
        except kube_errors.Forbidden:
            # Who works in one namespace may not look at namespaces; then it is there.
            await self._refuse_second()
            return False
        except kube_errors.NotFound:
            if not create:
                raise errors.UserError(
                    f'the namespace "{self.tenant.namespace}" does not exist on the host; create it, or leave out '
                    f"--create-namespace=false"
                ) from None
            await self._create_namespace()
            return True
        if found["metadata"].get("deletionTimestamp"):
            raise errors.UserError(
                f'the namespace "{self.tenant.namespace}" is being deleted on the host; repeat the command when it is '
                f"gone"
            )
        await self._refuse_second()
        return False

    async def _create_namespace(self) -> None:
        body: Obj = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": self.tenant.namespace, "annotations": {CREATED_ANNOTATION: "true"}},
        }
        await self.client.create(resources.NAMESPACES, body)

    async def _refuse_second(self) -> None:
        """One virtual cluster in a namespace: the names of two would collide (spec §1.1)."""
        services = await self.client.list(
            resources.SERVICES, self.tenant.namespace, label_selector=f"{SERVICE_LABEL}=true,app=vcluster"
        )
        others = [found["metadata"]["name"] for found in services if found["metadata"]["name"] != self.tenant.name]
        if others:
            raise errors.UserError(
                f'the namespace "{self.tenant.namespace}" holds the virtual cluster "{others[0]}" already, and each '
                f"needs "
                f"a namespace of its own; choose another one with -n NAMESPACE"
            )

    async def apply(self, wanted: Iterable[Obj]) -> None:
        """Create or update objects, concurrently: none needs another one to exist."""
        async with asyncio.TaskGroup() as group:
            for body in wanted:
                group.create_task(self._apply(body), name=f"apply {body['kind']}")

    async def _apply(self, body: Obj) -> None:
        found = _BY_KIND[body["kind"]]
        await self.client.patch(
            found,
            body["metadata"]["name"],
            body,
            body["metadata"].get("namespace"),
            patch_type=requests.PatchType.APPLY,
            field_manager=FIELD_MANAGER,
            force=True,
        )

    async def delete(self, request: base.DeleteRequest, *, namespace_created: bool) -> bool:
        """Ask for the deletion of everything; tells whether the whole namespace goes."""
        namespace = await self.namespace()
        whole = self.goes_whole(request, namespace, namespace_created=namespace_created)
        if whole and namespace is not None:
            await self._delete(resources.NAMESPACES, namespace)
        remains = await self.remains(request, whole=whole)
        async with asyncio.TaskGroup() as group:
            for found, body in remains:
                group.create_task(self._delete(found, body), name=f"delete {found.plural}")
        return whole

    def goes_whole(self, request: base.DeleteRequest, namespace: Obj | None, *, namespace_created: bool) -> bool:
        """Does the namespace go, with everything in it?"""
        notes = (namespace["metadata"].get("annotations") or {}) if namespace is not None else {}
        created = namespace_created or notes.get(CREATED_ANNOTATION) == "true"
        return not request.keep_pvc and (request.delete_namespace or (created and request.auto_delete_namespace))

    async def delete_workloads(self, *plurals: Resource, seconds: float) -> None:
        """Delete pods, or what else is named, and wait until they are gone or the time is over.

        Done before the namespace goes: the namespace controller looks again only after half of the pods' grace period.
        """
        deadline = time.monotonic() + seconds
        while True:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._workloads(found), name=f"list {found.plural}") for found in plurals]
            left = [pair for task in tasks for pair in task.result()]
            if not left or time.monotonic() > deadline:
                return
            async with asyncio.TaskGroup() as group:
                for found, body in left:
                    group.create_task(self._delete(found, body), name=f"delete {found.plural}")
            await asyncio.sleep(0.1)

    async def _workloads(self, found: Resource) -> list[tuple[Resource, Obj]]:
        selector = f"{labels.MANAGED_BY}={self.tenant.name}"
        return [(found, body) for body in await self.client.list(found, self.tenant.namespace, label_selector=selector)]

    async def wait_gone(self, request: base.DeleteRequest, *, whole: bool, seconds: float) -> list[str]:
        """Wait until everything is gone; returns what is left, in words."""
        deadline = time.monotonic() + seconds
        pause = 0.05
        while True:
            left = await self._left(request, whole=whole)
            if not left or time.monotonic() > deadline:
                return left
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.5)

    async def _left(self, request: base.DeleteRequest, *, whole: bool) -> list[str]:
        namespace = await self.namespace() if whole else None
        if namespace is not None:
            return [_why_namespace_stays(namespace)]
        return [_in_words(found, body) for found, body in await self.remains(request, whole=whole)]

    async def remains(self, request: base.DeleteRequest, *, whole: bool = False) -> list[tuple[Resource, Obj]]:
        """Every object on the host that belongs to this virtual cluster; with ``whole`` those outside its namespace."""
        served = await discovery.resources(self.client)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._own(found), name=f"list {found.plural}")
                for found in served
                if not (whole and found.namespaced)
            ]
            tasks.append(group.create_task(self._foreign(), name="list other namespaces"))
        pairs = [pair for task in tasks for pair in task.result()]
        return [(found, body) for found, body in pairs if not is_kept(found, body, request, self.tenant)]

    async def _own(self, found: Resource) -> list[tuple[Resource, Obj]]:
        """What of one resource belongs to this virtual cluster, in its namespace or cluster-wide."""
        try:
            if found.namespaced:
                bodies = await self.client.list(found, self.tenant.namespace)
            else:
                bodies = await self.client.list(found, label_selector=cluster_selector(self.tenant))
                bodies = [body for body in bodies if is_tenants(body, self.tenant)]
                if found in (resources.CLUSTER_ROLES, resources.CLUSTER_ROLE_BINDINGS):
                    bodies += await self._charts(found)
        except (kube_errors.NotFound, kube_errors.MethodNotAllowed, kube_errors.Forbidden):
            # A resource that went between discovery and listing holds nothing; what we may not list, we did not make.
            return []
        if found.namespaced:
            bodies = [body for body in bodies if belongs(body, self.tenant)]
        return [(found, body) for body in bodies]

    async def _charts(self, found: Resource) -> list[Obj]:
        """Objects of the chart outside the namespace: named after the namespace, so that no other tenant's match."""
        try:
            bodies = await self.client.list(found, label_selector=f"app=vcluster,release={self.tenant.name}")
        except kube_errors.Forbidden:
            return []
        name = host_objects.cluster_role_name(self.tenant)
        return [body for body in bodies if body["metadata"]["name"] == name]

    async def _foreign(self) -> list[tuple[Resource, Obj]]:
        """Roles and kubeconfig Secrets in other namespaces."""
        pairs: list[tuple[Resource, Obj]] = []
        for found in (resources.ROLES, resources.ROLE_BINDINGS):
            pairs += [
                (found, body)
                for body in await self._charts(found)
                if body["metadata"]["namespace"] != self.tenant.namespace
            ]
        for namespace, wanted in self.exports.items():
            secrets = await self.client.list(
                resources.SECRETS, namespace, label_selector=f"app=vcluster,vcluster-name={self.tenant.name}"
            )
            pairs += [(resources.SECRETS, body) for body in secrets if body["metadata"]["name"] in wanted]
        return pairs

    async def namespace(self) -> Obj | None:
        """Its namespace on the host, None when there is none, or when the user may not look."""
        try:
            return await self.client.get(resources.NAMESPACES, self.tenant.namespace)
        except (kube_errors.NotFound, kube_errors.Forbidden):
            return None

    async def _delete(self, found: Resource, body: Obj) -> None:
        meta: Mapping[str, str] = body["metadata"]
        if meta.get("deletionTimestamp"):
            return
        try:
            await self.client.delete(found, meta["name"], meta.get("namespace"), uid=meta["uid"])
        except (kube_errors.NotFound, kube_errors.Conflict):
            # Gone, or another object of that name by now: the next look decides.
            return


def _why_namespace_stays(namespace: Obj) -> str:
    conditions = (namespace.get("status") or {}).get("conditions") or []
    reasons = [condition["message"] for condition in conditions if condition.get("status") == "True"]
    why = f": {'; '.join(reasons)}" if reasons else ""
    return f"Namespace {namespace['metadata']['name']}{why}"


def belongs(body: Obj, tenant: Tenant) -> bool:
    """Whether an object of the namespace belongs to the virtual cluster. Pure.

    Synced objects carry managed-by; the chart's its release; Secrets of the control plane vcluster-name; node services
    belongs-to; and everything that Service NAME owns goes with it.
    """
    meta = body["metadata"]
    found = meta.get("labels") or {}
    name = tenant.name
    return (
        name in (found.get(labels.MANAGED_BY), found.get("vcluster.loft.sh/belongs-to"))
        or (found.get("app") in CHART_APPS and name in (found.get("release"), found.get("vcluster-name")))
        or ("Service", name) in _owners(body)
    )


def is_kept(found: Resource, body: Obj, request: base.DeleteRequest, tenant: Tenant) -> bool:
    """Whether it is a claim that stays at the user's wish. Pure.

    What belongs to Service NAME, as a tenant's claims do, or to the StatefulSet of a control plane whose claims are not
    to outlive it, is taken by the host's collector anyway: then it goes at once, and the command waits for it.
    """
    if not request.keep_pvc or found.plural != resources.PERSISTENT_VOLUME_CLAIMS.plural:
        return False
    takers = {("Service", tenant.name), ("StatefulSet", tenant.name), ("StatefulSet", f"{tenant.name}-etcd")}
    return not takers & set(_owners(body))


def _owners(body: Obj) -> list[tuple[str, str]]:
    """Kinds and names of the owners, of the groups that have these kinds."""
    return [
        (owner.get("kind", ""), owner.get("name", ""))
        for owner in body["metadata"].get("ownerReferences") or []
        if owner.get("apiVersion") in ("v1", "apps/v1")
    ]


def cluster_selector(tenant: Tenant) -> str:
    """What cluster-scoped objects of a virtual cluster carry (spec §1.2)."""
    return f"{labels.MANAGED_BY}={names.safe(tenant.namespace, 'x', tenant.name)}"


def is_tenants(body: Obj, tenant: Tenant) -> bool:
    """Whether a cluster-scoped object that the selector found is this virtual cluster's. Pure.

    The selector is ambiguous, ``b-x-c`` in ``a`` and ``c`` in ``a-x-b`` share it; the annotation is not.
    """
    mark = labels.tenant_mark(tenant)
    return bool((body["metadata"].get("annotations") or {}).get(labels.OBJECT_TENANT, mark) == mark)


def _in_words(found: Resource, body: Obj) -> str:
    namespace = body["metadata"].get("namespace")
    return (
        f"{found.kind} {namespace}/{body['metadata']['name']}"
        if namespace
        else f"{found.kind} {body['metadata']['name']}"
    )
