"""What the certificates of one virtual control plane say, and how folder and Secret hold them (spec §4.2).

The folder ``pki/`` and the Secret ``NAME-certs`` on the host hold the same files, so that a control plane that lost its
disk keeps its authorities. Pure functions; preparation uses them before anything runs, the keeper afterwards.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path

from nestling.config import model
from nestling.controlplane import authority, pki, sans, settings
from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant


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


def renew(folder: Path, wanted: pki.Request) -> tuple[pki.Files, tuple[str, ...]]:
    """Bring the folder up to date; returns all files and the names of those that changed."""
    files = pki.complete(pki.read(folder), wanted)
    return files, pki.write(folder, files)


def rotated(
    local: pki.Files, stored: pki.Files, wanted: pki.Request, *, authorities: bool
) -> tuple[pki.Files, pki.Files]:
    """The files in use, and all certificates made new; with ``authorities`` those that sign them too.

    The key of service accounts always stays, so that tokens stay valid. An authority that a user put into the folder
    as ``ca``, beside the one in use (``server-ca`` is a copy of that), signs from now on (spec §7).
    """
    old = merge(local, stored)
    if not authorities:
        return old, pki.renew(old, wanted)
    kept = {name: content for name, content in old.items() if name in {"sa.key", "sa.pub"}}
    in_use = old.get("server-ca.crt")
    # A folder that lags behind the Secret, after a crash, must not bring an authority back that was rotated away.
    if {"ca.crt", "ca.key"} <= local.keys() and local.get("server-ca.crt") == in_use != local["ca.crt"]:
        kept |= {name: local[name] for name in ("ca.crt", "ca.key")}
    return old, pki.complete(kept, wanted)


def _is_root(name: str) -> bool:
    return name in {"sa.key", "sa.pub"} or name.endswith(("ca.crt", "ca.key"))
