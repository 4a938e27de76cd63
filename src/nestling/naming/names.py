"""Names of host objects (spec §1.1): the formulas of vCluster, byte for byte, since scripts and dashboards depend on
them.

The formula is not injective: ``a-x-b`` in ``c`` and ``a`` in ``b-x-c`` have the same host name. Such a meeting is
found by the marks on the host object (``ownership.claims``), and the second object is refused.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from nestling.naming.tenant import HostKey, Tenant, VirtualKey

#: The longest name that is always valid, as a DNS label and as a label value.
MAX_LENGTH: Final = 63
_HEAD: Final = 52
_DIGEST: Final = 10
_SHORT: Final = 13
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
#: The ConfigMap that every virtual namespace has; all of them are one on the host.
ROOT_CA: Final = "kube-root-ca.crt"


def safe(*parts: str) -> str:
    """The parts joined by hyphens, cut to 63 bytes with a digest of the whole when it is longer."""
    joined = "-".join(parts)
    encoded = joined.encode()
    if len(encoded) <= MAX_LENGTH:
        return joined
    digest = hashlib.sha256(encoded).hexdigest()[:_DIGEST]
    head = encoded[:_HEAD].decode(errors="ignore")
    return f"{head}-{digest}".replace(".-", "-")


def host_name(key: VirtualKey, tenant: Tenant) -> HostKey:
    """Where a namespaced virtual object is on the host; an empty name stays empty."""
    name = safe(key.name, "x", key.namespace, "x", tenant.name) if key.name else ""
    return HostKey(tenant.namespace, name)


def cluster_host_name(name: str, tenant: Tenant) -> str:
    """The host name of a cluster-scoped virtual object."""
    return safe("vcluster", name, "x", tenant.namespace, "x", tenant.name) if name else ""


def short_name(key: VirtualKey, tenant: Tenant) -> str:
    """The short host name, for places where a long one does not fit."""
    digest = hashlib.sha256(f"{key.name}-x-{key.namespace}-x-{tenant.name}".encode()).digest()
    return "v" + _base36(digest)[:_SHORT]


def root_ca_name(tenant: Tenant) -> str:
    """The host ConfigMap that stands for ``kube-root-ca.crt`` of every virtual namespace."""
    return safe("vcluster", ROOT_CA, "x", tenant.name)


def node_service_name(node: str, tenant: Tenant) -> str:
    """The host Service that is the address of a fake node."""
    return safe(tenant.name, "node", node.replace(".", "-"))


def node_hostname(node: str) -> str:
    """The name under which a node's kubelet is asked."""
    return f"{node.replace('.', '-')}.nodes.vcluster.com"


def lease_name(tenant: Tenant) -> str:
    """The Lease of leader election."""
    return safe("vcluster", tenant.name, "controller")


def event_name(host_event: str, host_about: str, virtual_about: str) -> str:
    """A virtual event's name: the host event's with the name of the object that it is about replaced at its start."""
    return virtual_about + host_event.removeprefix(host_about) if host_event.startswith(host_about) else host_event


def pod_reference(target: dict[str, Any], tenant: Tenant) -> dict[str, str] | None:
    """An endpoint's reference to a virtual pod as one to its host pod; None for a reference to anything else.

    UID and resourceVersion are those of another object and are left out.
    """
    if target.get("kind") != "Pod" or not target.get("name"):
        return None
    host = host_name(VirtualKey(target.get("namespace") or "", target["name"]), tenant)
    return {"kind": "Pod", "name": host.name, "namespace": host.namespace}


def _base36(data: bytes) -> str:
    """A big-endian number in base 36, with one leading zero digit for each leading zero byte."""
    number = int.from_bytes(data, "big")
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return "0" * (len(data) - len(data.lstrip(b"\0"))) + digits
