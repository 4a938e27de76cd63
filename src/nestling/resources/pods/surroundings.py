"""Fills a ``PodContext`` from configuration and caches: the one place where pods read what is around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from nestling.kube.resource import (
    CONFIG_MAPS,
    NAMESPACES,
    NODES,
    PODS,
    PRIORITY_CLASSES,
    RUNTIME_CLASSES,
    SECRETS,
    SERVICES,
    Obj,
    Resource,
)
from nestling.naming import names, ownership
from nestling.naming.tenant import VirtualKey
from nestling.resources.pods import hostpaths, options
from nestling.resources.pods.context import PodContext
from nestling.syncer import mirror
from nestling.syncer.context import SyncContext

DNS: Final = VirtualKey("kube-system", "kube-dns")
#: The first minor version whose API server resizes pods through a subresource.
_RESIZE_SINCE: Final = 33


def lacks_name_server(ctx: SyncContext) -> bool:
    """Whether nobody makes the DNS Service of the virtual cluster: it is switched off, and the tenant has none."""
    return not ctx.config.control_plane.coredns.enabled and ctx.virtual.meta(SERVICES, DNS) is None


def around(ctx: SyncContext, pod: Obj, *, for_containers: bool) -> PodContext:
    """What the translation of this pod needs to know.

    ``for_containers`` also reads what becomes environment variables: needed to create containers, not to follow a
    status.
    """
    namespace: str = pod["metadata"]["namespace"]
    from_host = ctx.config.sync.from_host
    owner = ctx.owner_uid if ctx.config.experimental.sync_settings.set_owner else None
    namespace_meta = ctx.virtual.meta(NAMESPACES, VirtualKey("", namespace))
    return PodContext(
        tenant=ctx.tenant,
        options=ctx.memo.get("pod options", None, lambda: options.from_config(ctx.config, ctx.tenant)),
        kubernetes_service_ip=ctx.front_ip,
        dns_ip=ctx.host_service_ip(DNS),
        host_minor=ctx.host.minor,
        virtual_minor=ctx.virtual.minor,
        cluster_domain=ctx.cluster_domain,
        services=_services(ctx, namespace) if for_containers else (),
        namespace_labels=(namespace_meta.labels or {}) if namespace_meta else {},
        owner_uid=owner,
        resize=ctx.host.minor >= _RESIZE_SINCE,
        offered_priority_classes=mirror.offered(ctx, PRIORITY_CLASSES, from_host.priority_classes.selector),
        offered_runtime_classes=mirror.offered(ctx, RUNTIME_CLASSES, from_host.runtime_classes.selector),
        known_nodes=_known_nodes(ctx) if from_host.nodes.enabled and from_host.nodes.selector.labels else None,
        env_from_keys=_env_from_keys(ctx, pod) if for_containers else {},
        host_uids=_host_uids(ctx, hostpaths.pod_uids(pod["spec"])) if for_containers else {},
    )


def _known_nodes(ctx: SyncContext) -> frozenset[str]:
    return frozenset(name for _, name in ctx.virtual.stores[NODES].keys())  # noqa: SIM118 - a store is no dict


def _services(ctx: SyncContext, namespace: str) -> Sequence[Obj]:
    store = ctx.virtual.stores[SERVICES]
    keys = sorted(store.keys(namespace))
    versions = tuple(store.version(key) for key in keys)

    def read() -> Sequence[Obj]:
        found = (store.get(key) for key in keys)
        return tuple(service for service in found if service is not None)

    return ctx.memo.get(("services", namespace), (tuple(keys), versions), read)


def _host_uids(ctx: SyncContext, wanted: frozenset[str]) -> Mapping[str, str]:
    """The UIDs on the host of virtual pods with these UIDs.

    Few pods name one, so that no index is kept. A host pod that is not certainly ours tells nothing.
    """
    found: dict[str, str] = {}
    for key in ctx.virtual.stores[PODS].keys() if wanted else ():
        virtual = ctx.virtual.meta(PODS, VirtualKey(*key))
        if virtual is None or virtual.uid not in wanted:
            continue
        name = VirtualKey(*key)
        host = ctx.host.meta(PODS, names.host_name(name, ctx.tenant))
        if host is not None and ownership.claims(host, name, ctx.tenant, gvk=PODS.gvk):
            found[virtual.uid] = host.uid
    return found


def _env_from_keys(ctx: SyncContext, pod: Obj) -> Mapping[tuple[str, str], frozenset[str]]:
    found: dict[tuple[str, str], frozenset[str]] = {}
    spec: Obj = pod["spec"]
    containers = [
        one for kind in ("initContainers", "containers", "ephemeralContainers") for one in spec.get(kind) or ()
    ]
    for source in (source for one in containers for source in one.get("envFrom") or ()):
        for field, resource in (("configMapRef", CONFIG_MAPS), ("secretRef", SECRETS)):
            name = (source.get(field) or {}).get("name")
            if name:
                found[(resource.plural, name)] = _keys(ctx, resource, VirtualKey(pod["metadata"]["namespace"], name))
    return found


def _keys(ctx: SyncContext, resource: Resource, key: VirtualKey) -> frozenset[str]:
    if resource not in ctx.virtual.stores:
        return frozenset()
    obj = ctx.virtual.get(resource, key)
    return frozenset((obj or {}).get("data") or ())
