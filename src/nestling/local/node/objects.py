"""What a host with a real node holds from its start: storage class, DNS, resource metrics. Pure functions."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Final

from nestling.kube import resource
from nestling.kube.resource import Obj, Resource
from nestling.local import manifests
from nestling.local.node import files, parts, spec

NAMESPACE: Final = "kube-system"
API_SERVICES: Final = Resource("apiregistration.k8s.io", "v1", "apiservices", "APIService", namespaced=False)
_READ: Final = ["get", "list", "watch"]


def everything(node: spec.Spec, *, authority: bytes) -> list[tuple[Resource, Obj]]:
    """All objects, to be applied in any order; the authority signed the certificate of metrics-server."""
    return [
        (resource.STORAGE_CLASSES, manifests.storage_class(real=True)),
        *_served_by_a_process("kube-dns", node, [("dns", "UDP", 53, 53), ("dns-tcp", "TCP", 53, 53)]),
        *_served_by_a_process("metrics-server", node, [("https", "TCP", 443, files.METRICS_PORT)]),
        *_rights(
            parts.DNS_USER,
            [
                _rule([""], ["endpoints", "services", "pods", "namespaces"], ["list", "watch"]),
                _rule(["discovery.k8s.io"], ["endpointslices"], ["list", "watch"]),
            ],
        ),
        *_rights(
            parts.METRICS_USER,
            [
                _rule([""], ["nodes/metrics"], ["get"]),
                _rule([""], ["pods", "nodes", "namespaces", "configmaps"], _READ),
                _rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
                _rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"]),
            ],
        ),
        (API_SERVICES, _metrics_api(authority)),
    ]


def _metrics_api(authority: bytes) -> Obj:
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "caBundle": base64.b64encode(authority).decode(),
            "service": {"name": "metrics-server", "namespace": NAMESPACE, "port": 443},
        },
    }


def _served_by_a_process(
    name: str, node: spec.Spec, ports: Sequence[tuple[str, str, int, int]]
) -> list[tuple[Resource, Obj]]:
    """A Service without selector, and where it leads: a process on the node."""
    service: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"k8s-app": name}},
        "spec": {
            "ports": [
                {"name": label, "protocol": protocol, "port": port, "targetPort": target}
                for label, protocol, port, target in ports
            ]
        },
    }
    if name == "kube-dns":
        service["spec"]["clusterIP"] = files.dns_address(node.service_cidr)
    slices: Obj = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [node.address], "conditions": {"ready": True}}],
        "ports": [{"name": label, "protocol": protocol, "port": target} for label, protocol, _, target in ports],
    }
    return [(resource.SERVICES, service), (resource.ENDPOINT_SLICES, slices)]


def _rights(user: str, rules: list[Obj]) -> list[tuple[Resource, Obj]]:
    rbac = "rbac.authorization.k8s.io"
    role: Obj = {
        "apiVersion": f"{rbac}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": user},
        "rules": rules,
    }
    binding: Obj = {
        "apiVersion": f"{rbac}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": user},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": user},
        "subjects": [{"apiGroup": rbac, "kind": "User", "name": user}],
    }
    return [(resource.CLUSTER_ROLES, role), (resource.CLUSTER_ROLE_BINDINGS, binding)]


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> Obj:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}
