"""What the control plane may do on the host: its Role and, only where a feature needs one, its ClusterRole (spec §6).

The rules come from the synced kinds that are switched on, plus the few that the control plane itself needs. Nobody
gets a permission for a feature that is off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from nestling.config import model
from nestling.config.models import base
from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant
from nestling.syncer.rules import FULL, READ, WATCH, PolicyRule

_Key = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]


class Kind(Protocol):
    """What of a ``SyncSpec`` matters here."""

    @property
    def host_rules(self) -> tuple[PolicyRule, ...]:
        """What syncing this kind needs on the host."""

    def more_host_rules(self, config: model.VClusterConfig, /) -> tuple[PolicyRule, ...]:
        """What it needs there with this configuration."""

    def enabled(self, config: model.VClusterConfig, /) -> bool:
        """Is the kind synced?"""


def base_rules(config: model.VClusterConfig, tenant: Tenant) -> tuple[PolicyRule, ...]:
    """What the control plane needs whatever is synced.

    Services are created for the dry run of the service range detection only; the namespace's workloads are listed
    to notice a second virtual cluster.
    """
    own_secrets = (f"vc-{tenant.name}", f"{tenant.name}-certs", *_secret_names(config, tenant))
    rules = [
        PolicyRule(("",), ("services",), (*READ, "create")),
        PolicyRule(("",), ("services",), ("patch",), (tenant.name,)),
        PolicyRule(("",), ("secrets",), ("create",)),
        PolicyRule(("",), ("secrets",), (*READ, "patch"), tuple(dict.fromkeys(own_secrets))),
        PolicyRule(("apps",), ("statefulsets", "deployments"), ("list",)),
    ]
    if config.control_plane.stateful_set.high_availability.replicas > 1:
        rules.append(PolicyRule(("coordination.k8s.io",), ("leases",), ("get", "create", "update")))
    return tuple(rules)


def enabled_rules(config: model.VClusterConfig, kinds: Iterable[Kind]) -> tuple[PolicyRule, ...]:
    """The rules of all kinds that are switched on."""
    return tuple(
        rule for kind in kinds if kind.enabled(config) for rule in (*kind.host_rules, *kind.more_host_rules(config))
    )


def integration_rules(config: model.VClusterConfig) -> tuple[PolicyRule, ...]:
    """What showing the host's metrics to tenants needs: of pods in the own namespace, of nodes everywhere."""
    wanted = config.integrations.metrics_server
    found = {"pods": wanted.pods, "nodes": wanted.nodes}
    return tuple(
        PolicyRule(("metrics.k8s.io",), (name,), ("get", "list"), cluster=name == "nodes")
        for name, on in found.items()
        if on and wanted.enabled
    )


def replication_rules(config: model.VClusterConfig) -> tuple[PolicyRule, ...]:
    """What Services on both sides need: writing in the own namespace, reading the named ones elsewhere.

    Endpoints are written on the host only where those of tenants are synced, with the rights of that kind.
    """
    wanted = config.networking.replicate_services
    rules = []
    if wanted.to_host:
        rules += [PolicyRule(("",), ("services",), FULL), PolicyRule(("",), ("endpoints",), WATCH)]
    sources = [entry.from_ or "" for entry in wanted.from_host]
    own = tuple(dict.fromkeys(source for source in sources if "/" not in source))
    foreign = tuple(dict.fromkeys(source.rpartition("/")[2] for source in sources if "/" in source))
    if own:
        rules.append(PolicyRule(("",), ("endpoints",), READ, own))
    if foreign:
        rules.append(PolicyRule(("",), ("endpoints", "services"), READ, foreign, cluster=True))
    return tuple(rules)


def _wanted(config: model.VClusterConfig, kinds: Iterable[Kind]) -> tuple[PolicyRule, ...]:
    return (*enabled_rules(config, kinds), *integration_rules(config), *replication_rules(config))


def role_rules(config: model.VClusterConfig, tenant: Tenant, kinds: Iterable[Kind]) -> list[Obj]:
    """The rules of Role ``vc-NAME``; ``rbac.role.overwriteRules`` replaces them, ``extraRules`` adds to them."""
    role = config.rbac.role
    if role.overwrite_rules:
        return list(role.overwrite_rules)
    wanted = [*base_rules(config, tenant), *_wanted(config, kinds)]
    return [*render(rule for rule in wanted if not rule.cluster), *role.extra_rules]


def cluster_role_rules(config: model.VClusterConfig, kinds: Iterable[Kind]) -> list[Obj] | None:
    """The rules of ClusterRole ``vc-NAME-v-NS``; None when there is to be none.

    The service range objects are readable only where a ClusterRole exists anyway: without one the range is found
    in another way.
    """
    role = config.rbac.cluster_role
    wanted = [rule for rule in _wanted(config, kinds) if rule.cluster]
    if not base.is_on(role.enabled, auto=bool(wanted or role.extra_rules or role.overwrite_rules)):
        return None
    if role.overwrite_rules:
        return list(role.overwrite_rules)
    ranges = PolicyRule(("networking.k8s.io",), ("servicecidrs",), ("list",), cluster=True)
    return [*render([ranges, *wanted]), *role.extra_rules]


def foreign_secrets(config: model.VClusterConfig, tenant: Tenant) -> dict[str, tuple[str, ...]]:
    """The kubeconfig Secrets outside the own namespace: namespace to names. Each namespace needs a Role of its own."""
    found: dict[str, list[str]] = {}
    for secret in config.export_kube_config.additional_secrets:
        if secret.namespace and secret.namespace != tenant.namespace:
            found.setdefault(secret.namespace, []).append(secret.name or f"vc-{tenant.name}")
    old = config.export_kube_config.secret
    if old.namespace and old.namespace != tenant.namespace:
        found.setdefault(old.namespace, []).append(old.name or f"vc-{tenant.name}")
    return {namespace: tuple(dict.fromkeys(names)) for namespace, names in found.items()}


def foreign_rules(names: Sequence[str]) -> list[Obj]:
    """What writing kubeconfig Secrets into another namespace needs there."""
    return render(
        [
            PolicyRule(("",), ("secrets",), ("create",)),
            PolicyRule(("",), ("secrets",), (*READ, "patch"), tuple(names)),
        ]
    )


def render(rules: Iterable[PolicyRule]) -> list[Obj]:
    """RBAC rules as objects; the verbs of equal resources are united, and the order does not depend on the input's."""
    verbs: dict[_Key, set[str]] = {}
    for rule in rules:
        key = (tuple(sorted(rule.api_groups)), tuple(sorted(rule.resources)), rule.resource_names)
        verbs.setdefault(key, set()).update(rule.verbs)
    return [_rule(key, wanted) for key, wanted in sorted(verbs.items())]


def _rule(key: _Key, verbs: set[str]) -> Obj:
    groups, resources, names = key
    result: Obj = {"apiGroups": list(groups), "resources": list(resources), "verbs": sorted(verbs)}
    if names:
        result["resourceNames"] = list(names)
    return result


def _secret_names(config: model.VClusterConfig, tenant: Tenant) -> list[str]:
    export = config.export_kube_config
    names = [s.name for s in export.additional_secrets if s.name and s.namespace in {None, "", tenant.namespace}]
    if export.secret.name and export.secret.namespace in {"", tenant.namespace}:
        names.append(export.secret.name)
    return names
