"""Which kinds can be synced together (spec §1.8, §2.1, §2.10, §4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nestling.config import errors, model, resolve
from nestling.config.rules import paths

#: Kinds of custom resources that an integration syncs by itself: integration → plural.group.
_OWNED: Final[dict[str, frozenset[str]]] = {
    "certManager": frozenset(
        {"certificates.cert-manager.io", "issuers.cert-manager.io", "clusterissuers.cert-manager.io"}
    ),
    "externalSecrets": frozenset(
        {
            "externalsecrets.external-secrets.io",
            "secretstores.external-secrets.io",
            "clustersecretstores.external-secrets.io",
        }
    ),
    "istio": frozenset(
        {"destinationrules.networking.istio.io", "gateways.networking.istio.io", "virtualservices.networking.istio.io"}
    ),
    "kubeVirt": frozenset(
        {
            "datavolumes.cdi.kubevirt.io",
            "virtualmachines.kubevirt.io",
            "virtualmachineinstances.kubevirt.io",
            "virtualmachineinstancemigrations.kubevirt.io",
            "virtualmachineclones.clone.kubevirt.io",
            "virtualmachinepools.pool.kubevirt.io",
        }
    ),
}


def scheduler_needs_nodes(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """A scheduler that sees only stand-ins cannot place anything (spec §4.1)."""
    if not config.virtual_scheduler_enabled or resolve.private_nodes(config) or config.sync.from_host.nodes.enabled:
        return
    switches = {
        "controlPlane.distro.k8s.scheduler.enabled": config.control_plane.distro.k8s.scheduler.enabled,
        "controlPlane.advanced.virtualScheduler.enabled": config.control_plane.advanced.virtual_scheduler.enabled,
        "sync.toHost.pods.hybridScheduling.enabled": config.sync.to_host.pods.hybrid_scheduling.enabled,
    }
    for key, on in switches.items():
        if on:
            hint = "write sync.fromHost.nodes.enabled: true, or leave the placing of pods to the host"
            yield paths.problem(key, "needs the nodes of the host", hint, "sync.fromHost.nodes.enabled")


def hybrid_needs_a_scheduler(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """Hybrid scheduling divides the pods between a scheduler here and those of the host."""
    own = config.control_plane.distro.k8s.scheduler.enabled or config.control_plane.advanced.virtual_scheduler.enabled
    if config.sync.to_host.pods.hybrid_scheduling.enabled and not own:
        yield paths.problem(
            "sync.toHost.pods.hybridScheduling.enabled",
            "needs a scheduler in the virtual cluster",
            "write controlPlane.distro.k8s.scheduler.enabled: true as well",
            "controlPlane.distro.k8s.scheduler.enabled",
        )


def classes_go_one_way(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """StorageClasses and PriorityClasses come from one side only."""
    to_host, from_host = config.sync.to_host, config.sync.from_host
    both = {
        "storageClasses": to_host.storage_classes.enabled and from_host.storage_classes.enabled == "true",
        "priorityClasses": to_host.priority_classes.enabled and from_host.priority_classes.enabled,
    }
    for kind, conflict in both.items():
        if conflict:
            other = f"sync.fromHost.{kind}.enabled"
            hint = "keep one: toHost for classes of the tenant, fromHost for those of the host"
            yield paths.problem(f"sync.toHost.{kind}.enabled", f"contradicts {other}", hint, other)


def namespaces_exclude_network_policies(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """NetworkPolicies cannot be translated across several host namespaces (spec §1.8, §2.7)."""
    if config.sync.to_host.namespaces.enabled and config.sync.to_host.network_policies.enabled:
        yield paths.problem(
            "sync.toHost.networkPolicies.enabled",
            "does not work with sync.toHost.namespaces",
            "switch one of the two off",
            "sync.toHost.namespaces.enabled",
        )


def custom_resources_have_a_scope(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """Custom resources go to the host only when they are namespaced; names are plural.group[/version]."""
    for name, resource in config.sync.to_host.custom_resources.items():
        place = paths.at("sync.toHost.customResources", name)
        yield from _custom_resource_name(place, name)
        if resource.scope not in (None, "", "Namespaced"):
            yield paths.problem((*place, "scope"), f'is "{resource.scope}"', "write Namespaced")
    for name, mirrored in config.sync.from_host.custom_resources.items():
        place = paths.at("sync.fromHost.customResources", name)
        yield from _custom_resource_name(place, name)
        if mirrored.scope not in (None, "", "Namespaced", "Cluster"):
            yield paths.problem((*place, "scope"), f'is "{mirrored.scope}"', "write Cluster or Namespaced")


def _custom_resource_name(place: errors.Path, name: str) -> Iterator[errors.Finding]:
    plural, _, group = name.partition("/")[0].partition(".")
    if not plural or "." not in group or name.count("/") > 1 or name != name.lower():
        hint = "write plural.group or plural.group/version, such as certificates.cert-manager.io"
        yield paths.problem(place, "does not name a custom resource", hint)


def custom_resources_go_one_way(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """The same custom resource cannot be synced in both directions, or by an integration or proxy too (spec §2.10)."""
    to_host = {name for name, one in config.sync.to_host.custom_resources.items() if one.enabled}
    from_host = {name for name, one in config.sync.from_host.custom_resources.items() if one.enabled}
    both = {name.partition("/")[0] for name in to_host} & {name.partition("/")[0] for name in from_host}
    for name in sorted(to_host):
        if name.partition("/")[0] in both:
            hint = "keep one direction"
            yield paths.problem(
                paths.at("sync.toHost.customResources", name), "is also in sync.fromHost.customResources", hint
            )
    groups = {_group(name) for name, one in config.experimental.proxy.custom_resources.items() if one.enabled}
    for side, names in (("toHost", to_host), ("fromHost", from_host)):
        for name in sorted(names):
            place = paths.at(f"sync.{side}.customResources", name)
            if _group(name) in groups:
                hint = "keep one of the two"
                yield paths.problem(place, "is of a group in experimental.proxy.customResources", hint)
            yield from _owned(config, place, name.partition("/")[0])


def _group(name: str) -> str:
    return name.partition("/")[0].partition(".")[2]


def _owned(config: model.VClusterConfig, place: errors.Path, kind: str) -> Iterator[errors.Finding]:
    integrations = config.integrations
    on = {
        "certManager": integrations.cert_manager.enabled,
        "externalSecrets": integrations.external_secrets.enabled,
        "istio": integrations.istio.enabled,
        "kubeVirt": integrations.kube_virt.enabled,
    }
    for integration, kinds in _OWNED.items():
        if on[integration] and kind in kinds:
            key = f"integrations.{integration}.enabled"
            yield paths.problem(place, f"is already synced by integrations.{integration}", "remove one of the two", key)


RULES: Final = (
    scheduler_needs_nodes,
    hybrid_needs_a_scheduler,
    classes_go_one_way,
    namespaces_exclude_network_policies,
    custom_resources_have_a_scope,
    custom_resources_go_one_way,
)
