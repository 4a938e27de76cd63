"""Keys of older releases: named together with what replaces them.

Values of the charts up to 0.19 (and of the first chart of 2021) had another shape; a few keys were given up later.
"""

from __future__ import annotations

from typing import Any, Final

from nestling.config import errors

#: What is said of each of them.
OLD: Final = "is a key of an older release"
_K8S: Final = (
    "Nestling runs stock Kubernetes: remove it; its arguments belong to controlPlane.distro.k8s.{part}.extraArgs"
)
_SNAPSHOTS: Final = "remove it: VolumeSnapshots are no longer synced"
_PLUS: Final = "sync.toHost.{0}.enabled"

#: Old key → what to write. The longest match counts; keys below it are not looked at any more.
REPLACED: Final[dict[tuple[str, ...], str]] = {
    # The chart of 2021.
    ("virtualCluster",): "write controlPlane.distro.k8s (version, apiServer.extraArgs, …)",
    ("virtualCluster", "image"): "write controlPlane.distro.k8s.version",
    ("virtualCluster", "extraArgs"): "write controlPlane.distro.k8s.apiServer.extraArgs; --service-cidr is serviceCIDR",
    ("virtualCluster", "baseArgs"): "remove it: the arguments of k3s have no meaning for stock Kubernetes",
    ("storage",): "write controlPlane.statefulSet.persistence.volumeClaim",
    ("storage", "size"): "write controlPlane.statefulSet.persistence.volumeClaim.size",
    ("storage", "className"): "write controlPlane.statefulSet.persistence.volumeClaim.storageClass",
    ("storage", "persistence"): "write controlPlane.statefulSet.persistence.volumeClaim.enabled",
    ("storage", "binariesVolume"): "write controlPlane.statefulSet.persistence.binariesVolume",
    # Charts up to 0.19.
    ("syncer",): "write controlPlane.statefulSet",
    ("syncer", "image"): "write controlPlane.statefulSet.image",
    ("syncer", "extraArgs"): "each flag has a key of its own now, for example --sync is sync.toHost, --tls-san is"
    " controlPlane.proxy.extraSANs, --out-kube-config-server is exportKubeConfig.server",
    ("syncer", "env"): "write controlPlane.statefulSet.env",
    ("syncer", "resources"): "write controlPlane.statefulSet.resources",
    ("syncer", "replicas"): "write controlPlane.statefulSet.highAvailability.replicas",
    ("syncer", "storage"): "write controlPlane.statefulSet.persistence.volumeClaim",
    ("syncer", "volumeMounts"): "write controlPlane.statefulSet.persistence.addVolumeMounts",
    ("syncer", "extraVolumeMounts"): "write controlPlane.statefulSet.persistence.addVolumeMounts",
    ("syncer", "livenessProbe"): "write controlPlane.statefulSet.probes.livenessProbe",
    ("syncer", "readinessProbe"): "write controlPlane.statefulSet.probes.readinessProbe",
    ("syncer", "labels"): "write controlPlane.statefulSet.labels",
    ("syncer", "annotations"): "write controlPlane.statefulSet.annotations",
    ("syncer", "kubeConfigContextName"): "write exportKubeConfig.context",
    ("vcluster",): "write controlPlane.distro.k8s",
    ("vcluster", "image"): "write controlPlane.distro.k8s.version",
    ("vcluster", "extraArgs"): "write controlPlane.distro.k8s.apiServer.extraArgs",
    ("vcluster", "env"): "write controlPlane.distro.k8s.env",
    ("vcluster", "resources"): "write controlPlane.distro.k8s.resources",
    ("sync", "services"): f"write {_PLUS.format('services')}",
    ("sync", "configmaps"): f"write {_PLUS.format('configMaps')}, or .all for every one",
    ("sync", "secrets"): f"write {_PLUS.format('secrets')}, or .all for every one",
    ("sync", "endpoints"): f"write {_PLUS.format('endpoints')}",
    ("sync", "pods"): f"write {_PLUS.format('pods')}",
    ("sync", "pods", "ephemeralContainers"): "remove it: ephemeral containers are always synced",
    ("sync", "pods", "status"): "remove it: the status is always synced",
    ("sync", "events"): "write sync.fromHost.events.enabled",
    ("sync", "persistentvolumeclaims"): f"write {_PLUS.format('persistentVolumeClaims')}",
    ("sync", "ingresses"): f"write {_PLUS.format('ingresses')}",
    ("sync", "ingressclasses"): "write sync.fromHost.ingressClasses.enabled",
    ("sync", "fake-nodes"): "remove it: stand-ins are shown unless sync.fromHost.nodes.enabled is true",
    ("sync", "fake-persistentvolumes"): f"remove it: stand-ins are shown unless {_PLUS.format('persistentVolumes')}",
    ("sync", "nodes"): "write sync.fromHost.nodes",
    ("sync", "nodes", "syncAllNodes"): "write sync.fromHost.nodes.selector.all",
    ("sync", "nodes", "nodeSelector"): "write sync.fromHost.nodes.selector.labels",
    ("sync", "nodes", "enableScheduler"): "write controlPlane.distro.k8s.scheduler.enabled",
    ("sync", "nodes", "syncNodeChanges"): "write sync.fromHost.nodes.syncBackChanges",
    ("sync", "persistentvolumes"): f"write {_PLUS.format('persistentVolumes')}",
    ("sync", "storageclasses"): f"write {_PLUS.format('storageClasses')}",
    ("sync", "hoststorageclasses"): "write sync.fromHost.storageClasses.enabled",
    ("sync", "priorityclasses"): f"write {_PLUS.format('priorityClasses')}",
    ("sync", "networkpolicies"): f"write {_PLUS.format('networkPolicies')}",
    ("sync", "volumesnapshots"): _SNAPSHOTS,
    ("sync", "poddisruptionbudgets"): f"write {_PLUS.format('podDisruptionBudgets')}",
    ("sync", "serviceaccounts"): f"write {_PLUS.format('serviceAccounts')}",
    ("sync", "generic"): "write sync.toHost.customResources and sync.fromHost.customResources",
    ("mapServices",): "write networking.replicateServices",
    ("mapServices", "fromVirtual"): "write networking.replicateServices.toHost",
    ("mapServices", "fromHost"): "write networking.replicateServices.fromHost",
    ("proxy",): "write integrations.metricsServer",
    ("proxy", "metricsServer"): "write integrations.metricsServer (enabled, nodes, pods)",
    ("fallbackHostDns",): "write networking.advanced.fallbackHostCluster",
    ("embeddedDns",): "write controlPlane.coredns.embedded",
    ("coredns",): "write controlPlane.coredns",
    ("coredns", "integrated"): "write controlPlane.coredns.embedded",
    ("coredns", "fallback"): "write policies.networkPolicy.fallbackDns",
    ("coredns", "config"): "write controlPlane.coredns.overwriteConfig",
    ("coredns", "manifests"): "write controlPlane.coredns.overwriteManifests",
    ("isolation",): "write policies",
    ("isolation", "podSecurityStandard"): "write policies.podSecurityStandard",
    ("isolation", "resourceQuota"): "write policies.resourceQuota",
    ("isolation", "limitRange"): "write policies.limitRange",
    ("isolation", "networkPolicy"): "write policies.networkPolicy",
    ("isolation", "enabled"): "write policies.resourceQuota.enabled, policies.limitRange.enabled and"
    " policies.networkPolicy.enabled",
    ("multiNamespaceMode",): "write sync.toHost.namespaces with mappings.byName",
    ("init",): "write experimental.deploy.vcluster",
    ("init", "manifests"): "write experimental.deploy.vcluster.manifests",
    ("init", "manifestsTemplate"): "write experimental.deploy.vcluster.manifestsTemplate",
    ("init", "helm"): "write experimental.deploy.vcluster.helm",
    ("api",): "write controlPlane.distro.k8s.apiServer",
    ("controller",): "write controlPlane.distro.k8s.controllerManager",
    ("scheduler",): "write controlPlane.distro.k8s.scheduler",
    ("etcd",): "write controlPlane.backingStore.etcd.deploy",
    ("embeddedEtcd",): "write controlPlane.backingStore.etcd.embedded",
    ("enableHA",): "write controlPlane.statefulSet.highAvailability.replicas",
    ("replicas",): "write controlPlane.statefulSet.highAvailability.replicas",
    ("serviceAccount",): "write controlPlane.advanced.serviceAccount",
    ("workloadServiceAccount",): "write controlPlane.advanced.workloadServiceAccount",
    ("rbac", "clusterRole", "create"): "write rbac.clusterRole.enabled",
    ("rbac", "role", "create"): "write rbac.role.enabled",
    ("rbac", "role", "extended"): "remove it: the Role holds what the configuration needs",
    ("rbac", "role", "excludedApiResources"): "write rbac.role.overwriteRules",
    ("service",): "write controlPlane.service",
    ("service", "type"): "write controlPlane.service.spec.type",
    ("ingress",): "write controlPlane.ingress",
    ("openshift",): "remove it: the rules that OpenShift needs belong to rbac.role.extraRules",
    ("headless",): "remove it: there is always a control plane",
    ("job",): "remove it: no job is needed",
    ("nodeSelector",): "write controlPlane.statefulSet.scheduling.nodeSelector",
    ("affinity",): "write controlPlane.statefulSet.scheduling.affinity",
    ("tolerations",): "write controlPlane.statefulSet.scheduling.tolerations",
    ("priorityClassName",): "write controlPlane.statefulSet.scheduling.priorityClassName",
    ("topologySpreadConstraints",): "write controlPlane.statefulSet.scheduling.topologySpreadConstraints",
    ("podManagementPolicy",): "write controlPlane.statefulSet.scheduling.podManagementPolicy",
    ("securityContext",): "write controlPlane.statefulSet.security.containerSecurityContext",
    ("podSecurityContext",): "write controlPlane.statefulSet.security.podSecurityContext",
    ("labels",): "write controlPlane.statefulSet.labels",
    ("annotations",): "write controlPlane.statefulSet.annotations",
    ("podLabels",): "write controlPlane.statefulSet.pods.labels",
    ("podAnnotations",): "write controlPlane.statefulSet.pods.annotations",
    ("volumes",): "write controlPlane.statefulSet.persistence.addVolumes",
    ("globalAnnotations",): "write controlPlane.advanced.globalMetadata.annotations",
    ("defaultImageRegistry",): "write controlPlane.advanced.defaultImageRegistry",
    ("monitoring",): "write controlPlane.serviceMonitor",
    ("hostpathMapper",): "write controlPlane.hostPathMapper",
    ("centralAdmission",): "write policies.centralAdmission",
    ("autoDeletePersistentVolumeClaims",): "write controlPlane.statefulSet.persistence.volumeClaim.retentionPolicy",
    ("telemetry", "disabled"): "write telemetry.enabled; Nestling sends nothing in any case",
    ("license",): "remove it: every feature is in the one open build",
    # Given up since 0.20.
    ("controlPlane", "distro", "k3s"): _K8S.format(part="apiServer"),
    ("controlPlane", "distro", "k0s"): _K8S.format(part="apiServer"),
    ("controlPlane", "distro", "eks"): _K8S.format(part="apiServer"),
    ("controlPlane", "virtualScheduler"): "write controlPlane.distro.k8s.scheduler",
    ("external",): "remove it",
    ("external", "platform"): "write platform",
    ("external", "platform", "apiKey"): "write platform.apiKey",
    ("external", "platform", "project"): "write platform.project",
    ("external", "platform", "autoSleep"): "write sleep.auto",
    ("external", "platform", "autoDelete"): "write deletion.auto",
    ("sleepMode",): "write sleep.auto",
    ("sleepMode", "autoSleep"): "write sleep.auto (afterInactivity, schedule, exclude)",
    ("sleepMode", "autoWakeup"): "write sleep.auto.wakeup",
    ("sleepMode", "timeZone"): "write sleep.auto.timezone",
    ("experimental", "isolatedControlPlane"): "remove it: control plane and workloads share a host",
    ("experimental", "multiNamespaceMode"): "write sync.toHost.namespaces with mappings.byName",
    ("experimental", "genericSync"): "write sync.toHost.customResources and sync.fromHost.customResources",
    ("experimental", "sleepMode"): "write sleep.auto",
    ("experimental", "syncSettings", "disableSync"): "remove it: nothing is synced that sync does not switch on",
    ("experimental", "syncSettings", "rewriteKubernetesService"): "remove it: default/kubernetes always leads here",
    ("experimental", "syncSettings", "targetNamespace"): "remove it: workloads run beside the control plane",
    ("experimental", "syncSettings", "syncLabels"): "remove it: all labels are synced",
    # In the schema of the chart only to be refused.
    ("sync", "toHost", "volumeSnapshots"): _SNAPSHOTS,
    ("sync", "toHost", "volumeSnapshotContents"): _SNAPSHOTS,
    ("sync", "fromHost", "volumeSnapshotClasses"): _SNAPSHOTS,
    ("deploy", "volumeSnapshotController"): _SNAPSHOTS,
    ("rbac", "enableVolumeSnapshotRules"): _SNAPSHOTS,
}


