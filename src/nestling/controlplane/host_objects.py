"""The objects of a virtual cluster on its host: what the chart renders and the local driver creates (spec §5, §6).

Pure functions; the objects are plain dicts, ready to be applied. ``Release`` says who installs, so that the
chart's labels come out the same: ``app``, ``chart``, ``release``, ``heritage``.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Final

from nestling.config import model
from nestling.config.models import advanced_keys
from nestling.config.models import base as config_base
from nestling.controlplane import rbac
from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant

HTTPS_PORT: Final = 443
KUBELET_PORT: Final = 10250


@dataclasses.dataclass(frozen=True, slots=True)
class Release:
    """An installation of a virtual cluster: whose it is, and with which version it was made."""

    tenant: Tenant
    version: str
    #: ``Helm`` for the chart.
    heritage: str = "Helm"

    def labels(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The labels of every object, own ones of a key in the configuration added."""
        own = {
            "app": "vcluster",
            "chart": f"vcluster-{self.version}",
            "release": self.tenant.name,
            "heritage": self.heritage,
        }
        return {**(extra or {}), **own}


def service_account_name(config: model.VClusterConfig, tenant: Tenant) -> str:
    """The ServiceAccount of the control plane."""
    return config.control_plane.advanced.service_account.name or f"vc-{tenant.name}"


def workload_service_account_name(config: model.VClusterConfig, tenant: Tenant) -> str:
    """The ServiceAccount that synced pods run under."""
    return config.control_plane.advanced.workload_service_account.name or f"vc-workload-{tenant.name}"


def cluster_role_name(tenant: Tenant) -> str:
    """The ClusterRole's name, cut as the chart does."""
    return f"vc-{tenant.name}-v-{tenant.namespace}"[:63].rstrip("-")


def everything(config: model.VClusterConfig, release: Release, kinds: Iterable[rbac.Kind], *, values: str) -> list[Obj]:
    """All objects but the EndpointSlices, in an order in which they can be created."""
    kinds = tuple(kinds)
    return [
        *service_accounts(config, release),
        *roles(config, release, kinds),
        *cluster_roles(config, release, kinds),
        *foreign_roles(config, release),
        config_secret(config, release, values),
        *policies(config, release),
        service(config, release),
        headless_service(config, release),
    ]


def service(config: model.VClusterConfig, release: Release, *, selector: bool = False) -> Obj:
    """Service NAME, which owns all that is synced; without a selector :func:`endpoint_slice` says where it leads."""
    own = config.control_plane.service
    spec = dict(own.spec)
    spec.setdefault("ports", _ports(config, spec.get("type", "ClusterIP")))
    if selector:
        spec["selector"] = {"app": "vcluster", "release": release.tenant.name}
    labels = release.labels({**own.labels, "vcluster.loft.sh/service": "true"})
    return _object("v1", "Service", _meta(config, release, release.tenant.name, labels, own.annotations), spec=spec)


def headless_service(config: model.VClusterConfig, release: Release, *, selector: bool = False) -> Obj:
    """Service NAME-headless, which gives the replicas their names."""
    spec: Obj = {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "ports": [
            {"name": "https", "port": HTTPS_PORT, "targetPort": config.control_plane.proxy.port, "protocol": "TCP"}
        ],
    }
    if selector:
        spec["selector"] = {"app": "vcluster", "release": release.tenant.name}
    meta = _meta(config, release, f"{release.tenant.name}-headless", release.labels(), {})
    return _object("v1", "Service", meta, spec=spec)


def endpoint_slice(release: Release, service_name: str, *, address: str, port: int) -> Obj:
    """Where a service without selector leads: the one control plane process outside the cluster."""
    labels = release.labels(
        {"kubernetes.io/service-name": service_name, "endpointslice.kubernetes.io/managed-by": "nestling"}
    )
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": service_name, "namespace": release.tenant.namespace, "labels": labels},
        "addressType": "IPv6" if ":" in address else "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }


def service_accounts(config: model.VClusterConfig, release: Release) -> list[Obj]:
    """The accounts of the control plane and of the synced pods."""
    advanced, tenant = config.control_plane.advanced, release.tenant
    wanted = (
        (advanced.service_account, service_account_name(config, tenant)),
        (advanced.workload_service_account, workload_service_account_name(config, tenant)),
    )
    return [_service_account(config, release, own, name) for own, name in wanted if own.enabled]


def roles(config: model.VClusterConfig, release: Release, kinds: Iterable[rbac.Kind]) -> list[Obj]:
    """Role and RoleBinding ``vc-NAME``; none when ``rbac.role.enabled`` is false."""
    if not config.rbac.role.enabled:
        return []
    meta = _meta(config, release, f"vc-{release.tenant.name}", release.labels(), {})
    return _role_pair(config, release, "Role", meta, rbac.role_rules(config, release.tenant, kinds))


def cluster_roles(config: model.VClusterConfig, release: Release, kinds: Iterable[rbac.Kind]) -> list[Obj]:
    """ClusterRole and ClusterRoleBinding ``vc-NAME-v-NS`` where a feature needs them."""
    rules = rbac.cluster_role_rules(config, kinds)
    if rules is None:
        return []
    meta = _meta(config, release, cluster_role_name(release.tenant), release.labels(), {})
    del meta["namespace"]
    return _role_pair(config, release, "ClusterRole", meta, rules)


