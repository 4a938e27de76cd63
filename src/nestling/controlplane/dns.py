"""CoreDNS inside the virtual cluster (spec §3.1): its objects as pure functions, and the duty that applies them.

The pods run on the host like every tenant pod. They listen on 1053 and carry ``k8s-app: vcluster-kube-dns``, so that no
selector of the host's own DNS finds them.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import yaml

from nestling.config import model
from nestling.controlplane import loops
from nestling.kube import client as client_module
from nestling.kube import errors, requests
from nestling.kube.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    NODES,
    SERVICE_ACCOUNTS,
    SERVICES,
    Obj,
    Resource,
)

NAMESPACE: Final = "kube-system"
NAME: Final = "coredns"
SERVICE: Final = "kube-dns"
APP: Final = "vcluster-kube-dns"
DEPLOYMENTS: Final = Resource("apps", "v1", "deployments", "Deployment")
_PORT: Final = 1053
_FIELD_MANAGER: Final = "vcluster-dns"
#: CoreDNS version by Kubernetes minor version: what that release of Kubernetes was tested with.
_VERSIONS: Final = {36: "1.14.2", 35: "1.14.1", 34: "1.12.1", 33: "1.12.0", 32: "1.11.3", 31: "1.11.3", 30: "1.11.3"}
_LATEST: Final = "1.14.2"
_LABELS: Final = {
    "k8s-app": APP,
    "kubernetes.io/cluster-service": "true",
    "kubernetes.io/name": "CoreDNS",
}
_SELECTOR: Final = {"k8s-app": APP}


def objects(config: model.VClusterConfig, *, minor: int) -> list[tuple[Resource, Obj]]:
    """Everything that CoreDNS needs, in the order in which it is applied."""
    return [
        (SERVICE_ACCOUNTS, {"metadata": {"name": NAME, "namespace": NAMESPACE}}),
        (CLUSTER_ROLES, cluster_role()),
        (CLUSTER_ROLE_BINDINGS, cluster_role_binding()),
        (CONFIG_MAPS, config_map(config)),
        (SERVICES, service(config)),
        (DEPLOYMENTS, deployment(config, minor=minor)),
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
        "metadata": {"name": f"system:{NAME}", "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"system:{NAME}"},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }


def config_map(config: model.VClusterConfig) -> Obj:
    """The Corefile. ``NodeHosts`` is added by ``node_hosts``, by another field owner."""
    written = config.control_plane.coredns.overwrite_config
    return {"metadata": {"name": NAME, "namespace": NAMESPACE}, "data": {"Corefile": written or corefile(config)}}


def corefile(config: model.VClusterConfig) -> str:
    """One server for the cluster's names, node names and, for everything else, the resolver of the node."""
    domain = config.networking.advanced.cluster_domain
    zones = [*([domain] if domain != "cluster.local" else []), "cluster.local", "in-addr.arpa", "ip6.arpa"]
    lines = [
        f".:{_PORT} {{",
        "    errors",
        "    health",
        "    ready",
        *_node_names(config),
        f"    kubernetes {' '.join(zones)} {{",
        "        pods insecure",
        "        fallthrough in-addr.arpa ip6.arpa",
        "    }",
        "    hosts /etc/coredns/NodeHosts {",
        "        ttl 60",
        "        reload 15s",
        "        fallthrough",
        "    }",
        "    prometheus :9153",
        "    forward . /etc/resolv.conf",
        "    cache 30",
        "    loop",
        "    reload",
        "    loadbalance",
        "}",
        "import /etc/coredns/custom/*.server",
    ]
    return "\n".join(lines) + "\n"


def _node_names(config: model.VClusterConfig) -> list[str]:
    if not config.networking.advanced.proxy_kubelets.by_hostname:
        return []
    return [r"    rewrite name regex .*\.nodes\.vcluster\.com kubernetes.default.svc.cluster.local"]


def service(config: model.VClusterConfig) -> Obj:
    """``kube-dns``: its ClusterIP is the nameserver of every tenant pod."""
    wanted = config.control_plane.coredns.service
    return {
        "metadata": {
            "name": SERVICE,
            "namespace": NAMESPACE,
            "annotations": {"prometheus.io/port": "9153", "prometheus.io/scrape": "true", **wanted.annotations},
            "labels": {**_LABELS, **wanted.labels},
        },
        "spec": {
            "selector": _SELECTOR,
            "ports": [
                {"name": "dns", "port": 53, "targetPort": _PORT, "protocol": "UDP"},
                {"name": "dns-tcp", "port": 53, "targetPort": _PORT, "protocol": "TCP"},
                {"name": "metrics", "port": 9153, "targetPort": 9153, "protocol": "TCP"},
            ],
            **wanted.spec,
        },
    }


def deployment(config: model.VClusterConfig, *, minor: int) -> Obj:
    """The Deployment of CoreDNS, without rights and with a read-only file system."""
    wanted = config.control_plane.coredns.deployment
    return {
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "annotations": dict(wanted.annotations),
            "labels": {**_LABELS, **wanted.labels},
        },
        "spec": {
            "replicas": wanted.replicas,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "selector": {"matchLabels": _SELECTOR},
            "template": {
                "metadata": {
                    "annotations": dict(wanted.pods.annotations),
                    "labels": {**_SELECTOR, **wanted.pods.labels},
                },
                "spec": _pod(config, minor=minor),
            },
        },
    }


