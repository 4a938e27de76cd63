from __future__ import annotations

import dataclasses
from collections.abc import Callable

from nestling.config import model
from nestling.controlplane import rbac
from nestling.syncer.rules import FULL, READ, PolicyRule
from tests.unit.controlplane import samples


@dataclasses.dataclass(frozen=True)
class Kind:
    enabled: Callable[[model.VClusterConfig], bool]
    host_rules: tuple[PolicyRule, ...]
    more_host_rules: Callable[[model.VClusterConfig], tuple[PolicyRule, ...]] = lambda _config: ()


PODS = Kind(lambda config: config.sync.to_host.pods.enabled, (PolicyRule(("",), ("pods",), FULL),))
NODES = Kind(lambda config: config.sync.from_host.nodes.enabled, (PolicyRule(("",), ("nodes",), READ, cluster=True),))
KINDS = (PODS, NODES)


def test_a_role_has_the_rules_of_the_enabled_kinds() -> None:
    rules = rbac.role_rules(samples.config(), samples.TENANT, KINDS)
    assert {"apiGroups": [""], "resources": ["pods"], "verbs": sorted(FULL)} in rules


def test_a_kind_that_is_off_brings_no_rule() -> None:
    off = samples.config("sync: {toHost: {pods: {enabled: false}}}")
    assert not any("pods" in rule["resources"] for rule in rbac.role_rules(off, samples.TENANT, KINDS))


def test_secrets_of_others_are_not_readable() -> None:
    rules = rbac.role_rules(samples.config(), samples.TENANT, ())
    secrets = [rule for rule in rules if "secrets" in rule["resources"]]
    for rule in secrets:
        assert rule["verbs"] == ["create"] or rule["resourceNames"] == ["vc-my-vc", "my-vc-certs"]


def test_nothing_is_granted_by_a_wildcard() -> None:
    for rule in rbac.role_rules(samples.config(), samples.TENANT, KINDS):
        assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]


def test_without_cluster_wide_features_there_is_no_cluster_role() -> None:
    assert rbac.cluster_role_rules(samples.config(), KINDS) is None


def test_a_cluster_wide_feature_brings_the_cluster_role_and_the_service_ranges() -> None:
    rules = rbac.cluster_role_rules(samples.config("sync: {fromHost: {nodes: {enabled: true}}}"), KINDS)
    assert rules is not None
    assert [rule["resources"] for rule in rules] == [["nodes"], ["servicecidrs"]]


def test_the_cluster_role_can_be_forced_and_forbidden() -> None:
    forced = samples.config("rbac: {clusterRole: {enabled: true}}")
    forbidden = samples.config("{sync: {fromHost: {nodes: {enabled: true}}}, rbac: {clusterRole: {enabled: false}}}")
    assert rbac.cluster_role_rules(forced, ()) is not None
    assert rbac.cluster_role_rules(forbidden, KINDS) is None


def test_extra_rules_add_and_overwrite_rules_replace() -> None:
    own = "[{apiGroups: [x], resources: [z], verbs: [get]}]"
    rule = {"apiGroups": ["x"], "resources": ["z"], "verbs": ["get"]}
    extra = rbac.role_rules(samples.config(f"rbac: {{role: {{extraRules: {own}}}}}"), samples.TENANT, KINDS)
    assert extra[-1] == rule
    assert len(extra) > 1
    only = rbac.role_rules(samples.config(f"rbac: {{role: {{overwriteRules: {own}}}}}"), samples.TENANT, KINDS)
    assert only == [rule]


def test_leases_only_with_several_replicas() -> None:
    text = "controlPlane: {statefulSet: {highAvailability: {replicas: 3}}}"
    assert any("leases" in rule.resources for rule in rbac.base_rules(samples.config(text), samples.TENANT))
    assert not any("leases" in rule.resources for rule in rbac.base_rules(samples.config(), samples.TENANT))


def test_verbs_of_the_same_resource_are_united() -> None:
    rules = [PolicyRule(("",), ("pods",), ("get",)), PolicyRule(("",), ("pods",), ("list", "get"))]
    assert rbac.render(rules) == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]


def test_kubeconfigs_in_other_namespaces_need_a_role_there() -> None:
    config = samples.config(
        "exportKubeConfig: {additionalSecrets: [{namespace: argo, name: a}, {namespace: argo}, {name: b}]}"
    )
    assert rbac.foreign_secrets(config, samples.TENANT) == {"argo": ("a", "vc-my-vc")}
    rules = rbac.foreign_rules(("a", "vc-my-vc"))
    assert [rule.get("resourceNames") for rule in rules] == [None, ["a", "vc-my-vc"]]


def test_only_the_named_services_of_the_host_are_readable() -> None:
    values = "networking: {replicateServices: {fromHost: [{from: data/pg, to: a/b}, {from: beside, to: a/c}]}}"
    wide = rbac.cluster_role_rules(samples.config(values), ())
    assert wide is not None
    services = {"apiGroups": [""], "resources": ["endpoints", "services"], "verbs": sorted(READ)}
    assert {**services, "resourceNames": ["pg"]} in wide
    own = rbac.role_rules(samples.config(values), samples.TENANT, ())
    assert {"apiGroups": [""], "resources": ["endpoints"], "verbs": sorted(READ), "resourceNames": ["beside"]} in own
    assert not any("endpoints" in rule["resources"] and "resourceNames" not in rule for rule in (*wide, *own))


def test_replicas_on_the_host_need_services_and_no_endpoints_of_their_own() -> None:
    values = "networking: {replicateServices: {toHost: [{from: a/b, to: c}]}}"
    rules = rbac.role_rules(samples.config(values), samples.TENANT, ())
    assert {"apiGroups": [""], "resources": ["services"], "verbs": sorted(FULL)} in rules
    assert {"apiGroups": [""], "resources": ["endpoints"], "verbs": ["list", "watch"]} in rules
