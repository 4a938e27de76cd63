"""Values of older charts, translated into today's ``vcluster.yaml``: those up to 0.19, and the first chart of 2021.

A table says where each key went; a few keys hold command line flags, which are taken apart. What has no place today
is left out and named, with what to do instead (the table of ``legacy``). Pure.
"""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from nestling.binaries import errors as binary_errors
from nestling.binaries import versions
from nestling.config import errors, legacy, merge

_SET: Final = "controlPlane.statefulSet"
_CLAIM: Final = f"{_SET}.persistence.volumeClaim"
_K8S: Final = "controlPlane.distro.k8s"
_ETCD: Final = "controlPlane.backingStore.etcd"
#: Kinds by the names that they had in ``sync`` and in ``--sync`` → where they are switched on.
_KINDS: Final[Mapping[str, str]] = {
    "services": "sync.toHost.services",
    "configmaps": "sync.toHost.configMaps",
    "secrets": "sync.toHost.secrets",
    "endpoints": "sync.toHost.endpoints",
    "pods": "sync.toHost.pods",
    "persistentvolumeclaims": "sync.toHost.persistentVolumeClaims",
    "ingresses": "sync.toHost.ingresses",
    "persistentvolumes": "sync.toHost.persistentVolumes",
    "storageclasses": "sync.toHost.storageClasses",
    "priorityclasses": "sync.toHost.priorityClasses",
    "networkpolicies": "sync.toHost.networkPolicies",
    "poddisruptionbudgets": "sync.toHost.podDisruptionBudgets",
    "serviceaccounts": "sync.toHost.serviceAccounts",
    "events": "sync.fromHost.events",
    "nodes": "sync.fromHost.nodes",
    "ingressclasses": "sync.fromHost.ingressClasses",
    "hoststorageclasses": "sync.fromHost.storageClasses",
}
#: Old key → today's key, for values that stay as they are.
MOVES: Final[Mapping[str, str]] = {
    **{f"sync.{old}.enabled": f"{new}.enabled" for old, new in _KINDS.items()},
    "sync.configmaps.all": "sync.toHost.configMaps.all",
    "sync.secrets.all": "sync.toHost.secrets.all",
    "sync.nodes.syncAllNodes": "sync.fromHost.nodes.selector.all",
    "sync.nodes.nodeSelector": "sync.fromHost.nodes.selector.labels",
    "sync.nodes.enableScheduler": f"{_K8S}.scheduler.enabled",
    "sync.nodes.syncNodeChanges": "sync.fromHost.nodes.syncBackChanges",
    **{f"{part}.size": f"{_CLAIM}.size" for part in ("storage", "syncer.storage")},
    **{f"{part}.className": f"{_CLAIM}.storageClass" for part in ("storage", "syncer.storage")},
    **{f"{part}.persistence": f"{_CLAIM}.enabled" for part in ("storage", "syncer.storage")},
    "storage.binariesVolume": f"{_SET}.persistence.binariesVolume",
    "syncer.env": f"{_SET}.env",
    "syncer.resources": f"{_SET}.resources",
    "syncer.replicas": f"{_SET}.highAvailability.replicas",
    "syncer.extraVolumeMounts": f"{_SET}.persistence.addVolumeMounts",
    "syncer.labels": f"{_SET}.labels",
    "syncer.annotations": f"{_SET}.annotations",
    "syncer.kubeConfigContextName": "exportKubeConfig.context",
    **{f"syncer.{probe}.enabled": f"{_SET}.probes.{probe}.enabled" for probe in ("livenessProbe", "readinessProbe")},
    "vcluster.env": f"{_K8S}.env",
    "vcluster.resources": f"{_K8S}.resources",
    "mapServices.fromVirtual": "networking.replicateServices.toHost",
    "mapServices.fromHost": "networking.replicateServices.fromHost",
    "proxy.metricsServer.nodes.enabled": "integrations.metricsServer.nodes",
    "proxy.metricsServer.pods.enabled": "integrations.metricsServer.pods",
    "fallbackHostDns": "networking.advanced.fallbackHostCluster",
    "coredns.enabled": "controlPlane.coredns.enabled",
    "coredns.replicas": "controlPlane.coredns.deployment.replicas",
    "coredns.resources": "controlPlane.coredns.deployment.resources",
    "coredns.config": "controlPlane.coredns.overwriteConfig",
    "coredns.manifests": "controlPlane.coredns.overwriteManifests",
    "isolation.podSecurityStandard": "policies.podSecurityStandard",
    "isolation.resourceQuota": "policies.resourceQuota",
    "isolation.limitRange": "policies.limitRange",
    "isolation.networkPolicy.enabled": "policies.networkPolicy.enabled",
    "init.manifests": "experimental.deploy.vcluster.manifests",
    "init.manifestsTemplate": "experimental.deploy.vcluster.manifestsTemplate",
    "init.helm": "experimental.deploy.vcluster.helm",
    "api.extraArgs": f"{_K8S}.apiServer.extraArgs",
    "controller.extraArgs": f"{_K8S}.controllerManager.extraArgs",
    "scheduler.extraArgs": f"{_K8S}.scheduler.extraArgs",
    "etcd.replicas": f"{_ETCD}.deploy.statefulSet.highAvailability.replicas",
    "etcd.resources": f"{_ETCD}.deploy.statefulSet.resources",
    "etcd.storage.size": f"{_ETCD}.deploy.statefulSet.persistence.volumeClaim.size",
    "etcd.storage.className": f"{_ETCD}.deploy.statefulSet.persistence.volumeClaim.storageClass",
    "etcd.storage.persistence": f"{_ETCD}.deploy.statefulSet.persistence.volumeClaim.enabled",
    "embeddedEtcd.enabled": f"{_ETCD}.embedded.enabled",
    "replicas": f"{_SET}.highAvailability.replicas",
    "serviceAccount.create": "controlPlane.advanced.serviceAccount.enabled",
    "serviceAccount.name": "controlPlane.advanced.serviceAccount.name",
    "serviceAccount.imagePullSecrets": "controlPlane.advanced.serviceAccount.imagePullSecrets",
    "workloadServiceAccount.annotations": "controlPlane.advanced.workloadServiceAccount.annotations",
    "rbac.clusterRole.create": "rbac.clusterRole.enabled",
    "rbac.role.create": "rbac.role.enabled",
    "service.type": "controlPlane.service.spec.type",
    "service.annotations": "controlPlane.service.annotations",
    "service.httpsNodePort": "controlPlane.service.httpsNodePort",
    "ingress.enabled": "controlPlane.ingress.enabled",
    "ingress.host": "controlPlane.ingress.host",
    "ingress.pathType": "controlPlane.ingress.pathType",
    "ingress.annotations": "controlPlane.ingress.annotations",
    "ingress.ingressClassName": "controlPlane.ingress.spec.ingressClassName",
    "nodeSelector": f"{_SET}.scheduling.nodeSelector",
    "affinity": f"{_SET}.scheduling.affinity",
    "tolerations": f"{_SET}.scheduling.tolerations",
    "priorityClassName": f"{_SET}.scheduling.priorityClassName",
    "topologySpreadConstraints": f"{_SET}.scheduling.topologySpreadConstraints",
    "podManagementPolicy": f"{_SET}.scheduling.podManagementPolicy",
    "securityContext": f"{_SET}.security.containerSecurityContext",
    "podSecurityContext": f"{_SET}.security.podSecurityContext",
    "labels": f"{_SET}.labels",
    "annotations": f"{_SET}.annotations",
    "podLabels": f"{_SET}.pods.labels",
    "podAnnotations": f"{_SET}.pods.annotations",
    "volumes": f"{_SET}.persistence.addVolumes",
    "globalAnnotations": "controlPlane.advanced.globalMetadata.annotations",
    "defaultImageRegistry": "controlPlane.advanced.defaultImageRegistry",
}
#: Flags of the syncer → today's key; ``[]`` collects a list.
SYNCER_FLAGS: Final[Mapping[str, str]] = {
    "tls-san": "controlPlane.proxy.extraSANs[]",
    "out-kube-config-server": "exportKubeConfig.server",
    "out-kube-config-secret": "exportKubeConfig.secret.name",
    "out-kube-config-secret-namespace": "exportKubeConfig.secret.namespace",
    "kube-config-context-name": "exportKubeConfig.context",
    "service-account": "controlPlane.advanced.workloadServiceAccount.name",
    "cluster-domain": "networking.advanced.clusterDomain",
}
#: Flags of k3s, which held those of the parts that it contains → where the arguments of those are written today.
_PARTS: Final[Mapping[str, str]] = {
    "kube-apiserver-arg": f"{_K8S}.apiServer.extraArgs[]",
    "kube-controller-manager-arg": f"{_K8S}.controllerManager.extraArgs[]",
    "kube-scheduler-arg": f"{_K8S}.scheduler.extraArgs[]",
}
_VERSION: Final = re.compile(r":v?(1\.\d+)")