def foreign_roles(config: model.VClusterConfig, release: Release) -> list[Obj]:
    """A Role and RoleBinding in each other namespace that gets a kubeconfig Secret."""
    result: list[Obj] = []
    for namespace, names in rbac.foreign_secrets(config, release.tenant).items():
        meta = _meta(config, release, cluster_role_name(release.tenant), release.labels(), {})
        meta["namespace"] = namespace
        result += _role_pair(config, release, "Role", meta, rbac.foreign_rules(names))
    return result


def config_secret(config: model.VClusterConfig, release: Release, values: str) -> Obj:
    """Secret ``vc-config-NAME``, which holds the configuration as the control plane reads it."""
    meta = _meta(config, release, f"vc-config-{release.tenant.name}", release.labels(), {})
    data = {"config.yaml": base64.b64encode(values.encode()).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": data}


def policies(config: model.VClusterConfig, release: Release) -> list[Obj]:
    """ResourceQuota and LimitRange ``vc-NAME``; ``auto`` follows the other one (spec §5)."""
    quota, limits = config.policies.resource_quota, config.policies.limit_range
    result: list[Obj] = []
    if config_base.is_on(quota.enabled, auto=limits.enabled == "true"):
        result.append(_resource_quota(config, release))
    if config_base.is_on(limits.enabled, auto=quota.enabled == "true"):
        result.append(_limit_range(config, release))
    return result


def _resource_quota(config: model.VClusterConfig, release: Release) -> Obj:
    own = config.policies.resource_quota
    spec: Obj = {"hard": _quoted(own.quota)}
    if own.scope_selector.get("matchExpressions"):
        spec["scopeSelector"] = own.scope_selector
    if own.scopes:
        spec["scopes"] = list(own.scopes)
    meta = _meta(config, release, f"vc-{release.tenant.name}", release.labels(own.labels), own.annotations)
    return _object("v1", "ResourceQuota", meta, spec=spec)


def _limit_range(config: model.VClusterConfig, release: Release) -> Obj:
    own = config.policies.limit_range
    limit: Obj = {"type": "Container", "default": _quoted(own.default), "defaultRequest": _quoted(own.default_request)}
    limit |= {key: _quoted(value) for key, value in (("max", own.max), ("min", own.min)) if value}
    meta = _meta(config, release, f"vc-{release.tenant.name}", release.labels(own.labels), own.annotations)
    return _object("v1", "LimitRange", meta, spec={"limits": [limit]})


def _quoted(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in values.items() if value is not None}


def _ports(config: model.VClusterConfig, service_type: str) -> list[Obj]:
    own = config.control_plane.service
    https: Obj = {"name": "https", "port": HTTPS_PORT, "targetPort": config.control_plane.proxy.port, "protocol": "TCP"}
    if own.https_node_port:
        https["nodePort"] = own.https_node_port
    if not config.networking.advanced.proxy_kubelets.by_hostname or service_type == "LoadBalancer":
        return [https]
    kubelet: Obj = {"name": "kubelet", "port": KUBELET_PORT, "targetPort": KUBELET_PORT, "protocol": "TCP"}
    if own.kubelet_node_port:
        kubelet["nodePort"] = own.kubelet_node_port
    return [https, kubelet]


def _service_account(
    config: model.VClusterConfig,
    release: Release,
    own: advanced_keys.ServiceAccount,
    name: str,
) -> Obj:
    result = _object("v1", "ServiceAccount", _meta(config, release, name, release.labels(own.labels), own.annotations))
    advanced = config.control_plane.advanced
    secrets = (*advanced.service_account.image_pull_secrets, *advanced.workload_service_account.image_pull_secrets)
    names = dict.fromkeys(secret.name for secret in secrets if secret.name)
    if names:
        result["imagePullSecrets"] = [{"name": pull_secret} for pull_secret in names]
    return result


def _role_pair(config: model.VClusterConfig, release: Release, kind: str, meta: Obj, rules: list[Obj]) -> list[Obj]:
    """A role, and its binding of the same name to the control plane's account."""
    group = "rbac.authorization.k8s.io"
    subject = {
        "kind": "ServiceAccount",
        "name": service_account_name(config, release.tenant),
        "namespace": release.tenant.namespace,
    }
    role_ref = {"apiGroup": group, "kind": kind, "name": meta["name"]}
    return [
        {"apiVersion": f"{group}/v1", "kind": kind, "metadata": meta, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": f"{kind}Binding",
            "metadata": {**meta},
            "subjects": [subject],
            "roleRef": role_ref,
        },
    ]


def _meta(
    config: model.VClusterConfig, release: Release, name: str, labels: Mapping[str, str], annotations: Mapping[str, str]
) -> Obj:
    meta: Obj = {"name": name, "namespace": release.tenant.namespace, "labels": dict(labels)}
    merged = {**config.control_plane.advanced.global_metadata.annotations, **annotations}
    if merged:
        meta["annotations"] = merged
    return meta


def _object(api_version: str, kind: str, metadata: Obj, *, spec: Obj | None = None) -> Obj:
    result: Obj = {"apiVersion": api_version, "kind": kind, "metadata": metadata}
    if spec is not None:
        result["spec"] = spec
    return result
