"""The kubelet façade of a virtual control plane: its certificate, its listener, and what it is put together from."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from typing import Final

import prometheus_client

from nestling.config import model
from nestling.controlplane import components, etcd, kubelet_tls, metrics_service, pki, settings, store
from nestling.kube import client, dial, kubeconfig, requests
from nestling.kubelet import access, directory, facade, metrics_api, node, streams, tunnel
from nestling.naming import names
from nestling.naming.tenant import Tenant

LOOPBACK: Final = "127.0.0.1"


@contextlib.asynccontextmanager
async def serving(
    known: settings.SyncerSettings,
    config: model.VClusterConfig,
    virtual: client.Client,
    host: client.Client,
    registry: prometheus_client.CollectorRegistry,
) -> AsyncIterator[int]:
    """Listen for as long as the context lasts; gives the port."""
    tenant = Tenant(known.name, known.namespace)
    carrier = streams.Streams(
        pods=directory.Directory(tenant, virtual, host),
        dialer=dial.Dialer(host.config, buffer=tunnel.CHUNK),
        meter=tunnel.Meter(registry),
    )
    parts = facade.Parts(
        streams=carrier,
        authorities=kubelet_tls.authorities(known.pki_dir),
        reviewer=access.Reviewer(virtual),
        nodes=node.Nodes(tenant, carrier.pods, host),
        metrics_api=measurements(config, tenant, virtual, host),
        components=scrapes(config, known, registry),
    )
    # in a pod others scrape it, too; on a machine only the API server beside it is to reach it
    listen = LOOPBACK if known.local else None
    sans = (*pki.LOOPBACK_SANS, address(known), *_node_names(tenant), metrics_service.SERVER_NAME)
    tls = kubelet_tls.context(known.pki_dir, sans, lambda name: name in sans or name.endswith(names.NODES_DOMAIN))
    async with facade.Facade(parts).serving(listen, known.ports.kubelet, tls) as port:
        yield port


def measurements(
    config: model.VClusterConfig, tenant: Tenant, virtual: client.Client, host: client.Client
) -> metrics_api.MetricsApi | None:
    """The metrics API, when the configuration offers it."""
    offered = metrics_service.offered(config)
    if not offered:
        return None
    nodes = config.sync.from_host.nodes
    chosen = {} if nodes.selector.all else nodes.selector.labels
    shown = chosen if nodes.enabled and (nodes.selector.all or chosen) else None
    return metrics_api.MetricsApi(tenant, virtual, host, offered, shown)


def scrapes(
    config: model.VClusterConfig, known: settings.SyncerSettings, registry: prometheus_client.CollectorRegistry
) -> dict[str, facade.Scrape]:
    """The metrics of each part that this control plane has, as its syncer may read them."""

    async def own() -> bytes:
        return prometheus_client.generate_latest(registry)

    k8s, pki_dir = config.control_plane.distro.k8s, known.pki_dir
    as_syncer = kubeconfig.load([pki_dir / "syncer.conf"])
    found: dict[str, facade.Scrape] = {"syncer": own}
    if k8s.controller_manager.enabled:
        server = f"https://{LOOPBACK}:{known.ports.controller_manager}"
        found["controller-manager"] = _scrape(dataclasses.replace(as_syncer, server=server))
    if components.scheduler_enabled(config):
        server = f"https://{LOOPBACK}:{known.ports.scheduler}"
        found["scheduler"] = _scrape(dataclasses.replace(as_syncer, server=server))
    local = known.local
    backing = store.binary(config, local=local)
    if backing == etcd.NAME:
        certificate = pki_dir / "etcd" / "healthcheck-client"
        found["etcd"] = _scrape(
            kubeconfig.ClientConfig(
                server=etcd.http_url(known.ports),
                ca_file=pki_dir / "etcd" / "ca.crt",
                cert_file=certificate.with_suffix(".crt"),
                key_file=certificate.with_suffix(".key"),
            )
        )
    elif backing == store.KINE:
        found["kine"] = _scrape(kubeconfig.ClientConfig(server=f"http://{LOOPBACK}:{known.ports.etcd_peer}"))
    return found


def _scrape(access_to: kubeconfig.ClientConfig) -> facade.Scrape:
    async def scrape() -> bytes:
        async with client.Client(access_to) as api:
            return await api.send(requests.raw("/metrics", accept="text/plain"))

    return scrape


def address(known: settings.SyncerSettings) -> str:
    """Where the virtual API server finds the façade beside it.

    In a pod by the pod's address: it refuses to proxy ``nodes/NAME/proxy`` to loopback, and in another replica it
    reaches the one that wrote the nodes.
    """
    return LOOPBACK if known.local else known.pod_ip or LOOPBACK


def _node_names(tenant: Tenant) -> tuple[str, ...]:
    return (f"*.{names.NODES_DOMAIN}", f"*.{tenant.name}.{tenant.namespace}.{names.NODES_DOMAIN}")
