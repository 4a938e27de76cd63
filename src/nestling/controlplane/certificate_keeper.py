"""Keeps the certificates of a running virtual control plane right, and their Secret on the host equal to them.

While it runs, the folder leads: certificates near their end, or without a name that appeared later (a load balancer),
are rewritten there. kube-apiserver and etcd read the new files by themselves; the two clients that have their
certificate inside a kubeconfig are restarted.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
from pathlib import Path
from typing import Final

import prometheus_client
import structlog

from nestling.config import model
from nestling.controlplane import certificates, components, pki, sans, settings, supervisor_status
from nestling.kube import client as client_module
from nestling.kube import errors
from nestling.kube.resource import SECRETS, SERVICES
from nestling.naming.tenant import Tenant

#: Files whose change needs a restart of the component that has read them.
RESTARTS: Final = {
    "controller-manager.conf": components.CONTROLLER_MANAGER,
    "scheduler.conf": components.SCHEDULER,
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
        service = await self.host.get(SERVICES, self.settings.name, self.settings.namespace)
        facts = dataclasses.replace(
            self.settings.facts, load_balancer=sans.load_balancer(service), cluster_ips=sans.cluster_ips(service)
        )
        wanted = certificates.request(self.config, dataclasses.replace(self.settings, facts=facts))
        files, changed = await asyncio.to_thread(certificates.renew, self.settings.pki_dir, wanted)
        if changed:
            structlog.stdlib.get_logger("nestling.certificates").info("certificates renewed", files=list(changed))
            restart_readers(self.settings.state_dir, changed)
        for name, end in certificates.expiries(files).items():
            self.expiry.labels(name).set(end)
        await self._store(files)

    async def _store(self, files: pki.Files) -> None:
        tenant = Tenant(self.settings.name, self.settings.namespace)
        wanted = certificates.secret(tenant, files, self.settings.owner)
        try:
            existing = await self.host.get(SECRETS, certificates.secret_name(tenant), tenant.namespace)
        except errors.NotFound:
            await self.host.create(SECRETS, wanted, tenant.namespace)
            return
        if (existing.get("data") or {}) != wanted["data"]:
            version = existing["metadata"]["resourceVersion"]
            old = existing.get("data") or {}
            gone: dict[str, str | None] = {key: None for key in old if key not in wanted["data"]}
            patch = {
                "metadata": {**wanted["metadata"], "resourceVersion": version},
                "data": {**gone, **wanted["data"]},
            }
            await self.host.patch(SECRETS, certificates.secret_name(tenant), patch, tenant.namespace)


def restart_readers(state_dir: Path, changed: tuple[str, ...]) -> None:
    """End the components that have read a changed kubeconfig; the supervisor starts them again."""
    names = {component for name, component in RESTARTS.items() if name in changed}
    status = supervisor_status.read(state_dir) if names else None
    for name in names:
        component = status.components.get(name) if status else None
        if component and component.pid and supervisor_status.start_time(component.pid) == component.start_time:
            with contextlib.suppress(ProcessLookupError):
                os.kill(component.pid, signal.SIGTERM)