def take_out(values: dict[str, Any]) -> tuple[dict[str, Any], list[errors.Finding]]:
    """The values without keys of older releases, and a finding for each of those."""
    findings: list[errors.Finding] = []
    return _clean(values, (), findings), findings


def _clean(values: dict[str, Any], path: tuple[str, ...], findings: list[errors.Finding]) -> dict[str, Any]:
    kept = {}
    for key, value in values.items():
        here = (*path, key)
        below = any(old[: len(here)] == here and len(old) > len(here) for old in REPLACED)
        if here in REPLACED and value is not None:
            findings += _name(value, here)
        elif below and isinstance(value, dict):
            kept[key] = _clean(value, here, findings)
        else:
            kept[key] = value
    return kept


def _name(value: Any, path: tuple[str, ...]) -> list[errors.Finding]:
    """The old keys at and below a path, the most exact ones: ``isolation.limitRange`` rather than ``isolation``."""
    if isinstance(value, dict):
        known = [(*path, key) for key in value if (*path, key) in REPLACED]
        if known:
            nested = [finding for here in known for finding in _name(value[here[-1]], here)]
            rest = [key for key in value if (*path, key) not in REPLACED]
            return nested + [errors.Finding((*path, key), OLD, REPLACED[path]) for key in rest]
    return [errors.Finding(path, OLD, REPLACED[path])]
