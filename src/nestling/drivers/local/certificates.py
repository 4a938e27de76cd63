"""The certificates of a virtual cluster on this machine: looking at them, and making them new."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nestling.controlplane import authority, pki, prepare, rotation, settings
from nestling.drivers import certificates, errors
from nestling.drivers.local import folder
from nestling.kube import client as kube_client


def read(place: folder.Folder) -> Mapping[str, bytes]:
    """The certificates in the folder; no key is among them."""
    with folder.os_refusals(place.data):
        return certificates.public(pki.read(place.data / "pki"))


async def rotate(
    client: kube_client.Client, place: folder.Folder, found: folder.Record, *, authorities: bool
) -> tuple[Path, pki.Files]:
    """Make the certificates of a stopped control plane new; returns the folder of the old ones, and the new ones.

    Raises ``UserError`` before anything is changed when it cannot be done.
    """
    known = _settings(place, found)
    try:
        with folder.os_refusals(place.data):
            return await rotation.rotate(client, known, authorities=authorities)
    except authority.CertificateError as error:
        remedy = "" if authorities else f"; nestling certs rotate-ca {found.name} makes the authorities new too"
        raise errors.UserError(f"the certificates of {found.name} cannot be made new: {error}{remedy}") from error


def _settings(place: folder.Folder, found: folder.Record) -> settings.SyncerSettings:
    try:
        return settings.from_json((place.path / prepare.SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise errors.UserError(
            f"{found.name} was never started by this version; start it first with: nestling resume {found.name}"
        ) from error
