"""What virtual objects are called on the host (spec §1.1).

The formulas are those of vCluster, because users write these names into manifests, ingress routes and scripts. They
are not injective: ``a-x-b`` in ``c`` and ``a`` in ``b-x-c`` share a host name, and beyond 63 characters only a hash
of 40 bits tells names apart. So a host object is never believed to be a key's because of its name alone;
``ownership.claims`` decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from nestling.naming.tenant import HostKey, Tenant, VirtualKey

#: The longest label value and the longest DNS label; every name that we make keeps to it.
MAX_LENGTH: Final = 63
#: The ConfigMap with the CA certificates that Kubernetes puts into every namespace.
ROOT_CA: Final = "kube-root-ca.crt"
NODES_DOMAIN: Final = "nodes.vcluster.com"
_KEPT: Final = 52
_DIGEST: Final = 10
_SHORT: Final = 13
_BASE36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def digest(text: str) -> str:
    """The ten hexadecimal characters that stand for a text in names and label keys."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]


def safe(*parts: str) -> str:
    """Join with ``-``; what is longer than 63 bytes is cut and gets a hash of the whole (spec §1.1)."""
    joined = "-".join(parts)
    raw = joined.encode()
    if len(raw) <= MAX_LENGTH:
        return joined
    # a DNS name must not have a part that starts with "-", which a cut behind a dot would give
    return f"{raw[:_KEPT].decode(errors='ignore')}-{digest(joined)}".replace(".-", "-")


def host_name(key: VirtualKey, tenant: Tenant) -> HostKey:
    """Where a virtual object is on the host: ``web`` in ``default`` is ``web-x-default-x-NAME`` in the host namespace.

    A key without namespace is cluster-scoped. An empty name stays empty, so that an unset reference stays unset.
    """
    if not key.namespace:
        return HostKey("", cluster_host_name(key.name, tenant))
    name = safe(key.name, "x", key.namespace, "x", tenant.name) if key.name else ""
    return HostKey(tenant.namespace, name)


def cluster_host_name(name: str, tenant: Tenant) -> str:
    """The host name of a cluster-scoped object."""
    return safe("vcluster", name, "x", tenant.namespace, "x", tenant.name) if name else ""


def short_name(key: VirtualKey, tenant: Tenant) -> str:
    """A host name of 14 characters for kinds that add to names of their own and would run into length limits."""
    if not key.name:
        return ""
    full = f"{key.name}-x-{key.namespace}-x-{tenant.name}"
    return "v" + _base36(hashlib.sha256(full.encode()).digest())[:_SHORT]


def root_ca_name(tenant: Tenant) -> str:
    """The host ConfigMap that carries the virtual ``kube-root-ca.crt``; the host has one of that name itself."""
    return safe("vcluster", ROOT_CA, "x", tenant.name)


def token_secret_name(pod: VirtualKey, tenant: Tenant) -> HostKey:
    """The host Secret with the service account tokens of a virtual pod."""
    return host_name(VirtualKey(pod.namespace, f"{pod.name}-sa-token"), tenant)


def lease_name(tenant: Tenant) -> str:
    """The Lease by which the replicas of a control plane choose who syncs."""
    return safe("vcluster", tenant.name, "controller")


def node_service_name(node: str, tenant: Tenant) -> str:
    """The host Service that is the kubelet of a virtual node.

    ``a.b`` and ``a-b`` give the same name: the label ``labels.NODE`` says which node it is.
    """
    return safe(tenant.name, "node", _dashed(node))


def node_hostname(node: str) -> str:
    """The host name under which the virtual API server finds a node's kubelet."""
    return f"{_dashed(node)}.{NODES_DOMAIN}"


def legacy_node_hostname(node: str, tenant: Tenant) -> str:
    """The longer form of ``node_hostname`` that older clusters wrote and that still has to resolve."""
    return f"{node}.{tenant.name}.{tenant.namespace}.{NODES_DOMAIN}"


def event_name(host_event: str, host_object: str, virtual_object: str) -> str:
    """The virtual name of a host event: ``web-x-default-x-NAME.17ab`` about ``web`` is ``web.17ab``.

    Events usually start with the name of the object that they are about; one that does not keeps its name.
    """
    if not host_object or not host_event.startswith(host_object):
        return host_event
    return virtual_object + host_event.removeprefix(host_object)


def storage_capacity_key(host: HostKey) -> VirtualKey:
    """Where a CSIStorageCapacity of the host, from whichever namespace, is shown in the virtual cluster."""
    return VirtualKey("kube-system", safe(host.name, "x", host.namespace))


def pod_reference(target: Mapping[str, Any], tenant: Tenant) -> dict[str, Any] | None:
    """A reference to a virtual pod (``targetRef`` of an endpoint) in host terms, None when it names anything else.

    UID and resourceVersion belong to the virtual pod and are left out.
    """
    name, namespace = target.get("name"), target.get("namespace")
    if target.get("kind") != "Pod" or not name or not namespace:
        return None
    host = host_name(VirtualKey(namespace, name), tenant)
    kept = {field: value for field, value in target.items() if field not in ("uid", "resourceVersion")}
    return {**kept, "name": host.name, "namespace": host.namespace}


def _dashed(node: str) -> str:
    return node.replace(".", "-")


def _base36(raw: bytes) -> str:
    """Bytes as a big number in base 36, with a ``0`` for each leading zero byte."""
    number = int.from_bytes(raw, "big")
    digits = ""
    while number:
        number, rest = divmod(number, len(_BASE36))
        digits = _BASE36[rest] + digits
    return "0" * (len(raw) - len(raw.lstrip(b"\0"))) + digits