@dataclasses.dataclass(slots=True)
class Conversion:
    """The values of today, and what could not be carried over."""

    values: dict[str, Any]
    left: list[errors.Finding]


def convert(old: Mapping[str, Any]) -> Conversion:
    """Translate values; those that are of today already stay as they are."""
    rest = copy.deepcopy(dict(old))
    done = Conversion({}, [])
    first_chart = "virtualCluster" in rest
    for source, target in MOVES.items():
        value = _take(rest, source.split("."))
        if value is not None:
            _put(done.values, target, value)
    for chart in ("virtualCluster", "vcluster"):
        _image(done, _take(rest, [chart, "image"]), chart)
        _flags(done, (chart, "extraArgs"), _take(rest, [chart, "extraArgs"]), _of_distribution)
    _flags(done, ("syncer", "extraArgs"), _take(rest, ["syncer", "extraArgs"]), _of_syncer)
    if first_chart and _find(done.values, "sync.toHost.ingresses.enabled") is None:
        # That chart synced Ingresses unless it was told not to.
        done.values = merge.overlay(done.values, {"sync": {"toHost": {"ingresses": {"enabled": True}}}})
    kept, findings = legacy.take_out(_without_empty(rest))
    done.left += findings
    done.values = merge.overlay(done.values, kept)
    return done


