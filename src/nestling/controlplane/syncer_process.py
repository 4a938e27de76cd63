"""The syncer process: syncers, and the duties of the leader, put together.

``python -m nestling.controlplane.syncer_process SETTINGS.json``, started and restarted by the supervisor beside the
stock binaries. A crash is a restart: the API server does not notice. All state is in the two API servers.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import prometheus_client

from nestling import resources
from nestling.config import model
from nestling.controlplane import (
    addresses,
    certificate_keeper,
    certificates,
    dns,
    endpoint,
    kubeconfig_export,
    kubeconfigs,
    kubelet_facade,
    kubernetes_service,
    logs,
    loops,
    metrics_service,
    prepare,
    replicated_services,
    store_size,
)
from nestling.controlplane import settings as settings_module
from nestling.controlplane.logs import structlog
from nestling.kube import cache, errors, kubeconfig
from nestling.kube import client as client_module
from nestling.kube.resource import CONFIG_MAPS, ENDPOINT_SLICES, ENDPOINTS, NODES, SECRETS, SERVICES, Resource
from nestling.naming.tenant import Tenant
from nestling.syncer import manager, metrics, status

#: Certificates are looked at this often beside changes of what they depend on.
CERTIFICATE_INTERVAL: Final = 3600.0
FIRST_API_PAUSE: Final = 0.05
#: The API server is asked again after this share of the time that it has taken so far.
_IMPATIENCE: Final = 0.04
#: What the virtual API server must have before the syncer begins, the last of its own namespaces. It is ready when its
#: roles are written, too, a second or two later at the first start; who administers it needs none.
_FIRST: Final = "/api/v1/namespaces/default"
#: Thresholds of the garbage collector's generations, see ``gc.set_threshold``.
_COLLECT: Final = (20_000, 20, 20)


@dataclasses.dataclass(frozen=True, slots=True)
class Sides:
    """The two API servers."""

    virtual: client_module.Client
    host: client_module.Client


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """What the endpoint shows; parts are added as they come to life."""

    registry: prometheus_client.CollectorRegistry
    checks: dict[str, endpoint.Check]
    documents: dict[str, endpoint.Document]


@dataclasses.dataclass(frozen=True, slots=True)
class Duties:
    """What the leader does beside syncing."""

    certificates: loops.Duty
    kubeconfigs: loops.Duty
    kubernetes: loops.Duty
    dns: loops.Duty
    node_hosts: loops.Duty
    metrics: loops.Duty
    replication: loops.Duty
    #: What ``replication`` does, with its watches.
    replicated: replicated_services.ReplicatedServices

    def all(self) -> tuple[loops.Duty, ...]:
        """Every duty."""
        return (*self.first, self.replication)

    @property
    def first(self) -> tuple[loops.Duty, ...]:
        """Those without which the virtual cluster is not ready; Services of others are no reason."""
        return (self.certificates, self.kubeconfigs, self.kubernetes, self.dns, self.node_hosts, self.metrics)


def main(arguments: Sequence[str]) -> int:
    """Run until SIGTERM or SIGINT."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m nestling.controlplane.syncer_process SETTINGS.json\n")
        return 2
    settings = settings_module.from_json(Path(arguments[0]).read_text())
    return serve(settings, prepare.read_config(settings.config_file, settings.data_dir, local=settings.local))


def serve(settings: settings_module.SyncerSettings, config: model.VClusterConfig) -> int:
    """Sync and serve until SIGTERM or SIGINT."""
    logs.configure(settings.log_format)
    _spare_collector()
    import uvloop

    uvloop.run(_until_stopped(settings, config))
    return 0


