"""``metrics.k8s.io`` in the virtual cluster: the objects by which its API server finds the kubelet façade (spec §3.4).

The API server asks itself who may, and passes the request on to the façade beside it. Without the integration the
objects of an earlier configuration are removed, and a metrics-server that somebody installed is left alone.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
from pathlib import Path
from typing import Final

from nestling.config import model
from nestling.controlplane import pki
from nestling.kube import client as client_module
from nestling.kube import errors, requests
from nestling.kube.resource import SERVICES, Obj, Resource
from nestling.naming import labels

NAMESPACE: Final = "kube-system"
NAME: Final = "metrics-server"
#: The name that the API server expects in the certificate of whoever answers.
SERVER_NAME: Final = f"{NAME}.{NAMESPACE}.svc"
API_SERVICES: Final = Resource("apiregistration.k8s.io", "v1", "apiservices", "APIService", namespaced=False)
API_SERVICE: Final = "v1beta1.metrics.k8s.io"
_FIELD_MANAGER: Final = "vcluster-metrics"
_OWN: Final = {"app.kubernetes.io/managed-by": "vcluster-metrics"}
_PRIORITY: Final = 100


def offered(config: model.VClusterConfig) -> frozenset[str]:
    """The resources of the group that are offered; none while the integration is off."""
    wanted = config.integrations.metrics_server
    kinds = {"pods": wanted.pods, "nodes": wanted.nodes}
    return frozenset(name for name, on in kinds.items() if on and wanted.enabled)


def service() -> Obj:
    """The Service that leads back to the machine of the API server. It is not for the host."""
    return {
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "labels": _OWN,
            "annotations": {labels.CONTROLLED_BY: _FIELD_MANAGER},
        },
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }


def api_service(authority: bytes, port: int) -> Obj:
    """The registration of the group."""
    return {
        "metadata": {"name": API_SERVICE, "labels": _OWN},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": _PRIORITY,
            "versionPriority": _PRIORITY,
            "service": {"name": NAME, "namespace": NAMESPACE, "port": port},
            "caBundle": base64.b64encode(authority).decode("ascii"),
        },
    }


@dataclasses.dataclass(frozen=True, slots=True)
class MetricsService:
    """The duty: the objects are there, or ours are gone."""

    config: model.VClusterConfig
    virtual: client_module.Client
    pki_dir: Path
    port: int

    async def reconcile(self) -> None:
        """Apply or remove; an unchanged object is not written."""
        if not offered(self.config):
            await self._remove(API_SERVICES, API_SERVICE, None)
            await self._remove(SERVICES, NAME, NAMESPACE)
            return
        authority = (self.pki_dir / f"{pki.KUBELET_CLIENT_CA}.crt").read_bytes()
        await self._apply(SERVICES, service())
        await self._apply(API_SERVICES, api_service(authority, self.port))

    async def _apply(self, resource: Resource, obj: Obj) -> None:
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        meta = obj["metadata"]
        await self.virtual.patch(
            resource,
            meta["name"],
            body,
            meta.get("namespace"),
            patch_type=requests.PatchType.APPLY,
            field_manager=_FIELD_MANAGER,
            force=True,
        )

    async def _remove(self, resource: Resource, name: str, namespace: str | None) -> None:
        with contextlib.suppress(errors.NotFound):
            meta = (await self.virtual.get(resource, name, namespace))["metadata"]
            if (meta.get("labels") or {}).items() >= _OWN.items():
                await self.virtual.delete(resource, name, namespace, uid=meta["uid"])