def _image(done: Conversion, image: Any, chart: str) -> None:
    """Of an image of a distribution only the version of Kubernetes counts."""
    if image is None:
        return
    found = _VERSION.search(str(image))
    try:
        version = versions.minor(versions.resolve(found[1] if found else "-"))
    except binary_errors.BinaryError:
        said = f"names Kubernetes {found[1]}, which is not offered" if found else "names no version of Kubernetes"
        offered = ", ".join(versions.minor(one) for one in versions.KUBERNETES)
        hint = f"write one of {offered} as {_K8S}.version, or leave it out for {versions.DEFAULT_KUBERNETES}"
        done.left.append(errors.Finding((chart, "image"), f"{said} ({image})", hint))
        return
    _put(done.values, f"{_K8S}.version", version)


def _flags(done: Conversion, path: errors.Path, flags: Any, place: Callable[[Conversion, str, str], bool]) -> None:
    for number, flag in enumerate(flags if isinstance(flags, list) else [flags] if flags else []):
        name, _, value = str(flag).lstrip("-").partition("=")
        if not place(done, name, value):
            hint = "leave it out, or look for its key in docs/configuration.md"
            done.left.append(errors.Finding((*path, number), f"{flag} has no key of its own", hint))


def _of_distribution(done: Conversion, name: str, value: str) -> bool:
    if name == "service-cidr":
        _put(done.values, "serviceCIDR", value)
    elif name in _PARTS:
        _put(done.values, _PARTS[name], f"--{value}")
    else:
        return False
    return True


def _of_syncer(done: Conversion, name: str, value: str) -> bool:
    if name in SYNCER_FLAGS:
        _put(done.values, SYNCER_FLAGS[name], value)
        return True
    if name in ("sync", "disable-sync-resources"):
        return _kinds(done, value.split(","), off=name == "disable-sync-resources")
    return False


def _kinds(done: Conversion, words: Iterable[str], *, off: bool) -> bool:
    """``--sync=nodes,-ingresses``, or before that ``--disable-sync-resources=ingresses``."""
    known = True
    for word in words:
        name = word.strip().removeprefix("-")
        if name in _KINDS:
            _put(done.values, f"{_KINDS[name]}.enabled", not (off or word.strip().startswith("-")))
        else:
            known = False
    return known


def _take(values: dict[str, Any], path: list[str]) -> Any:
    """Remove a value and return it; None when it is not there."""
    here: Any = values
    for part in path[:-1]:
        here = here.get(part) if isinstance(here, dict) else None
    return here.pop(path[-1], None) if isinstance(here, dict) else None


def _find(values: Any, path: str) -> Any:
    for part in path.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values


def _put(values: dict[str, Any], path: str, value: Any) -> None:
    *around, last = path.removesuffix("[]").split(".")
    for part in around:
        values = values.setdefault(part, {})
    if path.endswith("[]"):
        values.setdefault(last, []).append(value)
    else:
        values[last] = value


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    """Without mappings of which nothing is left."""
    kept = {key: _without_empty(value) if isinstance(value, dict) else value for key, value in values.items()}
    return {key: value for key, value in kept.items() if value != {} and value is not None}
