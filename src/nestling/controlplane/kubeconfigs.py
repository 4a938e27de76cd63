"""What the exported kubeconfigs and their Secrets say (spec §4.3): pure functions of configuration and credentials."""

from __future__ import annotations

import base64
import dataclasses
from typing import Final

import yaml

from nestling.config import model
from nestling.config.models import kubeconfig_keys
from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant

ADMIN_NAME: Final = "kubernetes"


@dataclasses.dataclass(frozen=True, slots=True)
class ServiceAccountRef:
    """A service account of the virtual cluster, and the ClusterRole to give it."""

    name: str
    namespace: str = "kube-system"
    cluster_role: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """One Secret to write: where, and what its kubeconfig says."""

    namespace: str
    name: str
    server: str
    context: str = ""
    insecure: bool = False
    service_account: ServiceAccountRef | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Credentials:
    """What a kubeconfig authenticates with: a client certificate or a token; never shown in a repr."""

    ca: bytes
    client_cert: bytes = dataclasses.field(default=b"", repr=False)
    client_key: bytes = dataclasses.field(default=b"", repr=False)
    token: str = dataclasses.field(default="", repr=False)


def targets(
    config: model.VClusterConfig, tenant: Tenant, *, port: int, address: str = "localhost"
) -> tuple[Target, ...]:
    """All Secrets that the configuration asks for, the default one first."""
    export = config.export_kube_config
    own = f"vc-{tenant.name}"
    default = Target(
        namespace=tenant.namespace,
        name=own,
        server=export.server or f"https://{address}:{port}",
        context=export.context,
        insecure=export.insecure,
        service_account=_reference(export.service_account),
    )
    found = [default]
    if export.secret.name or export.secret.namespace:
        found.append(
            dataclasses.replace(
                default, name=export.secret.name or own, namespace=export.secret.namespace or tenant.namespace
            )
        )
    found.extend(
        Target(
            namespace=extra.namespace or tenant.namespace,
            name=extra.name or own,
            server=extra.server or f"https://{address}:{port}",
            context=extra.context or "",
            insecure=bool(extra.insecure),
            service_account=_reference(extra.service_account),
        )
        for extra in export.additional_secrets
    )
    return tuple({(target.namespace, target.name): target for target in reversed(found)}.values())[::-1]


def kubeconfig(target: Target, credentials: Credentials) -> str:
    """The kubeconfig as YAML; ``context`` names cluster, user and context, as vCluster does."""
    cluster: Obj = {"server": target.server}
    if target.insecure:
        cluster["insecure-skip-tls-verify"] = True
    else:
        cluster["certificate-authority-data"] = _b64(credentials.ca)
    user: Obj = (
        {"token": credentials.token}
        if credentials.token
        else {
            "client-certificate-data": _b64(credentials.client_cert),
            "client-key-data": _b64(credentials.client_key),
        }
    )
    cluster_name = target.context or ADMIN_NAME
    user_name = target.context or f"{ADMIN_NAME}-super-admin"
    context = target.context or f"{user_name}@{cluster_name}"
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": cluster_name, "cluster": cluster}],
            "users": [{"name": user_name, "user": user}],
            "contexts": [{"name": context, "context": {"cluster": cluster_name, "user": user_name}}],
            "current-context": context,
        },
        sort_keys=False,
    )


def secret(target: Target, credentials: Credentials, tenant: Tenant, owner: Obj | None) -> Obj:
    """The Secret; owned by the host Service NAME where it is in the same namespace."""
    metadata: Obj = {
        "name": target.name,
        "namespace": target.namespace,
        "labels": {"app": "vcluster", "vcluster-name": tenant.name, "vcluster-namespace": tenant.namespace},
    }
    if owner is not None and target.namespace == tenant.namespace:
        metadata["ownerReferences"] = [owner]
    data = {
        "config": kubeconfig(target, credentials).encode(),
        "certificate-authority": b"" if target.insecure else credentials.ca,
        "client-certificate": b"" if credentials.token else credentials.client_cert,
        "client-key": b"" if credentials.token else credentials.client_key,
        "token": credentials.token.encode(),
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": metadata,
        "data": {key: _b64(value) for key, value in data.items()},
    }


def is_ours(existing: Obj, tenant: Tenant) -> bool:
    """May this Secret be overwritten: it carries our label, or nothing but keys that we write."""
    labels = existing["metadata"].get("labels") or {}
    if labels.get("vcluster-name") == tenant.name:
        return bool(labels.get("vcluster-namespace", tenant.namespace) == tenant.namespace)
    return not existing.get("data")


def differs(existing: Obj, wanted: Obj) -> bool:
    """Is anything missing or changed that we care for? Labels and keys of others are left in peace."""
    labels = existing["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in wanted["metadata"]["labels"].items()):
        return True
    uids = {owner.get("uid") for owner in existing["metadata"].get("ownerReferences") or []}
    if any(owner["uid"] not in uids for owner in wanted["metadata"].get("ownerReferences") or []):
        return True
    data = existing.get("data") or {}
    return any(data.get(key, "") != value for key, value in wanted["data"].items())


def token_of(existing: Obj | None) -> str:
    """The token in an existing Secret, empty when there is none or it is unreadable."""
    encoded = ((existing or {}).get("data") or {}).get("token") or ""
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (ValueError, UnicodeDecodeError):
        return ""


def _reference(
    account: kubeconfig_keys.KubeConfigServiceAccount | kubeconfig_keys.AdditionalServiceAccount | None,
) -> ServiceAccountRef | None:
    if account is None or not account.name:
        return None
    return ServiceAccountRef(
        name=account.name, namespace=account.namespace or "kube-system", cluster_role=account.cluster_role or ""
    )


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def decode(text: str) -> bytes:
    """The bytes of a base64 field of a kubeconfig."""
    return base64.b64decode(text)
