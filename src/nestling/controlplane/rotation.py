"""Making the certificates of a control plane new (spec §7), wherever it runs.

The folder ``pki`` and the Secret ``NAME-certs`` hold the same files. At a start the authorities of the Secret win, and
certificates that fit no authority are made new: so writing the Secret is the one moment at which a rotation happens,
and after a crash at any point the next start brings everything in order.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Final

from nestling.controlplane import (
    authority,
    certificate_keeper,
    certificates,
    pki,
    prepare,
    settings,
    supervisor_status,
)
from nestling.kube import client as kube_client
from nestling.kube import errors as kube_errors
from nestling.kube import resource
from nestling.naming.tenant import Tenant

BACKUP: Final = "pki.bak"


async def rotate(
    client: kube_client.Client, known: settings.SyncerSettings, *, authorities: bool
) -> tuple[Path, pki.Files]:
    """Make the certificates new; returns the folder of the old ones, and the new ones.

    Raises ``CertificateError`` before anything is changed when it cannot be done, ``OSError`` when a file cannot be
    written.
    """
    config = prepare.read_config(known.config_file)
    wanted = await certificate_keeper.request(client, config, known)
    stored = await _stored(client, known)
    old, new = certificates.rotated(pki.read(known.pki_dir), stored, wanted, authorities=authorities)
    backup = known.data_dir / BACKUP / str(int(time.time()))
    await asyncio.to_thread(pki.write, backup, old)
    await certificate_keeper.store(client, known, new)
    await asyncio.to_thread(pki.write, known.pki_dir, new)
    return backup, new


async def here(*, authorities: bool, state_dir: Path | None = None) -> Path:
    """In the pod of a control plane: make its certificates new and end its supervisor, so that the container starts
    with them; returns the folder of the old ones. Raises ``PreparationError``."""
    folder = state_dir or settings.default_state_dir(settings.POD_DATA, None)
    try:
        known = settings.from_json((folder / prepare.SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise settings.PreparationError(
            f"no control plane runs here: {folder / prepare.SETTINGS} cannot be read; leave the flag --here out, and "
            f"name the virtual cluster"
        ) from error
    try:
        async with kube_client.Client(prepare.host_access(known.host_kubeconfig)) as client:
            backup, _ = await rotate(client, known, authorities=authorities)
    except (authority.CertificateError, OSError) as error:
        raise settings.PreparationError(f"the certificates of {known.name} cannot be made new: {error}") from error
    supervisor = supervisor_status.supervisor(folder)
    if supervisor is not None:
        os.kill(supervisor.pid, signal.SIGTERM)
    return backup


async def _stored(client: kube_client.Client, known: settings.SyncerSettings) -> pki.Files:
    tenant = Tenant(known.name, known.namespace)
    try:
        secret = await client.get(resource.SECRETS, certificates.secret_name(tenant), tenant.namespace)
    except kube_errors.NotFound:
        return {}
    return certificates.from_data(secret.get("data") or {})
