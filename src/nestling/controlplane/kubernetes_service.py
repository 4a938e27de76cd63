"""Service ``default/kubernetes`` of the virtual cluster and where it leads (spec §2.3).

Its ClusterIP is that of the host Service NAME, so that in-cluster clients reach the virtual API server. The API
server makes the service with the first address of the range, and an address cannot be changed: it is deleted and
created. Its endpoints are ours alone, because the API server's own reconciler is off.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from nestling.controlplane import loops, settings
from nestling.kube import client as client_module
from nestling.kube import cluster_ips, errors
from nestling.kube.resource import ENDPOINT_SLICES, ENDPOINTS, SERVICES, Obj, Resource

NAMESPACE: Final = "default"
NAME: Final = "kubernetes"
SKIP_MIRROR: Final = "endpointslice.kubernetes.io/skip-mirror"

_LABELS: Final = {"component": "apiserver", "provider": "kubernetes"}
_COPIED: Final = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


def service(host_service: Obj) -> Obj:
    """The wanted Service: addresses, families and ports of the host Service NAME, without port ``kubelet``."""
    host = host_service["spec"]
    ports = [
        {key: value for key, value in port.items() if key != "nodePort"}
        for port in host.get("ports") or []
        if port.get("name") != "kubelet"
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": dict(_LABELS)},
        "spec": {
            **{key: host[key] for key in _COPIED if host.get(key)},
            "type": "ClusterIP",
            "sessionAffinity": "None",
            # with one, a controller would write the endpoints of the tenant's pods over ours
            "selector": None,
            "ports": ports,
        },
    }


def endpoints(address: str, port: int) -> Obj:
    """The wanted Endpoints; not mirrored into a slice, because there is :func:`endpoint_slice`."""
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": {SKIP_MIRROR: "true"}},
        "subsets": [{"addresses": [{"ip": address}], "ports": [_port(port)]}],
    }


def endpoint_slice(address: str, port: int) -> Obj:
    """The wanted EndpointSlice."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "labels": {"kubernetes.io/service-name": NAME, SKIP_MIRROR: "true"},
        },
        "addressType": "IPv6" if ":" in address else "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [_port(port)],
    }


def must_recreate(existing: Obj, wanted: Obj) -> bool:
    """Do the immutable addresses differ? A second one may come and go, but not change."""
    return not cluster_ips.begin_alike(*(cluster_ips.addresses(one["spec"]) for one in (existing, wanted)))


def differs(existing: Obj, wanted: Obj) -> bool:
    """Does any field that we set have another value? Fields that the API server adds do not count."""
    return not _covers(wanted, existing)


@dataclasses.dataclass(frozen=True, slots=True)
class KubernetesService:
    """The duty: service, endpoints and slice of ``default/kubernetes``."""

    settings: settings.SyncerSettings
    host: client_module.Client
    virtual: client_module.Client
    address: str

    async def reconcile(self) -> None:
        """Bring all three in order; raises ``NotYetError`` while the host Service has no address."""
        host_service = await self.host.get(SERVICES, self.settings.name, self.settings.namespace)
        if host_service["spec"].get("clusterIP") in {None, "", "None"}:
            raise loops.NotYetError(f"host Service {self.settings.name} has no ClusterIP")
        wanted = service(host_service)
        try:
            await self._service(wanted)
        except errors.Invalid:
            spec = wanted["spec"]
            if len(cluster_ips.addresses(spec)) < 2:
                raise
            # the virtual cluster has no second family, or that address is a tenant's: one is enough to be reached
            await self._service({**wanted, "spec": {**spec, **cluster_ips.first_only(spec)}})
        await self._apply(ENDPOINTS, endpoints(self.address, self.settings.port))
        await self._apply(ENDPOINT_SLICES, endpoint_slice(self.address, self.settings.port))

    async def _service(self, wanted: Obj) -> None:
        existing = await self._get(SERVICES)
        if existing is not None and must_recreate(existing, wanted):
            await self.virtual.delete(SERVICES, NAME, NAMESPACE, uid=existing["metadata"]["uid"])
            # At once, before the API server makes it again by itself; if it was faster, the next try finds that one.
            await self._create(SERVICES, wanted)
        else:
            await self._write(SERVICES, existing, wanted)

    async def _apply(self, resource: Resource, wanted: Obj) -> None:
        await self._write(resource, await self._get(resource), wanted)

    async def _write(self, resource: Resource, existing: Obj | None, wanted: Obj) -> None:
        if existing is None:
            await self._create(resource, wanted)
        elif resource is ENDPOINT_SLICES and existing["addressType"] != wanted["addressType"]:
            await self.virtual.delete(resource, NAME, NAMESPACE, uid=existing["metadata"]["uid"])
            await self._create(resource, wanted)
        elif differs(existing, wanted):
            version = existing["metadata"]["resourceVersion"]
            patch = {**wanted, "metadata": {**wanted["metadata"], "resourceVersion": version}}
            await self.virtual.patch(resource, NAME, patch, NAMESPACE)

    async def _create(self, resource: Resource, wanted: Obj) -> None:
        try:
            await self.virtual.create(resource, wanted, NAMESPACE)
        except errors.AlreadyExists as error:
            raise loops.NotYetError(f"somebody else made {NAMESPACE}/{NAME} first") from error

    async def _get(self, resource: Resource) -> Obj | None:
        try:
            return await self.virtual.get(resource, NAME, NAMESPACE)
        except errors.NotFound:
            return None


def _port(port: int) -> Obj:
    return {"name": "https", "port": port, "protocol": "TCP"}


def _covers(wanted: object, existing: object) -> bool:
    """Is everything in ``wanted`` also in ``existing``? Lists are compared item by item; None is a field not to be."""
    if isinstance(wanted, dict) and isinstance(existing, dict):
        return all(_covers(value, existing.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(existing, list):
        return len(wanted) == len(existing) and all(map(_covers, wanted, existing))
    return wanted == existing
