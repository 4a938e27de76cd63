"""Which host pod is behind a virtual one, asked of both API servers at the moment of the request.

No cache: a stream must not reach the successor of a pod, and a replica that does not sync has no caches. The host pod
is the tenant's only if all marks on it say so and name the virtual pod that exists now (spec §1.5).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Final

from nestling.kube import client, errors
from nestling.kube.resource import NODES, PODS, Obj
from nestling.kubelet import routes
from nestling.naming import labels, names, ownership
from nestling.naming.tenant import HostKey, Tenant, VirtualKey

_CONTAINERS: Final = ("containers", "initContainers", "ephemeralContainers")


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """A virtual pod and its host pod."""

    key: VirtualKey
    uid: str
    host_key: HostKey
    host_uid: str
    node: str
    #: Containers that both have: what was injected on the host is not for the tenant.
    containers: frozenset[str]
    #: Names of the claims that the pod mounts: host name → virtual name.
    claims: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Directory:
    """The pods of one tenant."""

    tenant: Tenant
    virtual: client.Client
    host: client.Client

    async def find(self, key: VirtualKey) -> Target:
        """The pod under a virtual key; raises ``Refused`` when there is none, or not yet one on the host."""
        try:
            virtual = await self.virtual.get(PODS, key.name, key.namespace)
            host = await self.host.get(PODS, names.host_name(key, self.tenant).name, self.tenant.namespace)
        except errors.NotFound as error:
            raise routes.Refused(404, f'pod "{key.name}" does not exist') from error
        found = target(self.tenant, key, virtual, host)
        if found is None:
            raise routes.Refused(404, f'pod "{key.name}" does not run')
        return found

    async def on_node(self, node: str) -> tuple[list[Target], list[Obj]]:
        """The tenant's pods on a node, and the virtual pods themselves; empty for a node that has none."""
        selector = f"spec.nodeName={node}"
        virtual = await self.virtual.list(PODS, field_selector=selector)
        if not virtual:
            return [], []
        host = await self.host.list(
            PODS,
            self.tenant.namespace,
            label_selector=f"{labels.MANAGED_BY}={self.tenant.name}",
            field_selector=selector,
        )
        return pair(self.tenant, virtual, host)

    async def nodes(self) -> list[Obj]:
        """The nodes of the virtual cluster."""
        return await self.virtual.list(NODES)


def target(tenant: Tenant, key: VirtualKey, virtual: Obj, host: Obj) -> Target | None:
    """The pair, if the host pod is this very virtual pod's."""
    meta = host["metadata"]
    marked = (meta.get("annotations") or {}).get(labels.OBJECT_UID)
    if not ownership.claims(meta, key, tenant, gvk=PODS.gvk) or marked != virtual["metadata"]["uid"]:
        return None
    return Target(
        key=key,
        uid=virtual["metadata"]["uid"],
        host_key=HostKey(meta["namespace"], meta["name"]),
        host_uid=meta["uid"],
        node=host["spec"].get("nodeName") or "",
        containers=_containers(virtual) & _containers(host),
        claims=_claims(tenant, key, virtual),
    )


def pair(tenant: Tenant, virtual: Iterable[Obj], host: Iterable[Obj]) -> tuple[list[Target], list[Obj]]:
    """The pods of two lists that belong together, and their virtual halves."""
    by_name: Mapping[str, Obj] = {one["metadata"]["name"]: one for one in host}
    targets, pods = [], []
    for one in virtual:
        key = VirtualKey(one["metadata"]["namespace"], one["metadata"]["name"])
        other = by_name.get(names.host_name(key, tenant).name)
        found = target(tenant, key, one, other) if other is not None else None
        if found is not None:
            targets.append(found)
            pods.append(one)
    return targets, pods


def _claims(tenant: Tenant, key: VirtualKey, virtual: Obj) -> Mapping[str, str]:
    """The claims in a pod's volumes; one that the pod brought itself is called after it and the volume."""
    found = {}
    for volume in virtual["spec"].get("volumes") or ():
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if volume.get("ephemeral"):
            claim = f"{key.name}-{volume['name']}"
        if claim:
            found[names.host_name(VirtualKey(key.namespace, claim), tenant).name] = claim
    return found


def _containers(pod: Obj) -> frozenset[str]:
    return frozenset(one["name"] for kind in _CONTAINERS for one in pod["spec"].get(kind) or ())
