"""What happens before the supervisor takes over: configuration, host access, service CIDR, certificates, plan.

It needs libraries that the long-running supervisor must not carry, so it runs in a process of its own, which goes on as
the first syncer (``handover``), or in a driver that has them loaded anyway. What can go on at the same time does.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from nestling.binaries import chain, versions
from nestling.binaries import errors as binary_errors
from nestling.config import errors as config_errors
from nestling.config import load, model, resolve, rules
from nestling.controlplane import (
    anonymous,
    authority,
    certificate_keeper,
    certificates,
    components,
    corefile,
    embedded_dns,
    host_dns,
    host_version,
    memory,
    neighbours,
    node_ports,
    pki,
    ports,
    sans,
    service_cidr,
    store,
    supervisor_status,
)
from nestling.controlplane import plan as plan_module
from nestling.controlplane import settings as settings_module
from nestling.controlplane.settings import PreparationError
from nestling.kube import client as client_module
from nestling.kube import errors as kube_errors
from nestling.kube import kubeconfig
from nestling.kube.resource import SECRETS, SERVICES, Obj
from nestling.naming.tenant import Tenant

PLAN: Final = "plan.json"
SETTINGS: Final = "syncer.json"
#: In the data folder: whose it is.
OWNER: Final = "owner"

#: Errors that say what a user can do about them; anything else is a programming error and keeps its traceback.
_EXPECTED: Final = (
    config_errors.ConfigError,
    kubeconfig.KubeconfigError,
    kube_errors.ApiError,
    kube_errors.ConnectionFailed,
    binary_errors.BinaryError,
    authority.CertificateError,
    plan_module.PlanError,
    OSError,
)


@dataclasses.dataclass(frozen=True, slots=True)
class _Host:
    """What preparation reads from the host."""

    service: Obj
    cidr: str
    node_ports: str
    stored: pki.Files = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Prepared:
    """The plan, written for the supervisor, and what the syncer is given, which need not be read again."""

    plan_file: Path
    config: model.VClusterConfig
    syncer: settings_module.SyncerSettings


async def prepare(settings: settings_module.StartSettings) -> Prepared:
    """Write everything that the supervisor needs; raises ``PreparationError``."""
    try:
        return await _prepare(settings)
    except BaseExceptionGroup as group:
        known = _first(group)
        if known is None:
            raise
        raise PreparationError(str(known)) from group
    except _EXPECTED as error:
        raise PreparationError(str(error)) from error


def read_config(file: Path, data_dir: Path | None = None, *, local: bool = True) -> model.VClusterConfig:
    """The configuration; with a data folder, the store is that of the data in it. In a pod helm has merged it.

    Raises ``PreparationError`` when the file cannot be read, ``ConfigError`` for its content.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PreparationError(f"cannot read the configuration {file}: {error}") from error
    config = load.load([load.Source(str(file), text)], sparing=True, is_merged=not local)
    return store.keep_database(config, data_dir) if data_dir else config


def host_access(host_kubeconfig: Path | None) -> kubeconfig.ClientConfig:
    """Access to the host: the kubeconfig given, else the pod's service account."""
    return kubeconfig.load([host_kubeconfig]) if host_kubeconfig else kubeconfig.in_cluster()