def _pod(config: model.VClusterConfig, *, minor: int) -> Obj:
    wanted = config.control_plane.coredns.deployment
    items = [{"key": "Corefile", "path": "Corefile"}, {"key": "NodeHosts", "path": "NodeHosts"}]
    spec: Obj = {
        "serviceAccountName": NAME,
        "dnsPolicy": "Default",
        "nodeSelector": {"kubernetes.io/os": "linux", **wanted.node_selector},
        "tolerations": wanted.tolerations,
        "affinity": wanted.affinity,
        "topologySpreadConstraints": wanted.topology_spread_constraints,
        "priorityClassName": config.control_plane.coredns.priority_class_name,
        "containers": [_container(config, minor=minor)],
        "volumes": [
            {"name": "config-volume", "configMap": {"name": NAME, "items": items}},
            {"name": "custom-config-volume", "configMap": {"name": "coredns-custom", "optional": True}},
        ],
    }
    return {key: value for key, value in spec.items() if value}


def _container(config: model.VClusterConfig, *, minor: int) -> Obj:
    resources = config.control_plane.coredns.deployment.resources
    return {
        "name": NAME,
        "image": image(config, minor=minor),
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "resources": resources.model_dump(by_alias=True, exclude_none=True),
        "volumeMounts": [
            {"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True},
            {"name": "custom-config-volume", "mountPath": "/etc/coredns/custom", "readOnly": True},
        ],
        "ports": [
            {"name": "dns", "containerPort": _PORT, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": _PORT, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 9153, "protocol": "TCP"},
        ],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsGroup": 1001,
            "runAsNonRoot": True,
            "runAsUser": 1001,
        },
        "livenessProbe": _probe("/health", 8080, initialDelaySeconds=60, timeoutSeconds=5, failureThreshold=5),
        "readinessProbe": _probe("/ready", 8181, periodSeconds=2, timeoutSeconds=1, failureThreshold=3),
    }


def image(config: model.VClusterConfig, *, minor: int) -> str:
    """The configured image, else the one that fits the version of Kubernetes."""
    configured = config.control_plane.coredns.deployment.image
    registry = config.control_plane.advanced.default_image_registry.rstrip("/")
    chosen = configured or f"coredns/coredns:{_VERSIONS.get(minor, _LATEST)}"
    return f"{registry}/{chosen}" if registry else chosen


def _probe(path: str, port: int, **timing: int) -> Obj:
    return {"httpGet": {"path": path, "port": port, "scheme": "HTTP"}, **timing}


def node_hosts(nodes: list[Obj]) -> str:
    """``<InternalIP> <hostname>`` of each virtual node, sorted: node names resolve to node Services."""
    lines = []
    for node in nodes:
        found = {one["type"]: one["address"] for one in (node.get("status") or {}).get("addresses") or ()}
        if "InternalIP" in found:
            lines.append(f"{found['InternalIP']} {node['metadata']['name']}")
    return "".join(f"{line}\n" for line in sorted(lines))


@dataclasses.dataclass(frozen=True, slots=True)
class Dns:
    """The duty: CoreDNS is installed as configured, and knows the nodes."""

    config: model.VClusterConfig
    virtual: client_module.Client

    async def reconcile(self) -> None:
        """Apply everything; server-side apply leaves fields of others alone and writes nothing when nothing differs."""
        if not self.config.control_plane.coredns.enabled:
            return
        version = str((await self.virtual.version())["gitVersion"])
        for resource, obj in self._wanted(minor=int(version.split(".")[1])):
            await self._apply(resource, obj)
        data = {"data": {"NodeHosts": node_hosts(await self.virtual.list(NODES))}}
        await self._apply(
            CONFIG_MAPS, {"metadata": {"name": NAME, "namespace": NAMESPACE}, **data}, manager="vcluster-node-hosts"
        )

    def _wanted(self, *, minor: int) -> list[tuple[Resource, Obj]]:
        written = self.config.control_plane.coredns.overwrite_manifests
        if not written:
            return objects(self.config, minor=minor)
        documents: list[Obj] = [one for one in yaml.safe_load_all(written) if one]
        return [(_resource_of(one), one) for one in documents]

    async def _apply(self, resource: Resource, obj: Obj, *, manager: str = _FIELD_MANAGER) -> None:
        body: dict[str, Any] = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        meta = obj["metadata"]
        try:
            await self._patch(resource, meta, body, manager)
        except errors.Invalid:
            if resource != DEPLOYMENTS:
                raise
            # a Deployment with another selector, of an earlier release: a selector cannot be changed
            await self.virtual.delete(resource, meta["name"], meta.get("namespace"), propagation_policy="Background")
            await self._patch(resource, meta, body, manager)

    async def _patch(self, resource: Resource, meta: Obj, body: Obj, manager: str) -> None:
        await self.virtual.patch(
            resource,
            meta["name"],
            body,
            meta.get("namespace"),
            patch_type=requests.PatchType.APPLY,
            field_manager=manager,
            force=True,
        )


def _resource_of(obj: Obj) -> Resource:
    known = {
        one.kind: one
        for one in (SERVICE_ACCOUNTS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, CONFIG_MAPS, SERVICES, DEPLOYMENTS)
    }
    found = known.get(obj.get("kind", ""))
    if found is None:
        raise loops.NotYetError(
            f"controlPlane.coredns.overwriteManifests has a {obj.get('kind')}, which is not applied; "
            f"write one of {', '.join(known)}"
        )
    return found
