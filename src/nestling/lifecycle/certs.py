"""``certs``: how long the certificates of a virtual cluster last, and making them new."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from nestling.drivers import errors
from nestling.lifecycle import listing, session

#: Columns and keys are the original's (spec §7).
HEADER: Final = ("FILENAME", "SUBJECT", "ISSUER", "EXPIRES ON", "STATUS")
#: Later than the renewal that happens by itself, so that this is never said without a reason.
SOON: Final = datetime.timedelta(days=30)
UNREADABLE: Final = "UNREADABLE"
_AUTHORITY: Final = "ca.crt"


@dataclasses.dataclass(frozen=True, slots=True)
class Certificate:
    """One file; ``expires`` is None when it holds no certificate that can be read."""

    filename: str
    subject: str = ""
    issuer: str = ""
    expires: datetime.datetime | None = None

    def status(self, now: datetime.datetime) -> str:
        """``OK`` or ``EXPIRED``, the words of the original."""
        if self.expires is None:
            return UNREADABLE
        return "EXPIRED" if self.expires <= now else "OK"

    @property
    def is_authority(self) -> bool:
        """Whether it signs others: it lasts for ten years and is never renewed by itself."""
        return self.filename.endswith(_AUTHORITY)


async def check(current: session.Session, name: str) -> list[Certificate]:
    """The certificates of one virtual cluster, sorted by file."""
    cluster = await current.find(name)
    return read(await current.driver.certificates(cluster))


def read(files: Mapping[str, bytes]) -> list[Certificate]:
    """What PEM files say. Pure."""
    return [_read(name, pem) for name, pem in sorted(files.items())]


def _read(name: str, pem: bytes) -> Certificate:
    from nestling.controlplane import authority

    try:
        found = authority.load_certificate(pem, name=name)
    except authority.CertificateError:
        return Certificate(name)
    subject, _ = authority.subject_of(found)
    issuer = authority.issuer_of(found)
    return Certificate(name, subject, issuer, found.not_valid_after_utc)


def as_json(certificates: Sequence[Certificate], *, now: datetime.datetime) -> str:
    """The keys of the original, and four spaces of indentation as in ``list``."""
    rows = [
        {
            "filename": one.filename,
            "subject": one.subject,
            "issuer": one.issuer,
            "expiryTime": "0001-01-01T00:00:00Z" if one.expires is None else f"{one.expires:%Y-%m-%dT%H:%M:%SZ}",
            "status": one.status(now),
        }
        for one in certificates
    ]
    return json.dumps(rows, indent=4, ensure_ascii=False)


def as_table(certificates: Sequence[Certificate], *, now: datetime.datetime) -> str:
    """The table of the original."""
    rows = [(one.filename, one.subject, one.issuer, _date(one.expires), one.status(now)) for one in certificates]
    return listing.table(HEADER, rows)


def _date(moment: datetime.datetime | None) -> str:
    return "" if moment is None else moment.strftime("%b %d, %Y %H:%M UTC")


def advice(certificates: Iterable[Certificate], cluster: str, *, now: datetime.datetime) -> list[str]:
    """What to do about certificates that have expired, soon will, or cannot be read. Pure."""
    due = [one for one in certificates if one.expires is None or one.expires - now < SOON]
    signing, leaves = [one for one in due if one.is_authority], [one for one in due if not one.is_authority]
    said = []
    if signing:
        said.append(
            f"{_listed(signing, now)}. Authorities are not renewed by themselves: nestling certs rotate-ca {cluster} "
            f"makes new ones; every kubeconfig has to be fetched again then (nestling connect {cluster})"
        )
    if leaves:
        said.append(
            f"{_listed(leaves, now)}. A running virtual cluster renews them within an hour, a paused one when it is "
            f"resumed; at once: nestling certs rotate {cluster}"
        )
    return said


def _listed(certificates: Sequence[Certificate], now: datetime.datetime) -> str:
    return "; ".join(f"{one.filename} {_end(one.expires, now)}" for one in certificates)


def _end(moment: datetime.datetime | None, now: datetime.datetime) -> str:
    if moment is None:
        return "cannot be read"
    days = (moment - now).days
    return f"expired on {moment:%Y-%m-%d}" if moment <= now else f"expires on {moment:%Y-%m-%d}, in {days} days"


async def rotate(current: session.Session, name: str, *, authorities: bool) -> None:
    """Make all certificates new. The virtual cluster is stopped for some seconds, and is then as it was."""
    cluster = await current.find(name)
    if cluster.status not in ("Running", "Paused", "ScaledDown", "Pending"):
        raise errors.UserError(f'the virtual cluster "{name}" is {cluster.status.lower()}: {cluster.detail}')
    backup = await current.driver.rotate_certificates(cluster, authorities=authorities, reporter=current.reporter)
    what = "authorities and certificates" if authorities else "certificates"
    current.reporter.done(
        f"The {what} of {name} are new; the old ones are in {backup}, keys included: remove them later"
    )
    if authorities and (stale := current.files.owned_by(cluster.context_name)):
        current.reporter.warn(_stale(name, stale))


def _stale(name: str, contexts: Sequence[str]) -> str:
    return (
        f"The kubeconfig still trusts the old authority (contexts: {', '.join(contexts)}); "
        f"fetch the new one with: nestling connect {name}"
    )
