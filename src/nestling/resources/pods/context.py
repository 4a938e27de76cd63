"""What the pod translation has to know besides the pod: one frozen value, so that translating is a pure function.

The verbs of the pod kind fill a ``PodContext`` from configuration and caches; nothing in the translation reads a
cache by itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nestling.kube.resource import CONFIG_MAPS, Obj, Resource
from nestling.naming import names
from nestling.naming.tenant import HostKey, Tenant, VirtualKey
from nestling.resources.pods import options as pod_options

#: What one step of the translation changes in the host pod's spec; None removes the field.
Changes = dict[str, Any]
#: A step: (context, virtual pod, host spec so far) to changes. No step alters what it is given.
Step = Callable[["PodContext", Obj, Obj], Changes]


class Refused(Exception):
    """The pod asks for something that must not reach the host; the message says what and what to do instead."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PodContext:
    """Everything around one virtual pod that its translation depends on."""

    tenant: Tenant
    options: pod_options.PodOptions
    #: ClusterIP of the host Service NAME, the address of the virtual API server; None while the host has not given
    #: one.
    kubernetes_service_ip: str | None
    #: ClusterIP on the host of the virtual Service ``kube-system/kube-dns``; None while there is none.
    dns_ip: str | None
    #: Minor versions of Kubernetes on both sides: 36 for v1.36.3.
    host_minor: int
    virtual_minor: int
    cluster_domain: str = "cluster.local"
    #: The virtual Services of the pod's namespace, for service-link variables.
    services: Sequence[Obj] = ()
    #: Labels of the pod's virtual Namespace.
    namespace_labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    #: UID of the host Service NAME, which owns the pod; None while unknown or when ``setOwner`` is off.
    owner_uid: str | None = None
    #: Does the host serve ``pods/resize`` (it may from 1.33 on)?
    resize: bool = False
    #: Names of the virtual Nodes, where a ``nodeName`` given by the tenant must be one of them; None: not checked.
    known_nodes: frozenset[str] | None = None
    #: Host classes that the tenant may use; None: all. Only looked at when the classes come from the host.
    offered_priority_classes: frozenset[str] | None = None
    offered_runtime_classes: frozenset[str] | None = None
    #: UIDs of other pods of this virtual cluster, virtual to host, for host paths that name one.
    host_uids: Mapping[str, str] = dataclasses.field(default_factory=dict)
    #: Keys of the virtual ConfigMaps and Secrets that containers use as ``envFrom``: (plural, name) to keys. They win
    #: over service variables, as on a kubelet.
    env_from_keys: Mapping[tuple[str, str], frozenset[str]] = dataclasses.field(default_factory=dict)

    def host_name(self, resource: Resource, namespace: str, name: str) -> str:
        """The name on the host of a virtual object that the pod uses (spec §1.1)."""
        if not name:
            return name
        if resource == CONFIG_MAPS and name == names.ROOT_CA:
            return names.root_ca_name(self.tenant)
        return names.host_name(VirtualKey(namespace, name), self.tenant).name

    def host_key(self, virtual: Obj) -> HostKey:
        """The key of the host pod."""
        return names.host_name(key_of(virtual), self.tenant)


def key_of(obj: Obj) -> VirtualKey:
    """The key of a virtual object."""
    meta = obj["metadata"]
    return VirtualKey(meta.get("namespace", ""), meta["name"])


def service_account(pod: Obj) -> str:
    """The virtual ServiceAccount that the pod runs as."""
    spec = pod.get("spec") or {}
    account: str = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
    return account


def controller_of(pod: Obj) -> Obj | None:
    """The owner reference of the object that manages the pod, None when there is none."""
    owners: list[Obj] = pod["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)


def changed(spec: Obj, changes: Changes) -> Obj:
    """The spec with the changes of one step."""
    return {key: value for key, value in {**spec, **changes}.items() if value is not None}
