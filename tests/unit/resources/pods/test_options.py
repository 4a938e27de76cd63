"""Options from the configuration (spec §2.2)."""

from __future__ import annotations

import pytest

from nestling.config import load
from nestling.kube.resource import Obj
from nestling.resources.pods import options
from nestling.syncer import tolerations
from tests.unit.resources.pods import builders as b


def read(text: str = "") -> options.PodOptions:
    # also keys of kinds that are not synced yet
    config = load.load([load.Source("test.yaml", text)], refuse_unsupported=False)
    return options.from_config(config, b.TENANT)


def test_options_default_as_in_the_chart() -> None:
    found = read()
    assert found.service_account == "vc-workload-my-vc"
    assert found.priority_classes is options.PriorityClasses.OFF
    assert found.rewrite_hosts.enabled
    assert found.rewrite_hosts.image == "mirror.gcr.io/library/alpine:3.20"
    assert found.rewrite_hosts.resources == options.RewriteHosts().resources
    assert found.rewrite_hosts.user_id != 0
    assert (found.image_map, found.tolerations, found.node_labels) == ({}, (), {})
    assert not found.virtual_scheduler
    assert not found.host_path_mapper
    assert not found.sync_service_accounts
    assert found.host_schedulers is None


def test_the_default_registry_replaces_that_of_the_image_which_rewrites_hosts() -> None:
    found = read("controlPlane: {advanced: {defaultImageRegistry: mirror.example/}}")
    assert found.rewrite_hosts.image == "mirror.example/library/alpine:3.20"


def test_options_are_read_from_the_configuration() -> None:
    found = read("""
sync:
  toHost:
    serviceAccounts: {enabled: true}
    resourceClaimTemplates: {enabled: true}
    pods:
      translateImage: {a: b}
      enforceTolerations: ["key=value:NoSchedule", "*"]
      priorityClassName: low
      runtimeClassName: gvisor
      rewriteHosts: {enabled: false}
  fromHost:
    priorityClasses: {enabled: true}
    nodes: {enabled: true, selector: {labels: {pool: x}}}
controlPlane:
  advanced:
    workloadServiceAccount: {name: runner}
""")
    assert found.sync_service_accounts
    assert found.resource_claim_templates
    assert found.image_map == {"a": "b"}
    assert found.tolerations == (
        {"key": "key", "operator": "Equal", "value": "value", "effect": "NoSchedule"},
        {"operator": "Exists"},
    )
    assert (found.priority_class_name, found.runtime_class_name, found.service_account) == ("low", "gvisor", "runner")
    assert not found.rewrite_hosts.enabled
    assert found.priority_classes is options.PriorityClasses.FROM_HOST
    assert found.node_labels == {"pool": "x"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b:NoExecute", {"key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute"}),
        ("a:NoSchedule", {"key": "a", "operator": "Exists", "effect": "NoSchedule"}),
        ("a=b", {"key": "a", "operator": "Equal", "value": "b"}),
        ("a", {"key": "a", "operator": "Exists"}),
        ("*", {"operator": "Exists"}),
        ("*:NoSchedule", {"operator": "Exists", "effect": "NoSchedule"}),
    ],
)
def test_enforced_toleration_syntax(text: str, expected: Obj) -> None:
    assert tolerations.parse(text) == expected


@pytest.mark.parametrize("text", ["", ":NoSchedule", "a:", "a:Never", "=b"])
def test_enforced_toleration_that_is_wrong_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="toleration"):
        tolerations.parse(text)


@pytest.mark.parametrize(
    "key", ["distro: {k8s: {scheduler: {enabled: true}}}", "advanced: {virtualScheduler: {enabled: true}}"]
)
def test_both_keys_switch_the_virtual_scheduler_on(key: str) -> None:
    found = read(f"sync: {{fromHost: {{nodes: {{enabled: true}}}}}}\ncontrolPlane: {{{key}}}")
    assert found.virtual_scheduler
