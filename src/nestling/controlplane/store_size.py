"""How large the store is: a store that only grows is an outage that announces itself (user lesson 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec
import prometheus_client

from nestling.config import model
from nestling.controlplane import etcd, settings, store
from nestling.kube import client as client_module
from nestling.kube import errors, kubeconfig, requests

INTERVAL: Final = 60.0
_STATUS: Final = requests.Request(
    "POST", "/v3/maintenance/status", {}, {"Content-Type": "application/json", "Accept": "application/json"}, b"{}"
)
_SQLITE: Final = ("state.db", "state.db-wal")

#: (bytes on disk, bytes in use).
Size = tuple[int, int]
Measure = Callable[[], Awaitable[Size]]


class Gauges:
    """What is reported."""

    def __init__(self, registry: prometheus_client.CollectorRegistry) -> None:
        self.size = prometheus_client.Gauge("nestling_store_bytes", "Size of the store on disk.", registry=registry)
        self.used = prometheus_client.Gauge(
            "nestling_store_in_use_bytes", "The part of the store that holds data.", registry=registry
        )
        self.quota = prometheus_client.Gauge(
            "nestling_store_quota_bytes", "The size at which the store refuses writes; 0 for none.", registry=registry
        )


async def measure_etcd(member: client_module.Client) -> Size:
    """Ask a member; raises ConnectionFailed when its answer makes no sense."""
    answer = await member.send(_STATUS)
    try:
        found = msgspec.json.decode(answer, type=dict[str, object])
        size = int(str(found["dbSize"]))
        return size, int(str(found.get("dbSizeInUse", size)))
    except (msgspec.DecodeError, KeyError, ValueError) as error:
        raise errors.ConnectionFailed(_STATUS.path, f"this is no status of etcd: {error}") from error


async def measure_sqlite(folder: Path) -> Size:
    """The files of kine's database."""
    size = await asyncio.to_thread(_sizes, folder)
    return size, size


async def run(config: model.VClusterConfig, syncer: settings.SyncerSettings, gauges: Gauges) -> None:
    """Measure for ever; a store that runs elsewhere is measured there."""
    kind = store.binary(config, local=syncer.host_kubeconfig is not None)
    if kind == store.KINE:
        await _follow(lambda: measure_sqlite(syncer.data_dir), gauges)
    elif kind == etcd.NAME:
        gauges.quota.set(etcd.QUOTA_BYTES)
        async with client_module.Client(access(syncer)) as member:
            await _follow(lambda: measure_etcd(member), gauges)


async def _follow(measure: Measure, gauges: Gauges) -> None:
    while True:
        try:
            size, used = await measure()
        except (errors.ApiError, errors.ConnectionFailed):
            # the store is down: the API server's own readiness says so, an old size does no harm
            pass
        else:
            gauges.size.set(size)
            gauges.used.set(used)
        await asyncio.sleep(INTERVAL)


def access(syncer: settings.SyncerSettings) -> kubeconfig.ClientConfig:
    """The way to the member beside the API server, with a certificate that may ask how it is."""
    pki = syncer.pki_dir / "etcd"
    return kubeconfig.ClientConfig(
        server=etcd.client_url(syncer.ports),
        ca_file=pki / "ca.crt",
        cert_file=pki / "healthcheck-client.crt",
        key_file=pki / "healthcheck-client.key",
    )


def _sizes(folder: Path) -> int:
    return sum((folder / name).stat().st_size for name in _SQLITE if (folder / name).exists())
