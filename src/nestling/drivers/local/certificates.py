"""The certificates of a virtual cluster on this machine: looking at them, and making them new.

The folder ``data/pki`` and the Secret ``NAME-certs`` hold the same files. At a start the authorities of the Secret win,
and certificates that fit no authority are made new: so writing the Secret is the one moment at which a rotation
happens, and after a crash at any point the next start brings everything in order.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from nestling.controlplane import authority, certificate_keeper, certificates, pki, prepare, settings
from nestling.drivers import errors
from nestling.drivers.local import folder
from nestling.kube import client as kube_client
from nestling.kube import errors as kube_errors
from nestling.kube import resource
from nestling.naming.tenant import Tenant

BACKUP: Final = "pki.bak"
EXPORT_SECONDS: Final = 60.0


def read(place: folder.Folder) -> Mapping[str, bytes]:
    """The certificates in the folder, those inside kubeconfigs included; no key is among them."""
    with folder.os_refusals(place.data):
        files = pki.read(place.data / "pki")
    found = {name: content for name, content in files.items() if name.endswith(".crt")}
    return found | {name: pem for name, content in files.items() if (pem := _of_kubeconfig(name, content))}


def _of_kubeconfig(name: str, content: bytes) -> bytes:
    if not name.endswith(".conf"):
        return b""
    try:
        user = yaml.safe_load(content)["users"][0]["user"]
        return base64.b64decode(user["client-certificate-data"])
    except (yaml.YAMLError, ValueError, LookupError, TypeError, binascii.Error):
        # Said as a certificate that cannot be read.
        return b"-"


async def rotate(
    client: kube_client.Client, place: folder.Folder, found: folder.Record, *, authorities: bool
) -> tuple[Path, pki.Files]:
    """Make the certificates of a stopped control plane new; returns the folder of the old ones, and the new ones.

    Raises ``UserError`` before anything is changed when it cannot be done.
    """
    known = _settings(place, found)
    config = prepare.read_config(known.config_file)
    wanted = await certificate_keeper.request(client, config, known)
    stored = await _stored(client, known)
    try:
        old, new = certificates.rotated(pki.read(known.pki_dir), stored, wanted, authorities=authorities)
    except authority.CertificateError as error:
        remedy = "" if authorities else f"; nestling certs rotate-ca {found.name} makes the authorities new too"
        raise errors.UserError(f"the certificates of {found.name} cannot be made new: {error}{remedy}") from error
    backup = place.data / BACKUP / str(int(time.time()))
    with folder.os_refusals(place.data):
        await asyncio.to_thread(pki.write, backup, old)
        await certificate_keeper.store(client, known, new)
        await asyncio.to_thread(pki.write, known.pki_dir, new)
    return backup, new


def _settings(place: folder.Folder, found: folder.Record) -> settings.SyncerSettings:
    try:
        return settings.from_json((place.path / prepare.SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise errors.UserError(
            f"{found.name} was never started by this version; start it first with: nestling resume {found.name}"
        ) from error


async def _stored(client: kube_client.Client, known: settings.SyncerSettings) -> pki.Files:
    tenant = Tenant(known.name, known.namespace)
    try:
        secret = await client.get(resource.SECRETS, certificates.secret_name(tenant), tenant.namespace)
    except kube_errors.NotFound:
        return {}
    return certificates.from_data(secret.get("data") or {})


async def wait_exported(
    client: kube_client.Client,
    found: folder.Record,
    new: pki.Files,
    *,
    seconds: float = EXPORT_SECONDS,
) -> bool:
    """Wait until Secret ``vc-NAME`` holds the new authority: ``connect`` reads it. False when it does not come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            data = (await client.get(resource.SECRETS, f"vc-{found.name}", found.namespace)).get("data") or {}
        except kube_errors.NotFound:
            data = {}
        # An insecure kubeconfig holds no authority.
        if data and base64.b64decode(data.get("certificate-authority") or "") in (b"", new["server-ca.crt"]):
            return True
        await asyncio.sleep(0.1)
    return False
