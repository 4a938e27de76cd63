"""The certificates of one virtual control plane: what they say, where they are kept, and when they are made new.

The folder ``pki/`` and the Secret ``NAME-certs`` on the host hold the same files (spec §4.2), so that a control
plane that lost its disk keeps its authorities. While it runs, the folder leads: certificates near their end, or
without a name that appeared later (a load balancer), are rewritten there. kube-apiserver and etcd read the new
files by themselves; the two clients that have their certificate inside a kubeconfig are restarted.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import dataclasses
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import prometheus_client
import structlog

from nestling.config import model
from nestling.controlplane import authority, components, kubeconfig_export, pki, sans, settings, supervisor_status
from nestling.kube import client as client_module
from nestling.kube import errors
from nestling.kube.resource import SECRETS, SERVICES, Obj
from nestling.naming.tenant import Tenant

#: Files whose change needs a restart of the component that has read them.
RESTARTS: Final = {
    "controller-manager.conf": components.CONTROLLER_MANAGER,
    "scheduler.conf": components.SCHEDULER,
}


def secret_name(tenant: Tenant) -> str:
    """The Secret of certificates and keys."""
    return f"{tenant.name}-certs"


def request(config: model.VClusterConfig, syncer: settings.SyncerSettings) -> pki.Request:
    """What the certificates are to say."""
    return pki.Request(
        server=syncer.local_server,
        sans=sans.names(config, syncer),
        etcd_sans=etcd_sans(Tenant(syncer.name, syncer.namespace)),
    )


def etcd_sans(tenant: Tenant) -> tuple[str, ...]:
    """Names of etcd members that are deployed beside the control plane (spec §4.2)."""
    services = (f"{tenant.name}-etcd", f"{tenant.name}-etcd-headless", f"{tenant.name}-headless")
    ends = ("", f".{tenant.namespace}", f".{tenant.namespace}.svc")
    plain = [f"{service}{end}" for service in services[:2] for end in ends]
    return (*plain, *(f"*.{service}{end}" for service in services[1:] for end in ends))


def merge(local: pki.Files, stored: pki.Files) -> pki.Files:
    """Folder and Secret at a start: the stored authorities win; certificates of others are made new later."""
    if not stored:
        return dict(local)
    roots = {name: content for name, content in stored.items() if _is_root(name)}
    if any(local.get(name) != content for name, content in roots.items()):
        return dict(stored)
    return {**stored, **local}


def from_data(data: Mapping[str, str]) -> pki.Files:
    """The files in a Secret; raises ``CertificateError`` for what is not base64."""
    try:
        return pki.from_secret({key: base64.b64decode(value, validate=True) for key, value in data.items()})
    except binascii.Error as error:
        raise authority.CertificateError("the Secret of certificates is damaged; delete it, or restore it") from error


def secret(tenant: Tenant, files: pki.Files, owner: Obj) -> Obj:
    """The Secret ``NAME-certs``."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": secret_name(tenant),
            "namespace": tenant.namespace,
            "labels": {"app": "vcluster", "vcluster-name": tenant.name},
            "ownerReferences": [owner],
        },
        "data": {key: base64.b64encode(content).decode() for key, content in pki.to_secret(files).items()},
    }


def expiries(files: pki.Files) -> dict[str, float]:
    """When each certificate file ends, in seconds since the epoch."""
    return {
        name: authority.load_certificate(content, name=name).not_valid_after_utc.timestamp()
        for name, content in files.items()
        if name.endswith(".crt")
    }


@dataclasses.dataclass(frozen=True, slots=True)
class Certificates:
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
        wanted = request(self.config, dataclasses.replace(self.settings, facts=facts))
        files, changed = await asyncio.to_thread(renew, self.settings.pki_dir, wanted)
        if changed:
            structlog.stdlib.get_logger("nestling.certificates").info("certificates renewed", files=list(changed))
            restart_readers(self.settings.state_dir, changed)
        for name, end in expiries(files).items():
            self.expiry.labels(name).set(end)
        await self._store(files)

    async def _store(self, files: pki.Files) -> None:
        tenant = Tenant(self.settings.name, self.settings.namespace)
        wanted = secret(tenant, files, kubeconfig_export.owner(tenant, self.settings))
        try:
            existing = await self.host.get(SECRETS, secret_name(tenant), tenant.namespace)
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
            await self.host.patch(SECRETS, secret_name(tenant), patch, tenant.namespace)


def renew(folder: Path, wanted: pki.Request) -> tuple[pki.Files, tuple[str, ...]]:
    """Bring the folder up to date; returns all files and the names of those that changed."""
    files = pki.complete(pki.read(folder), wanted)
    return files, pki.write(folder, files)


def restart_readers(state_dir: Path, changed: tuple[str, ...]) -> None:
    """End the components that have read a changed kubeconfig; the supervisor starts them again."""
    names = {component for name, component in RESTARTS.items() if name in changed}
    status = supervisor_status.read(state_dir) if names else None
    for name in names:
        component = status.components.get(name) if status else None
        if component and component.pid and supervisor_status.start_time(component.pid) == component.start_time:
            with contextlib.suppress(ProcessLookupError):
                os.kill(component.pid, signal.SIGTERM)


def _is_root(name: str) -> bool:
    return name in {"sa.key", "sa.pub"} or name.endswith(("ca.crt", "ca.key"))
