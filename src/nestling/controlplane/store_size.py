"""How large the store is, once a minute: a store that only grows is an outage that announces itself (user lesson 4).

What it need not keep it gives back at the same time (``store_room``).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Final

import prometheus_client

from nestling.config import model
from nestling.controlplane import etcd, settings, store, store_room
from nestling.kube import client as client_module
from nestling.kube import kubeconfig

INTERVAL: Final = 60.0
_LOG: Final = logging.getLogger(__name__)


class Metrics:
    """What is reported."""

    def __init__(self, registry: prometheus_client.CollectorRegistry) -> None:
        self.size = prometheus_client.Gauge("nestling_store_bytes", "Size of the store on disk.", registry=registry)
        self.used = prometheus_client.Gauge(
            "nestling_store_in_use_bytes", "The part of the store that holds data.", registry=registry
        )
        self.quota = prometheus_client.Gauge(
            "nestling_store_quota_bytes", "The size at which the store refuses writes; 0 for none.", registry=registry
        )
        self.given_back = prometheus_client.Counter(
            "nestling_store_given_back_bytes", "What the store has given back to the disk.", registry=registry
        )


async def run(config: model.VClusterConfig, syncer: settings.SyncerSettings, metrics: Metrics) -> None:
    """Measure for ever; a store that runs elsewhere is measured there."""
    async with _store(config, syncer) as found:
        if isinstance(found, store_room.Etcd):
            metrics.quota.set(etcd.QUOTA_BYTES)
        while found is not None:
            try:
                await _turn(found, metrics)
            except (store_room.UnavailableError, OSError) as error:
                # a store that is down shows in the API server's own readiness, and an old size does no harm
                _LOG.debug("the store was not measured: %s", error)
            await asyncio.sleep(INTERVAL)


async def _turn(found: store_room.Store, metrics: Metrics) -> None:
    """Measure, give back what is too much, and if there was some, measure again."""
    before = await _measure(found, metrics)
    if await found.give_back(before):
        after = await _measure(found, metrics)
        metrics.given_back.inc(max(before.size - after.size, 0))
        _LOG.info("the store has shrunk from %d to %d bytes", before.size, after.size)


async def _measure(found: store_room.Store, metrics: Metrics) -> store_room.Size:
    size = await found.measure()
    metrics.size.set(size.size)
    metrics.used.set(size.used)
    return size


@contextlib.asynccontextmanager
async def _store(
    config: model.VClusterConfig, syncer: settings.SyncerSettings
) -> AsyncIterator[store_room.Store | None]:
    """The store beside the API server, if it is there."""
    is_local = syncer.local
    if store.uses_sqlite(config, local=is_local):
        yield store_room.Sqlite(syncer.data_dir / store.SQLITE)
    elif store.binary(config, local=is_local) == etcd.NAME:
        async with client_module.Client(access(syncer)) as member:
            yield store_room.Etcd(member, syncer.data_dir)
    else:
        yield None


def access(syncer: settings.SyncerSettings) -> kubeconfig.ClientConfig:
    """The way to the member beside the API server, with a certificate that may ask how it is."""
    pki = syncer.pki_dir / "etcd"
    return kubeconfig.ClientConfig(
        server=etcd.http_url(syncer.ports),
        ca_file=pki / "ca.crt",
        cert_file=pki / "healthcheck-client.crt",
        key_file=pki / "healthcheck-client.key",
    )