def _spare_collector() -> None:
    """Caches hold bytes, and what a reconcile decodes is freed without the collector: it need not look often, and never
    at what the imports have made.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)
    gc.enable()


async def _until_stopped(settings: settings_module.SyncerSettings, config: model.VClusterConfig) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(run(settings, config), name="syncer")
        await stopped.wait()
        running.cancel()


async def run(settings: settings_module.SyncerSettings, config: model.VClusterConfig) -> None:
    """Put everything together and run until cancelled."""
    registry = prometheus_client.CollectorRegistry()
    prometheus_client.ProcessCollector(registry=registry)
    virtual_access = kubeconfig.load([settings.pki_dir / "syncer.conf"])
    observers = metrics.observers(registry, "virtual", "host")
    async with (
        client_module.Client(virtual_access, observer=observers["virtual"]) as virtual,
        client_module.Client(prepare.host_access(settings.host_kubeconfig), observer=observers["host"]) as host,
    ):
        sides = Sides(virtual, host)
        duties = _duties(settings, config, sides, registry)
        checks = {f"duty-{duty.name}": duty.done_once.is_set for duty in duties.first}
        documents: dict[str, endpoint.Document] = {}
        async with (
            endpoint.serving(settings.ports.health, checks, registry, documents),
            kubelet_facade.serving(settings, config, virtual, host, registry),
        ):
            version = await _version(virtual, _FIRST)
            structlog.stdlib.get_logger("nestling").info("the virtual API answers", version=version)
            # With several replicas, only the holder of the lease goes on from here.
            shown = Shown(registry, checks, documents)
            await _lead(settings, config, sides, duties, shown=shown, version=version)


async def _lead(
    settings: settings_module.SyncerSettings,
    config: model.VClusterConfig,
    sides: Sides,
    duties: Duties,
    *,
    shown: Shown,
    version: str,
) -> None:
    """The duties at once; the syncers as soon as the host has told its version."""
    async with asyncio.TaskGroup() as group:
        for duty in duties.all():
            group.create_task(duty.run(), name=f"duty-{duty.name}")
        for watcher in _watchers(settings, config, sides, duties):
            group.create_task(watcher.run(), name="watch")
        for informer in duties.replicated.informers:
            group.create_task(informer.run(), name="watch")
        group.create_task(store_size.run(config, settings, store_size.Metrics(shown.registry)), name="store-size")
        host_version = await _version(sides.host, "/readyz")
        syncers = manager.Manager(
            manager.Parts(
                tenant=Tenant(settings.name, settings.namespace),
                config=config,
                specs=resources.specs(),
                virtual=sides.virtual,
                host=sides.host,
                virtual_version=version,
                host_version=host_version,
                instruments=metrics.create(shown.registry),
                kubelet_address=kubelet_facade.address(settings),
                kubelet_port=settings.ports.kubelet,
            )
        )
        shown.documents["syncer"] = lambda: status.document(syncers, now=time.time(), clock=time.monotonic())
        shown.checks["caches"] = lambda: all(informer.synced.is_set() for informer in syncers.informers)
        group.create_task(syncers.run(), name="syncers")


def _duties(
    settings: settings_module.SyncerSettings,
    config: model.VClusterConfig,
    sides: Sides,
    registry: prometheus_client.CollectorRegistry,
) -> Duties:
    duty_metrics = loops.Metrics(registry)
    expiry = prometheus_client.Gauge(
        "nestling_certificate_expiry_timestamp_seconds", "When a certificate ends.", ["file"], registry=registry
    )
    keeper = certificate_keeper.Keeper(config, settings, sides.host, expiry)
    exporter = kubeconfig_export.Exporter(config, settings, sides.host, sides.virtual)
    metrics_api = metrics_service.MetricsService(config, sides.virtual, settings.pki_dir, settings.ports.kubelet)
    address = addresses.control_plane(settings.pod_ip)
    kubernetes = kubernetes_service.KubernetesService(settings, sides.host, sides.virtual, address)
    replicated = replicated_services.ReplicatedServices(config, settings, sides.virtual, sides.host)
    replication = loops.Duty("replicated-services", replicated.reconcile, metrics=duty_metrics)
    replicated.wakes(_waker((replication,)))
    return Duties(
        replication=replication,
        replicated=replicated,
        certificates=loops.Duty("certificates", keeper.reconcile, metrics=duty_metrics, interval=CERTIFICATE_INTERVAL),
        kubeconfigs=loops.Duty("kubeconfig-export", exporter.reconcile, metrics=duty_metrics),
        kubernetes=loops.Duty("kubernetes-service", kubernetes.reconcile, metrics=duty_metrics),
        dns=loops.Duty("dns", dns.Dns(config, settings, sides.virtual).reconcile, metrics=duty_metrics),
        node_hosts=loops.Duty(
            "node-hosts", dns.NodeHosts(config, settings, sides.virtual).reconcile, metrics=duty_metrics
        ),
        metrics=loops.Duty("metrics-service", metrics_api.reconcile, metrics=duty_metrics),
    )


def _watchers(
    settings: settings_module.SyncerSettings, config: model.VClusterConfig, sides: Sides, duties: Duties
) -> list[cache.Informer]:
    """Watches of the single objects that duties depend on; a change wakes the duty."""
    tenant = Tenant(settings.name, settings.namespace)
    exported = [(target.namespace, target.name) for target in kubeconfigs.targets(config, tenant, port=settings.port)]
    wanted: list[tuple[client_module.Client, Resource, str | None, str | None, tuple[loops.Duty, ...]]] = [
        (sides.host, SERVICES, tenant.namespace, tenant.name, (duties.kubernetes, duties.certificates)),
        (sides.host, SECRETS, tenant.namespace, certificates.secret_name(tenant), (duties.certificates,)),
        (sides.virtual, SERVICES, dns.NAMESPACE, dns.SERVICE, (duties.dns,)),
        (sides.virtual, CONFIG_MAPS, dns.NAMESPACE, dns.NAME, (duties.node_hosts,)),
        (sides.virtual, NODES, None, None, (duties.node_hosts,)),
        *((sides.host, SECRETS, namespace, name, (duties.kubeconfigs,)) for namespace, name in exported),
        *(
            (sides.virtual, resource, kubernetes_service.NAMESPACE, kubernetes_service.NAME, (duties.kubernetes,))
            for resource in (SERVICES, ENDPOINTS, ENDPOINT_SLICES)
        ),
    ]
    return [_watcher(*entry) for entry in wanted]


def _watcher(
    client: client_module.Client,
    resource: Resource,
    namespace: str | None,
    name: str | None,
    duties: tuple[loops.Duty, ...],
) -> cache.Informer:
    selector = f"metadata.name={name}" if name else None
    informer = cache.Informer(client, resource, namespace=namespace, field_selector=selector)
    informer.add_handler(_waker(duties))
    return informer


def _waker(duties: tuple[loops.Duty, ...]) -> Callable[[cache.Change], None]:
    def wake(_change: cache.Change) -> None:
        for duty in duties:
            duty.wake()

    return wake


async def _version(client: client_module.Client, path: str) -> str:
    """The version of an API server, once it has this path."""
    started = time.monotonic()
    while True:
        try:
            await client.raw(path)
            return str((await client.version())["gitVersion"])
        except (errors.ConnectionFailed, errors.ApiError):
            await asyncio.sleep(min(max(FIRST_API_PAUSE, (time.monotonic() - started) * _IMPATIENCE), 1.0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
