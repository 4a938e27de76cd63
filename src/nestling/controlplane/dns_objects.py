"""CoreDNS inside the virtual cluster (spec §3.1): its objects as pure functions.

The pods run on the host like every tenant pod. They listen on 1053 and carry ``k8s-app: vcluster-kube-dns``, so that no
selector of the host's own DNS finds them.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from nestling.config import model
from nestling.controlplane import corefile
from nestling.kube.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    ENDPOINTS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Obj,
    Resource,
)
from nestling.naming import name_server

NAMESPACE: Final = name_server.NAMESPACE
NAME: Final = "coredns"
SERVICE: Final = "kube-dns"
DEPLOYMENTS: Final = Resource("apps", "v1", "deployments", "Deployment")
#: The user of the pods where this process runs as root.
USER: Final = 1001
#: CoreDNS version by Kubernetes minor version: what that release of Kubernetes was tested with.
_VERSIONS: Final = {36: "1.14.2", 35: "1.14.1", 34: "1.12.1", 33: "1.12.0", 32: "1.11.3", 31: "1.11.3", 30: "1.11.3"}
_LATEST: Final = "1.14.2"
SELECTOR: Final = name_server.LABELS
_NAMED: Final = {**SELECTOR, "kubernetes.io/name": "CoreDNS"}


@dataclasses.dataclass(frozen=True, slots=True)
class Around:
    """What beside the configuration decides how CoreDNS looks."""

    #: The minor version of Kubernetes: 36 for v1.36.3.
    minor: int
    #: Who answers what the virtual cluster does not know.
    host_dns: str = corefile.RESOLVERS
    user: int = USER
    group: int = USER
    #: Where the embedded server is reached: an address and a port.
    address: str = ""
    port: int = corefile.PORT
    metrics_port: int = corefile.METRICS_PORT


def objects(config: model.VClusterConfig, around: Around) -> list[tuple[Resource, Obj]]:
    """Everything that CoreDNS needs, in the order in which it is applied."""
    if config.control_plane.coredns.embedded:
        return [(SERVICES, service(config)), (ENDPOINTS, endpoints(around))]
    return [
        (SERVICE_ACCOUNTS, {"metadata": {"name": NAME, "namespace": NAMESPACE}}),
        (CLUSTER_ROLES, cluster_role()),
        (CLUSTER_ROLE_BINDINGS, cluster_role_binding()),
        (CONFIG_MAPS, config_map(config, around)),
        (SERVICES, service(config)),
        (DEPLOYMENTS, deployment(config, around)),
    ]


def cluster_role() -> Obj:
    """What CoreDNS may read of the virtual cluster."""
    return {
        "metadata": {"name": f"system:{NAME}", "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
        "rules": [
            {
                "apiGroups": [""],
                "resources": ["endpoints", "services", "pods", "namespaces"],
                "verbs": ["list", "watch"],
            },
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
        ],
    }


def cluster_role_binding() -> Obj:
    """The role for the service account of CoreDNS."""
    return {
        "metadata": {
            "name": f"system:{NAME}",
            "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
            "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
        },
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"system:{NAME}"},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }


def config_map(config: model.VClusterConfig, around: Around) -> Obj:
    """The Corefile. ``NodeHosts`` is added by another duty, as another field owner."""
    written = config.control_plane.coredns.overwrite_config
    data = {"Corefile": written or corefile.text(config, host_dns=around.host_dns)}
    return {"metadata": {"name": NAME, "namespace": NAMESPACE}, "data": data}


def service(config: model.VClusterConfig) -> Obj:
    """``kube-dns``: its ClusterIP is the nameserver of every tenant pod.

    Before the embedded server there is no selector: nobody but us may write its endpoints.
    """
    wanted = config.control_plane.coredns.service
    selector = {} if config.control_plane.coredns.embedded else {"selector": SELECTOR}
    spec = {key: value for key, value in wanted.spec.items() if key != "selector" or selector}
    return {
        "metadata": {
            "name": SERVICE,
            "namespace": NAMESPACE,
            "annotations": {"prometheus.io/port": "9153", "prometheus.io/scrape": "true", **wanted.annotations},
            "labels": {**_NAMED, "kubernetes.io/cluster-service": "true", **wanted.labels},
        },
        "spec": {
            **selector,
            "ports": [
                {"name": "dns", "port": 53, "targetPort": corefile.PORT, "protocol": "UDP"},
                {"name": "dns-tcp", "port": 53, "targetPort": corefile.PORT, "protocol": "TCP"},
                {
                    "name": "metrics",
                    "port": corefile.METRICS_PORT,
                    "targetPort": corefile.METRICS_PORT,
                    "protocol": "TCP",
                },
            ],
            **spec,
        },
    }


def endpoints(around: Around) -> Obj:
    """Where the embedded server listens."""
    ports = [
        {"name": "dns", "port": around.port, "protocol": "UDP"},
        {"name": "dns-tcp", "port": around.port, "protocol": "TCP"},
        {"name": "metrics", "port": around.metrics_port, "protocol": "TCP"},
    ]
    return {
        "metadata": {"name": SERVICE, "namespace": NAMESPACE},
        "subsets": [{"addresses": [{"ip": around.address}], "ports": ports}],
    }


def deployment(config: model.VClusterConfig, around: Around) -> Obj:
    """The Deployment of CoreDNS, without rights and with a read-only file system."""
    wanted = config.control_plane.coredns.deployment
    return {
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "annotations": dict(wanted.annotations),
            "labels": {**_NAMED, **wanted.labels},
        },
        "spec": {
            "replicas": wanted.replicas,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "selector": {"matchLabels": SELECTOR},
            "template": {
                "metadata": {
                    "annotations": dict(wanted.pods.annotations),
                    "labels": {**SELECTOR, **wanted.pods.labels},
                },
                "spec": _pod(config, around),
            },
        },
    }


def _pod(config: model.VClusterConfig, around: Around) -> Obj:
    wanted = config.control_plane.coredns.deployment
    items = [{"key": "Corefile", "path": "Corefile"}, {"key": "NodeHosts", "path": "NodeHosts"}]
    spec: Obj = {
        "serviceAccountName": NAME,
        "dnsPolicy": "Default",
        "securityContext": _pod_security(config),
        "nodeSelector": {"kubernetes.io/os": "linux", **wanted.node_selector},
        "tolerations": wanted.tolerations,
        "affinity": wanted.affinity,
        "topologySpreadConstraints": wanted.topology_spread_constraints,
        "priorityClassName": config.control_plane.coredns.priority_class_name,
        "containers": [_container(config, around)],
        "volumes": [
            {"name": "config-volume", "configMap": {"name": NAME, "items": items}},
            {"name": "custom-config-volume", "configMap": {"name": "coredns-custom", "optional": True}},
        ],
    }
    return {key: value for key, value in spec.items() if value}


def _container(config: model.VClusterConfig, around: Around) -> Obj:
    resources = config.control_plane.coredns.deployment.resources
    return {
        "name": NAME,
        "image": image(config, minor=around.minor),
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "resources": resources.model_dump(by_alias=True, exclude_none=True),
        "volumeMounts": [
            {"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True},
            {"name": "custom-config-volume", "mountPath": "/etc/coredns/custom", "readOnly": True},
        ],
        "ports": [
            {"name": "dns", "containerPort": corefile.PORT, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": corefile.PORT, "protocol": "TCP"},
            {"name": "metrics", "containerPort": corefile.METRICS_PORT, "protocol": "TCP"},
        ],
        "securityContext": _container_security(config, around),
        "livenessProbe": _probe("/health", corefile.HEALTH_PORT, initialDelaySeconds=60, periodSeconds=10),
        "readinessProbe": _probe("/ready", corefile.READY_PORT, periodSeconds=2),
    }


def _pod_security(config: model.VClusterConfig) -> dict[str, Any]:
    """What the configuration says, else what a Pod Security standard asks of pods."""
    written = config.control_plane.coredns.security.pod_security_context
    standard = {"seccompProfile": {"type": "RuntimeDefault"}} if config.policies.pod_security_standard else {}
    return written or standard


def _container_security(config: model.VClusterConfig, around: Around) -> dict[str, Any]:
    return config.control_plane.coredns.security.container_security_context or {
        "allowPrivilegeEscalation": False,
        "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsGroup": around.group,
        "runAsNonRoot": True,
        "runAsUser": around.user,
    }


def image(config: model.VClusterConfig, *, minor: int) -> str:
    """The configured image, else the one that fits the version of Kubernetes."""
    configured = config.control_plane.coredns.deployment.image
    registry = config.control_plane.advanced.default_image_registry.rstrip("/")
    chosen = configured or f"coredns/coredns:{_VERSIONS.get(minor, _LATEST)}"
    return f"{registry}/{chosen}" if registry else chosen


def _probe(path: str, port: int, **timing: int) -> Obj:
    request = {"path": path, "port": port, "scheme": "HTTP"}
    return {"httpGet": request, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3, **timing}


def node_hosts(nodes: list[Obj]) -> str:
    """``<InternalIP> <hostname>`` of each virtual node, sorted: node names resolve to node Services."""
    lines = []
    for node in nodes:
        found = {one["type"]: one["address"] for one in (node.get("status") or {}).get("addresses") or ()}
        if "InternalIP" in found:
            lines.append(f"{found['InternalIP']} {found.get('Hostname', node['metadata']['name'])}")
    return "".join(f"{line}\n" for line in sorted(lines))
