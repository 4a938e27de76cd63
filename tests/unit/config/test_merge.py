from __future__ import annotations

from nestling.config import load, merge
from nestling.config.models import base
from tests.unit.config.support import config


def test_mappings_merge_and_everything_else_is_replaced() -> None:
    earlier = {"a": {"x": 1, "y": [1, 2]}, "b": {"c": 1}}
    assert merge.overlay(earlier, {"a": {"y": [3], "z": 4}, "b": 5}) == {"a": {"x": 1, "y": [3], "z": 4}, "b": 5}
    assert earlier == {"a": {"x": 1, "y": [1, 2]}, "b": {"c": 1}}


def test_a_later_source_wins() -> None:
    found = load.load(
        [
            load.Source("1", "controlPlane: {proxy: {port: 1, extraSANs: [a, b]}}"),
            load.Source("2", "controlPlane: {proxy: {extraSANs: [c]}}"),
        ],
        ["controlPlane.proxy.port=3"],
    )
    assert found.control_plane.proxy.extra_sans == ["c"]
    assert found.control_plane.proxy.port == 3


def test_free_mappings_merge_over_the_default_of_the_chart() -> None:
    found = config("policies: {limitRange: {default: {memory: 1Gi}}}")
    assert found.policies.limit_range.default == {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "8Gi"}


def test_null_takes_a_default_away() -> None:
    found = config(
        """
        controlPlane:
          statefulSet:
            resources: {limits: {memory: null}}
            scheduling: null
          proxy: {bindAddress: null}
          coredns: {enabled: null}
        policies: {resourceQuota: {enabled: null}}
        """
    )
    assert found.control_plane.stateful_set.resources.limits == {"ephemeral-storage": "10Gi"}
    assert found.control_plane.stateful_set.scheduling.pod_management_policy == ""
    assert found.control_plane.proxy.bind_address == ""
    assert not found.control_plane.coredns.enabled
    assert found.policies.resource_quota.enabled == "false"


def test_null_of_a_later_source_takes_an_earlier_value_away() -> None:
    found = load.load(
        [
            load.Source("1", "exportKubeConfig: {context: mine}"),
            load.Source("2", "exportKubeConfig: {context: null}"),
        ]
    )
    assert found.export_kube_config.context == ""


def test_null_for_an_unset_key_leaves_it_unset() -> None:
    found = config("sleep: null\nserviceCIDR: null\ncontrolPlane: {hostPathMapper: null}\nglobal: null")
    assert (found.sleep, found.service_cidr, found.control_plane.host_path_mapper, found.global_) == (None,) * 4


def test_null_in_entries_of_lists_counts_as_not_written() -> None:
    found = config("exportKubeConfig: {additionalSecrets: [{name: x, context: null, serviceAccount: null}]}")
    (secret,) = found.export_kube_config.additional_secrets
    assert (secret.name, secret.context, secret.service_account) == ("x", None, None)


def test_values_below_free_lists_are_left_alone() -> None:
    found = config("controlPlane: {statefulSet: {env: [{name: A, value: null}]}}")
    assert found.control_plane.stateful_set.env == [{"name": "A", "value": None}]


def test_defaults_are_not_shared_between_configurations() -> None:
    config().control_plane.stateful_set.resources.limits["memory"] = "changed"
    assert config().control_plane.stateful_set.resources.limits["memory"] == "4Gi"


def test_auto_is_decided_by_the_caller() -> None:
    assert base.is_on("auto", auto=True)
    assert not base.is_on("false", auto=True)
    assert base.is_on("true", auto=False)
