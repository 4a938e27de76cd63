"""``metrics.k8s.io`` of a virtual cluster: asked by its API server, answered from the host's metrics API (spec §3.4).

The virtual API server has decided already whether its user may ask, as it does for all its paths. What is visible is
decided here and now: a pod by the marks of its host pod, a node by the host Service that the syncer made for it. Names
that a tenant writes choose among these and reach nothing else.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from nestling.kube import client, errors, paging, requests
from nestling.kube.resource import NODES, PODS, SERVICES, Obj, Resource
from nestling.kubelet import metrics_view, routes, wire
from nestling.naming import labels, names, ownership, selectors
from nestling.naming.tenant import Tenant, VirtualKey

_LOG: Final = logging.getLogger(__name__)
#: Where the group is, and where it is in discovery.
PREFIX: Final = f"/apis/{metrics_view.GROUP}"
_ROOT: Final = f"{PREFIX}/{metrics_view.VERSION}"
POD_METRICS: Final = Resource(metrics_view.GROUP, metrics_view.VERSION, "pods", "PodMetrics")
NODE_METRICS: Final = Resource(metrics_view.GROUP, metrics_view.VERSION, "nodes", "NodeMetrics", namespaced=False)
_OK: Final = 200
_MISSING: Final = "the host cluster serves no metrics.k8s.io now; is metrics-server installed there?"
_FORBIDDEN: Final = (
    "the host cluster does not show its metrics to this control plane: it needs get and list of pods (in its "
    "namespace) and of nodes of metrics.k8s.io"
)
_DENIED: Final = 403
_UNAVAILABLE: Final = 503


class _Meta(msgspec.Struct, gc=False):
    name: str
    namespace: str = ""
    uid: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None

    def shown(self) -> dict[str, Any]:
        """What of it the measurement carries."""
        own: dict[str, Any] = {"name": self.name}
        if self.namespace:
            own["namespace"] = self.namespace
        return {**own, "labels": self.labels} if self.labels else own


class _Object(msgspec.Struct, gc=False):
    metadata: _Meta


class _Container(msgspec.Struct, gc=False):
    name: str


class _Spec(msgspec.Struct, gc=False, rename="camel"):
    containers: list[_Container] = []
    init_containers: list[_Container] = []
    ephemeral_containers: list[_Container] = []

    @property
    def names(self) -> set[str]:
        """Of all containers."""
        return {one.name for one in (*self.containers, *self.init_containers, *self.ephemeral_containers)}


class _Pod(msgspec.Struct, gc=False):
    metadata: _Meta
    spec: _Spec

    @property
    def key(self) -> VirtualKey:
        return VirtualKey(self.metadata.namespace, self.metadata.name)


_T = TypeVar("_T", _Object, _Pod)


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What a path asks for; without a resource, which ones there are. An empty namespace means all."""

    resource: str = ""
    namespace: str = ""
    name: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class MetricsApi:
    """The measurements of one tenant."""

    tenant: Tenant
    virtual: client.Client
    host: client.Client
    #: ``pods``, ``nodes`` or both.
    offered: frozenset[str]
    #: Labels of the host nodes that are shown beside those with a pod of the tenant; None shows no others.
    node_selector: Mapping[str, str] | None = None

    async def answer(self, request: wire.Request) -> tuple[int, bytes]:
        """The status and the JSON document for a request of the virtual API server."""
        try:
            code, document = _OK, await self._document(request)
        except routes.Refused as refused:
            code, document = refused.status, metrics_view.status(refused.status, str(refused))
        except (errors.ApiError, errors.ConnectionFailed) as error:
            _LOG.warning("metrics of the host are not to be had", extra={"error": str(error)})
            code = _DENIED if isinstance(error, errors.Forbidden) else _UNAVAILABLE
            document = metrics_view.status(code, _FORBIDDEN if code == _DENIED else _MISSING)
        return code, msgspec.json.encode(document)

    async def _document(self, request: wire.Request) -> Obj:
        asked = parse(request.path)
        if not asked.resource:
            whole = request.path.rstrip("/") == PREFIX
            return metrics_view.group() if whole else metrics_view.resources(self.offered)
        if asked.resource not in self.offered:
            raise routes.Refused(404, "the server could not find the requested resource")
        query = dict(request.query)
        if query.get("watch", "") not in ("", "0", "false"):
            raise routes.Refused(405, "measurements cannot be watched")
        items = await (self._pods(asked, query) if asked.resource == "pods" else self._nodes(asked, query))
        if asked.name and not items:
            raise routes.Refused(404, f'{asked.resource}.metrics.k8s.io "{asked.name}" not found')
        if metrics_view.wants_table(request.head.value("Accept")):
            return metrics_view.table(items)
        return items[0] if asked.name else metrics_view.collection(asked.resource, items)

    async def _pods(self, asked: Asked, query: Mapping[str, str]) -> list[Obj]:
        virtual = await self._virtual_pods(asked, query)
        if not virtual:
            return []
        if asked.name:
            host, measured = await self._one_pod(virtual[0].key)
        else:
            chosen = selectors.narrowing(query.get("labelSelector", ""), asked.namespace, self.tenant)
            wanted = paging.Query(PODS, self.tenant.namespace, chosen)
            host = await _read(self.host, wanted, _Object)
            measured = await self.host.list(POD_METRICS, self.tenant.namespace, label_selector=chosen)
        return join(self.tenant, virtual, (one.metadata for one in host), measured)

    async def _virtual_pods(self, asked: Asked, query: Mapping[str, str]) -> list[_Pod]:
        if not asked.name:
            return await self._chosen(PODS, asked, query, kind=_Pod)
        with contextlib.suppress(errors.NotFound):
            body = await self.virtual.send(requests.get(PODS, asked.name, asked.namespace))
            return [msgspec.json.decode(body, type=_Pod)]
        return []

    async def _one_pod(self, key: VirtualKey) -> tuple[list[_Object], list[Obj]]:
        host_key = names.host_name(key, self.tenant)
        with contextlib.suppress(errors.NotFound):
            body = await self.host.send(requests.get(PODS, host_key.name, host_key.namespace))
            measured = await self.host.get(POD_METRICS, host_key.name, host_key.namespace)
            return [msgspec.json.decode(body, type=_Object)], [measured]
        return [], []

    async def _nodes(self, asked: Asked, query: Mapping[str, str]) -> list[Obj]:
        found = await self._chosen(NODES, asked, query, kind=_Object)
        chosen = {one.metadata.name: one.metadata for one in found if asked.name in ("", one.metadata.name)}
        visible = chosen.keys() & await self.visible() if chosen else set()
        if not visible:
            return []
        measured = await self.host.list(NODE_METRICS)
        by_name = {one["metadata"]["name"]: one for one in measured}
        shown = sorted(visible & by_name.keys())
        return [metrics_view.node(by_name[name], chosen[name].shown()) for name in shown]

    async def _chosen(self, resource: Resource, asked: Asked, query: Mapping[str, str], *, kind: type[_T]) -> list[_T]:
        """The virtual objects that a request selects, by the virtual API server's own understanding of selectors."""
        by_label, by_field = query.get("labelSelector") or None, query.get("fieldSelector") or None
        try:
            return await _read(self.virtual, paging.Query(resource, asked.namespace or None, by_label, by_field), kind)
        except errors.BadRequest as error:
            raise routes.Refused(400, error.message) from error

    async def visible(self) -> set[str]:
        """The host nodes that the tenant sees. A Node that it wrote itself is not among them by its name alone."""
        query = paging.Query(SERVICES, self.tenant.namespace, f"{labels.BELONGS_TO}={self.tenant.name},{labels.NODE}")
        found = {(one.metadata.labels or {})[labels.NODE] for one in await _read(self.host, query, _Object)}
        if self.node_selector is not None:
            chosen = ",".join(f"{key}={value}" for key, value in sorted(self.node_selector.items()))
            more = await _read(self.host, paging.Query(NODES, None, chosen or None), _Object)
            found |= {one.metadata.name for one in more}
        return found