async def _prepare(settings: settings_module.StartSettings) -> Prepared:
    if running := supervisor_status.supervisor(settings.state_dir):
        raise PreparationError(f"{settings.name} already runs here (pid {running.pid}); stop it first")
    config = read_config(settings.config_file, settings.data_dir, local=settings.local)
    rules.check_tenant(config, name=settings.name, namespace=settings.namespace)
    _check_replicas(settings, config)
    _check_owner(settings)
    store.check_data(config, settings.data_dir, local=settings.local)
    proxy = config.control_plane.proxy
    settings = dataclasses.replace(
        settings, port=settings.port or proxy.port, bind_address=settings.bind_address or proxy.bind_address
    )
    _check_port(settings)
    wanted = components.wanted_binaries(config, local=settings.local)
    asked_version = resolve.kubernetes_version(config)
    async with asyncio.TaskGroup() as group:
        host = group.create_task(_ask_host(settings, config))
        binaries = group.create_task(_binaries(wanted, asked_version))
        local = group.create_task(asyncio.to_thread(pki.read, settings.data_dir / "pki"))
    paths, version = binaries.result()
    resolvers = await _host_dns(settings)
    syncer = _syncer_settings(settings, config, host.result(), version=version)
    syncer = dataclasses.replace(syncer, host_dns=resolvers.pods)
    files = certificates.merge(local.result(), host.result().stored)
    files = pki.complete(files, certificates.request(config, syncer))
    settings_module.write_private(settings.data_dir / OWNER, _identity(settings))
    pki.write(syncer.pki_dir, files)
    if config.control_plane.backing_store.etcd.deploy.enabled and not settings.local:
        # its pods wait for this Secret, and the API server for them: the syncer's turn would never come
        async with client_module.Client(host_access(settings.host_kubeconfig)) as client:
            await certificate_keeper.store(client, syncer, files)
    if store.uses_sqlite(config, local=settings.local):
        # its library is loaded where there is such a file, and nowhere else
        from nestling.controlplane import sqlite_file

        await asyncio.to_thread(sqlite_file.make_shrinkable, settings.data_dir / store.SQLITE)
    limit = None if settings.local else await asyncio.to_thread(memory.limit)
    plan_file = write_plan(config, syncer, paths, host_dns=resolvers.machine, memory_limit=limit)
    return Prepared(plan_file, config, syncer)


def write_plan(
    config: model.VClusterConfig,
    syncer: settings_module.SyncerSettings,
    paths: Mapping[str, Path],
    *,
    host_dns: str = corefile.RESOLVERS,
    memory_limit: int | None = None,
) -> Path:
    """Write the files that the processes read, the plan last; returns the plan's path."""
    state_dir = syncer.state_dir
    (state_dir / "logs").mkdir(parents=True, exist_ok=True, mode=0o700)
    inputs = components.Inputs(
        config=config, syncer=syncer, binaries=paths, settings_file=state_dir / SETTINGS, memory_limit=memory_limit
    )
    if embedded_dns.wanted(config):
        text = embedded_dns.text(config, syncer, host_dns=host_dns)
        settings_module.write_private(embedded_dns.file(syncer), text)
    settings_module.write_private(components.authentication_file(inputs), anonymous.authentication_file(inputs.minor))
    settings_module.write_private(state_dir / SETTINGS, settings_module.to_json(syncer))
    plan_file = state_dir / PLAN
    settings_module.write_private(plan_file, plan_module.to_json(components.make_plan(inputs)))
    return plan_file


def _check_replicas(settings: settings_module.StartSettings, config: model.VClusterConfig) -> None:
    """Without leader election two replicas would both sync. On a machine there is one process whatever is written."""
    if not settings.local and config.control_plane.stateful_set.high_availability.replicas > 1:
        raise PreparationError(
            "controlPlane.statefulSet.highAvailability.replicas: several replicas are not available yet; write 1"
        )


def _check_owner(settings: settings_module.StartSettings) -> None:
    """A store of another virtual cluster would start, and its objects would be synced as if they were ours."""
    file = settings.data_dir / OWNER
    try:
        found = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return
    if found not in ("", _identity(settings)):
        raise PreparationError(
            f"the data folder {settings.data_dir} belongs to the virtual cluster {found}, not to"
            f" {_identity(settings)}; put its own data there, or remove {file} to take the data over"
        )


def _identity(settings: settings_module.StartSettings) -> str:
    return f"{settings.namespace}/{settings.name}"


def _check_port(settings: settings_module.StartSettings) -> None:
    """On a machine the port may be somebody else's; the API server would only say so in its log."""
    port, address = settings.port or 0, settings.bind_address or ""
    if settings.local and not ports.is_free(port, address):
        raise PreparationError(f"port {port} on {address or 'all addresses'} is in use; choose another one with --port")


