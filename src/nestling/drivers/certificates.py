"""Looking at the certificates of a virtual cluster, and at the kubeconfig that others read them from."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Mapping
from typing import Final

import yaml

from nestling.controlplane import pki
from nestling.kube import client as kube_client
from nestling.kube import errors as kube_errors
from nestling.kube import resource
from nestling.naming.tenant import Tenant

EXPORT_SECONDS: Final = 60.0


def public(files: pki.Files) -> Mapping[str, bytes]:
    """The certificates among the files, those inside kubeconfigs included; no key is among them. Pure."""
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


async def wait_exported(
    client: kube_client.Client, tenant: Tenant, authority: bytes, *, seconds: float = EXPORT_SECONDS
) -> bool:
    """Wait until Secret ``vc-NAME`` holds the authority: ``connect`` reads it. False when it does not come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            data = (await client.get(resource.SECRETS, f"vc-{tenant.name}", tenant.namespace)).get("data") or {}
        except kube_errors.NotFound:
            data = {}
        # An insecure kubeconfig holds no authority.
        if data and base64.b64decode(data.get("certificate-authority") or "") in (b"", authority):
            return True
        await asyncio.sleep(0.1)
    return False
