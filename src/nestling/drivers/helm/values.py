"""The values of a release: what helm is given, what it was given, and which changes cannot be made."""

from __future__ import annotations

import base64
import binascii
import copy
import gzip
import json
import zlib
from typing import Any, Final

import yaml

from nestling.binaries import errors as binary_errors
from nestling.binaries import versions
from nestling.config import errors as config_errors
from nestling.config import load, merge, model
from nestling.drivers import base, errors
from nestling.kube import client as kube_client
from nestling.kube import errors as kube_errors
from nestling.kube import resource
from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant

EXTERNAL_ETCD: Final = "external etcd"
DEPLOYED_ETCD: Final = "deployed etcd"
EMBEDDED_ETCD: Final = "embedded etcd"
EXTERNAL_DATABASE: Final = "external database"
EMBEDDED_DATABASE: Final = "embedded database"
#: The data of one store is taken over by another one in these cases only (spec §4.4).
_CHANGES: Final = frozenset(
    {
        (EXTERNAL_ETCD, DEPLOYED_ETCD),
        (EXTERNAL_ETCD, EMBEDDED_ETCD),
        (DEPLOYED_ETCD, EMBEDDED_ETCD),
        (EMBEDDED_DATABASE, DEPLOYED_ETCD),
        (EMBEDDED_DATABASE, EMBEDDED_ETCD),
        (EMBEDDED_DATABASE, EXTERNAL_DATABASE),
    }
)


def for_helm(request: base.CreateRequest, *, desktop: bool) -> str:
    """The values as helm gets them: the user's, and what flags and the kind of host add. Pure."""
    added: dict[str, Any] = {}
    written: dict[str, Any] = yaml.safe_load(request.values) or {}
    k8s = request.config.control_plane.distro.k8s
    if k8s.version:
        added["distro"] = {"k8s": {"version": _image_version(k8s.version)}}
    service = (written.get("controlPlane") or {}).get("service") or {}
    if desktop and request.expose_local and "type" not in (service.get("spec") or {}):
        added["service"] = {"spec": {"type": "NodePort"}}
    if not added:
        return request.values
    return str(yaml.safe_dump(merge.overlay(written, {"controlPlane": added}), sort_keys=False))


def _image_version(text: str) -> str:
    """The tag of the image: a version that we offer in full, another one as it was written."""
    try:
        return versions.resolve(text)
    except binary_errors.BinaryError:
        return text


def store_of(config: model.VClusterConfig) -> str:
    """Which store a configuration chooses. Pure."""
    store = config.control_plane.backing_store
    if store.etcd.external.enabled:
        return EXTERNAL_ETCD
    if store.etcd.deploy.enabled:
        return DEPLOYED_ETCD
    if store.database.external.enabled:
        return EXTERNAL_DATABASE
    return EMBEDDED_DATABASE if store.database.embedded.enabled else EMBEDDED_ETCD


def check_change(before: model.VClusterConfig, after: model.VClusterConfig) -> None:
    """Refuse changes that would lose the data; raises ``UserError``. Pure."""
    old, new = store_of(before), store_of(after)
    if old != new and (old, new) not in _CHANGES:
        raise errors.UserError(
            f"controlPlane.backingStore: the data cannot move from {_article(old)} to {_article(new)}; keep the store "
            f"that it has, or create another virtual cluster and move the objects"
        )
    if before.sync.to_host.namespaces.enabled != after.sync.to_host.namespaces.enabled:
        raise errors.UserError(
            "sync.toHost.namespaces.enabled cannot be changed: the objects on the host would get other names and "
            "namespaces; keep it as it is, or create another virtual cluster"
        )


def _article(store: str) -> str:
    return f"an {store}" if store[0] in "ae" else f"a {store}"


async def before(client: kube_client.Client, tenant: Tenant) -> model.VClusterConfig | None:
    """The configuration that a virtual cluster has; None when nobody can say, as for one of a very old release."""
    text = await config_secret(client, tenant)
    try:
        return load.load([load.Source("vc-config", text)], refuse_unsupported=False) if text else None
    except config_errors.ConfigError:
        return None


async def config_secret(client: kube_client.Client, tenant: Tenant) -> str:
    """All values, from Secret ``vc-config-NAME``; empty when it is not there, or may not be read."""
    try:
        found = await client.get(resource.SECRETS, f"vc-config-{tenant.name}", tenant.namespace)
    except (kube_errors.NotFound, kube_errors.Forbidden):
        return ""
    return base64.b64decode((found.get("data") or {}).get("config.yaml") or "").decode(errors="replace")


async def of_user(client: kube_client.Client, tenant: Tenant) -> str:
    """What the user gave, from the records that helm keeps in Secrets; without any, all values that are in force."""
    selector = f"owner=helm,name={tenant.name}"
    try:
        records = await client.list(resource.SECRETS, tenant.namespace, label_selector=selector)
    except kube_errors.Forbidden:
        records = []
    newest = max(records, key=_revision, default=None)
    told = release(newest) if newest is not None else {}
    if not told:
        return await config_secret(client, tenant)
    # helm leaves the key out when there are none.
    given = told.get("config")
    return str(yaml.safe_dump(given, sort_keys=False, allow_unicode=True)) if given else ""


def _revision(record: Obj) -> int:
    text = (record["metadata"].get("labels") or {}).get("version", "")
    return int(text) if text.isdigit() else 0


def release(record: Obj) -> Obj:
    """What a record of helm says: JSON, compressed, in base64 once by helm and once by Kubernetes. Pure."""
    try:
        packed = base64.b64decode(base64.b64decode((record.get("data") or {}).get("release") or ""))
        found = json.loads(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed or b"{}")
    except (binascii.Error, OSError, EOFError, ValueError, zlib.error):
        return {}
    return copy.deepcopy(found) if isinstance(found, dict) else {}
