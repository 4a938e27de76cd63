"""The kubelet façade of a virtual control plane: its certificate, its listener, and what it is put together from."""

from __future__ import annotations

import contextlib
import dataclasses
import ssl
from collections.abc import AsyncIterator
from typing import Final

import prometheus_client

from nestling.config import model
from nestling.controlplane import authority, components, etcd, pki, settings, store
from nestling.kube import client, credentials, dial, kubeconfig, requests
from nestling.kubelet import access, directory, facade, node, streams, tunnel
from nestling.naming.tenant import Tenant

#: What stands in the certificate that the virtual API server sees.
COMMON_NAME: Final = "system:nestling:kubelet"
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
        reviewer=access.Reviewer(virtual),
        registry=registry,
        nodes=node.Nodes(tenant, carrier.pods, host),
        components=scrapes(config, known, registry),
    )
    # in a pod others scrape it, too; on a machine only the API server beside it is to reach it
    listen = LOOPBACK if known.host_kubeconfig else None
    async with facade.Facade(parts).serving(listen, known.ports.kubelet, tls_context(known)) as port:
        yield port


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
    local = known.host_kubeconfig is not None
    backing = store.binary(config, local=local)
    if backing == etcd.NAME:
        certificate = pki_dir / "etcd" / "healthcheck-client"
        found["etcd"] = _scrape(
            kubeconfig.ClientConfig(
                server=etcd.client_url(known.ports),
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
    return known.pod_ip or LOOPBACK if known.host_kubeconfig is None else LOOPBACK


def tls_context(known: settings.SyncerSettings) -> ssl.SSLContext:
    """A certificate of its own, made at each start: signed by the authority that the virtual API server believes a
    kubelet by, and of which it has its own client certificate. No certificate signer of the cluster uses it.

    A client need not have a certificate; one that it has must be of that authority.
    """
    files = pki.read(known.pki_dir)
    signer = pki.load_authority(files, pki.KUBELET_CLIENT_CA)
    sans = (
        *pki.LOOPBACK_SANS,
        address(known),
        "*.nodes.vcluster.com",
        f"*.{known.name}.{known.namespace}.nodes.vcluster.com",
    )
    subject = authority.Subject(COMMON_NAME, sans=tuple(dict.fromkeys(sans)), server=True, client=False)
    pair = signer.issue(subject)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=signer.pem.decode())
    context.set_alpn_protocols(["http/1.1"])
    with credentials.as_file(pair.cert + pair.key) as path:
        context.load_cert_chain(path)
    return context