async def _ask_host(settings: settings_module.StartSettings, config: model.VClusterConfig) -> _Host:
    try:
        return await _read_host(settings, config)
    except* kube_errors.ApiError as group:
        access = settings.host_kubeconfig or "the pod's service account"
        known = next((leaf for leaf in _leaves(group) if isinstance(leaf, kube_errors.ApiError)), None)
        if known is None:
            raise
        raise PreparationError(host_version.refusal(known, access)) from known


async def _read_host(settings: settings_module.StartSettings, config: model.VClusterConfig) -> _Host:
    tenant = Tenant(settings.name, settings.namespace)
    async with client_module.Client(host_access(settings.host_kubeconfig)) as client:
        await host_version.check(client)
        async with asyncio.TaskGroup() as group:
            service = group.create_task(_service(client, tenant))
            stored = group.create_task(_stored_files(client, tenant))
            offered = group.create_task(node_ports.detect(client, tenant))
            group.create_task(neighbours.check(client, tenant))
        found = service.result()
        cidr = service_cidr.configured(config) or await service_cidr.detect(client, tenant, found)
    return _Host(found, cidr, offered.result(), stored.result())


async def _host_dns(settings: settings_module.StartSettings) -> settings_module.HostDns:
    if settings.local:
        return settings.host_dns or settings_module.HostDns(corefile.RESOLVERS, corefile.RESOLVERS)
    own = await host_dns.of_pod()
    return settings_module.HostDns(own, own)


async def _service(client: client_module.Client, tenant: Tenant) -> Obj:
    try:
        return await client.get(SERVICES, tenant.name, tenant.namespace)
    except kube_errors.NotFound as error:
        raise PreparationError(
            f"the host has no Service {tenant.name} in namespace {tenant.namespace}; the chart, or"
            " `nestling create`, makes it"
        ) from error


async def _stored_files(client: client_module.Client, tenant: Tenant) -> pki.Files:
    try:
        secret = await client.get(SECRETS, certificates.secret_name(tenant), tenant.namespace)
    except kube_errors.NotFound:
        return {}
    return certificates.from_data(secret.get("data") or {})


async def _binaries(names: tuple[str, ...], asked: str | None) -> tuple[dict[str, Path], str]:
    """The paths, and the version that they really have: a folder given by the user decides over the one asked for."""
    paths = await asyncio.to_thread(chain.ensure, names, kubernetes_version=asked)
    if components.API_SERVER not in paths:
        return paths, versions.resolve(asked)
    process = await asyncio.create_subprocess_exec(
        str(paths[components.API_SERVER]), "--version", stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise PreparationError(f"{paths[components.API_SERVER]} does not run here (exit code {process.returncode})")
    return paths, output.decode().split()[-1]


def _syncer_settings(
    settings: settings_module.StartSettings,
    config: model.VClusterConfig,
    host: _Host,
    *,
    version: str,
) -> settings_module.SyncerSettings:
    port = settings.port or settings_module.API_PORT
    return settings_module.SyncerSettings(
        name=settings.name,
        namespace=settings.namespace,
        config_file=settings.config_file.absolute(),
        data_dir=settings.data_dir,
        state_dir=settings.state_dir,
        host_kubeconfig=settings.host_kubeconfig.absolute() if settings.host_kubeconfig else None,
        port=port,
        bind_address=settings.bind_address or "",
        log_format=settings.log_format or config.logging.encoding,
        pod_ip=settings.pod_ip,
        kubernetes_version=version,
        ports=ports.on_machine(settings.state_dir, port) if settings.local else settings_module.Ports(),
        facts=settings_module.HostFacts(
            service_uid=host.service["metadata"]["uid"],
            cluster_ips=sans.cluster_ips(host.service),
            service_cidr=host.cidr,
            load_balancer=sans.load_balancer(host.service),
            node_ports=host.node_ports,
        ),
    )


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    """The error to tell the user, None when any of the errors is not meant for users."""
    leaves = [leaf for error in group.exceptions for leaf in _leaves(error)]
    if not all(isinstance(leaf, (*_EXPECTED, PreparationError)) for leaf in leaves):
        return None
    return next(iter(sorted(leaves, key=lambda leaf: not isinstance(leaf, PreparationError))), None)


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]
