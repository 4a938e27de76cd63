"""The certificates of an embedded host that runs for years: made new before they end, while it goes on.

A start makes them new too, see `nodes.write`. etcd and the API server read the new files by themselves; every other
process that has read one is ended, and its supervisor starts it again. Pods do not notice.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Final

from nestling.controlplane import authority, pki, supervisor_status
from nestling.local import errors, nodes
from nestling.local import layout as layout_module
from nestling.local import record as record_module

_END_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.05


def due(layout: layout_module.Layout) -> bool:
    """Whether the certificate of the API server ends soon, as all others do that were made with it."""
    try:
        certificate = authority.load_certificate((layout.pki / "apiserver.crt").read_bytes(), name="apiserver.crt")
    except (OSError, authority.CertificateError):
        return True
    return certificate.not_valid_after_utc - authority.utc_now() < pki.RENEWAL_WINDOW


async def renew(record: record_module.Record, layout: layout_module.Layout) -> tuple[str, ...]:
    """Make new what ends soon or has ended on a host that runs; returns the names of the files that changed.

    Raises `HostError` for an authority that cannot be used.
    """
    try:
        changed = await asyncio.to_thread(_rewrite, record, layout)
    except authority.CertificateError as error:
        raise unusable(layout, error) from error
    if changed:
        await _end(layout.folder, nodes.certificate_readers(record))
    return changed


def unusable(layout: layout_module.Layout, error: authority.CertificateError) -> errors.HostError:
    """What is said of certificates that cannot be used or replaced."""
    return errors.HostError(f"certificates in {layout.pki}: {error}")


def _rewrite(record: record_module.Record, layout: layout_module.Layout) -> tuple[str, ...]:
    return pki.write(layout.pki, pki.complete(pki.read(layout.pki), nodes.pki_request(record)))


async def _end(folder: Path, names: tuple[str, ...]) -> None:
    """End processes of a supervisor, and wait until its status no longer calls the old ones ready."""
    status = supervisor_status.read(folder)
    old = {name: status.components[name] for name in names if status and name in status.components}
    for part in old.values():
        if part.pid and supervisor_status.start_time(part.pid) == part.start_time:
            with contextlib.suppress(ProcessLookupError):
                os.kill(part.pid, signal.SIGTERM)
    deadline = time.monotonic() + _END_SECONDS
    while any(_is_same(folder, name, part) for name, part in old.items()):
        if time.monotonic() > deadline:
            return
        await asyncio.sleep(_POLL_SECONDS)


def _is_same(folder: Path, name: str, old: supervisor_status.ComponentStatus) -> bool:
    status = supervisor_status.read(folder)
    now = status.components.get(name) if status else None
    return now is not None and now.pid is not None and (now.pid, now.start_time) == (old.pid, old.start_time)