def parse(path: str) -> Asked:
    """What a path asks for; raises ``Refused``."""
    if path.rstrip("/") in (PREFIX, _ROOT):
        return Asked()
    parts = path.removeprefix(f"{_ROOT}/").split("/")
    if not path.startswith(f"{_ROOT}/") or not all(routes.is_name(part) for part in parts):
        raise routes.Refused(404, "the server could not find the requested resource")
    match parts:
        case ["nodes" | "pods" as resource]:
            return Asked(resource)
        case ["nodes", name]:
            return Asked("nodes", name=name)
        case ["namespaces", namespace, "pods"]:
            return Asked("pods", namespace)
        case ["namespaces", namespace, "pods", name]:
            return Asked("pods", namespace, name)
        case _:
            raise routes.Refused(404, "the server could not find the requested resource")


def join(tenant: Tenant, virtual: Iterable[_Pod], host: Iterable[_Meta], measured: Iterable[Obj]) -> list[Obj]:
    """The measurements of virtual pods. The marks of the host pod say whose it is, as for a stream."""
    metas = {one.name: one for one in host}
    by_name: Mapping[str, Obj] = {one["metadata"]["name"]: one for one in measured}
    found = []
    for pod in virtual:
        name = names.host_name(pod.key, tenant).name
        meta, measurement = metas.get(name), by_name.get(name)
        if meta is None or measurement is None or not _is_behind(tenant, pod, meta):
            continue
        found.append(metrics_view.pod(measurement, pod.metadata.shown(), pod.spec.names))
    return found


def _is_behind(tenant: Tenant, pod: _Pod, host: _Meta) -> bool:
    marked = (host.annotations or {}).get(labels.OBJECT_UID)
    return marked == pod.metadata.uid and ownership.claims(host, pod.key, tenant, gvk=PODS.gvk)


async def _read(api: client.Client, query: paging.Query, kind: type[_T]) -> list[_T]:
    """A collection page by page, of each object only the fields that matter here."""
    found: list[_T] = []
    async with contextlib.aclosing(paging.pages(api, query)) as pages:
        async for page in pages:
            if page.first:
                found.clear()
            found += (msgspec.json.decode(item, type=kind) for item in page.items)
    return found
