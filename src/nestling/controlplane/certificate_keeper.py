"""Keeps the certificates of a running virtual control plane right, and their Secret on the host equal to them.

While it runs, the folder leads: certificates near their end, or without a name that appeared later (a load balancer),
are rewritten there. kube-apiserver and etcd read the new files by themselves; the clients that have their certificate
inside a kubeconfig are restarted, the syncer among them: what it has not stored by then it stores afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nestling.config import model
from nestling.controlplane import certificates, components, embedded_dns, pki, sans, settings, supervisor_status
from nestling.controlplane.logs import structlog
from nestling.kube import client as client_module
from nestling.kube import errors
from nestling.kube.resource import SECRETS, SERVICES
from nestling.naming.tenant import Tenant

if TYPE_CHECKING:
    # Preparation stores certificates and counts nothing.
    import prometheus_client

#: Files whose change needs a restart of the component that has read them.
RESTARTS: Final = {
    "admin.conf": embedded_dns.NAME,
    "controller-manager.conf": components.CONTROLLER_MANAGER,
    "scheduler.conf": components.SCHEDULER,
    # this very process; the façade has a certificate of its own that is made at each start, and as old as it
    "syncer.conf": settings.SYNCER,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Keeper:
    """The duty: files in order, the Secret equal to them, the expiry metric right."""

    config: model.VClusterConfig
    settings: settings.SyncerSettings
    host: client_module.Client
    expiry: prometheus_client.Gauge

    async def reconcile(self) -> None:
        """Renew what is due and store what changed."""
        wanted = await request(self.host, self.config, self.settings)
        files, changed = await asyncio.to_thread(certificates.renew, self.settings.pki_dir, wanted)
        if changed:
            structlog.stdlib.get_logger("nestling.certificates").info("certificates renewed", files=list(changed))
            restart_readers(self.settings.state_dir, changed)
        for name, end in certificates.expiries(files).items():
            self.expiry.labels(name).set(end)
        await store(self.host, self.settings, files)


async def store(host: client_module.Client, owner: settings.SyncerSettings, files: pki.Files) -> None:
    """Make the Secret ``NAME-certs`` hold the files; one write, so that it never holds a mixture."""
    tenant = Tenant(owner.name, owner.namespace)
    wanted = certificates.secret(tenant, files, owner.owner)
    try:
        existing = await host.get(SECRETS, certificates.secret_name(tenant), tenant.namespace)
    except errors.NotFound:
        await host.create(SECRETS, wanted, tenant.namespace)
        return
    if (existing.get("data") or {}) != wanted["data"]:
        version = existing["metadata"]["resourceVersion"]
        old = existing.get("data") or {}
        gone: dict[str, str | None] = {key: None for key in old if key not in wanted["data"]}
        patch = {
            "metadata": {**wanted["metadata"], "resourceVersion": version},
            "data": {**gone, **wanted["data"]},
        }
        await host.patch(SECRETS, certificates.secret_name(tenant), patch, tenant.namespace)


async def request(
    host: client_module.Client, config: model.VClusterConfig, known: settings.SyncerSettings
) -> pki.Request:
    """What the certificates are to say, given the addresses that the Service has now."""
    service = await host.get(SERVICES, known.name, known.namespace)
    facts = dataclasses.replace(
        known.facts, load_balancer=sans.load_balancer(service), cluster_ips=sans.cluster_ips(service)
    )
    return certificates.request(config, dataclasses.replace(known, facts=facts))


def restart_readers(state_dir: Path, changed: tuple[str, ...]) -> None:
    """End the components that have read a changed kubeconfig; the supervisor starts them again."""
    names = {component for name, component in RESTARTS.items() if name in changed}
    status = supervisor_status.read(state_dir) if names else None
    for name in names:
        component = status.components.get(name) if status else None
        if component and component.pid and supervisor_status.start_time(component.pid) == component.start_time:
            with contextlib.suppress(ProcessLookupError):
                os.kill(component.pid, signal.SIGTERM)
