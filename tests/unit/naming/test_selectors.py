from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from nestling.naming import labels, selectors
from nestling.naming.tenant import Tenant, VirtualKey
from tests.unit.naming import strategies

VC = Tenant("my-vc", "team-x")
RELEASE = "vcluster.loft.sh/label-my-vc-x-a4d451ec23"
MARK = {labels.MANAGED_BY: "my-vc"}
OWN = {**MARK, labels.NAMESPACE: "default"}


def selects(selector: Mapping[str, Any], pod: Mapping[str, str]) -> bool:
    """The API server's rules."""
    exact = all(pod.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return exact and all(_holds(one, pod) for one in selector.get("matchExpressions") or ())


def _holds(expression: Mapping[str, Any], pod: Mapping[str, str]) -> bool:
    value = pod.get(expression["key"])
    match expression["operator"]:
        case "In":
            return value is not None and value in expression["values"]
        case "NotIn":
            return value not in expression["values"]
        case "Exists":
            return value is not None
        case _:
            return value is None


def test_keys_are_translated_in_both_forms() -> None:
    selector = {
        "matchLabels": {"app": "web", "release": "r"},
        "matchExpressions": [
            {"key": "release", "operator": "Exists"},
            {"key": "tier", "operator": "In", "values": ["a"]},
        ],
    }
    assert selectors.label_selector(selector, VC) == {
        "matchLabels": {"app": "web", RELEASE: "r"},
        "matchExpressions": [
            {"key": RELEASE, "operator": "Exists"},
            {"key": "tier", "operator": "In", "values": ["a"]},
        ],
    }
    assert selector["matchLabels"] == {"app": "web", "release": "r"}


@pytest.mark.parametrize("selector", [None, {}])
def test_a_selector_of_nothing_and_one_of_everything_stay_so(selector: dict[str, Any] | None) -> None:
    assert selectors.label_selector(selector, VC) == selector


def test_a_service_finds_only_pods_of_its_namespace() -> None:
    assert selectors.service_selector({"app": "web", "release": "r"}, "default", VC) == {
        "app": "web",
        RELEASE: "r",
        **OWN,
    }


@pytest.mark.parametrize("selector", [None, {}])
def test_a_service_without_selector_does_not_get_one(selector: dict[str, str] | None) -> None:
    assert selectors.service_selector(selector, "default", VC) is None


def test_a_tenant_cannot_select_by_marks() -> None:
    selector = {labels.MANAGED_BY: "other", labels.NAMESPACE: "kube-system"}
    translated = selectors.service_selector(selector, "default", VC)
    assert translated is not None
    assert {key: translated[key] for key in OWN} == OWN
    assert len(translated) == 4


def test_a_pod_selector_is_kept_to_its_namespace() -> None:
    assert selectors.pod_selector(None, "default", VC) is None
    assert selectors.pod_selector({}, "default", VC) == {"matchLabels": OWN}


def test_a_term_can_name_namespaces() -> None:
    assert selectors.term_selector(
        {"matchLabels": {"app": "web"}}, namespace="default", tenant=VC, namespaces=["b", "a", "b"]
    ) == {
        "matchLabels": {"app": "web", **MARK},
        "matchExpressions": [{"key": labels.NAMESPACE, "operator": "In", "values": ["a", "b"]}],
    }


def test_a_term_can_select_namespaces() -> None:
    team = labels.namespace_label_key("team", VC)
    term = selectors.term_selector(
        {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
        namespace="default",
        tenant=VC,
        namespace_selector={"matchLabels": {"team": "a"}, "matchExpressions": [{"key": "team", "operator": "Exists"}]},
    )
    assert term == {
        "matchLabels": MARK,
        "matchExpressions": [
            {"key": "app", "operator": "Exists"},
            {"key": team, "operator": "In", "values": ["a"]},
            {"key": team, "operator": "Exists"},
        ],
    }


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ({"ipBlock": {"cidr": "10.0.0.0/8"}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}),
        ({"podSelector": {}}, {"podSelector": {"matchLabels": OWN}}),
        ({"namespaceSelector": {}}, {"podSelector": {"matchLabels": MARK}}),
        (
            {"podSelector": {"matchLabels": {"app": "web"}}, "namespaceSelector": {"matchLabels": {"team": "a"}}},
            {
                "podSelector": {
                    "matchLabels": {"app": "web", **MARK},
                    "matchExpressions": [
                        {"key": labels.namespace_label_key("team", VC), "operator": "In", "values": ["a"]}
                    ],
                }
            },
        ),
    ],
)
def test_network_policy_peers_never_leave_the_virtual_cluster(peer: dict[str, Any], expected: dict[str, Any]) -> None:
    assert selectors.network_policy_peer(peer, "default", VC) == expected


_expressions = st.fixed_dictionaries(
    {
        "key": st.sampled_from(["app", "release", labels.NAMESPACE, labels.SERVICE]),
        "operator": st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
        "values": st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=2),
    }
)
_small_maps = st.dictionaries(
    st.sampled_from(["app", "release", labels.NAMESPACE, labels.SERVICE]), st.sampled_from(["a", "b"]), max_size=3
)
_selectors = st.fixed_dictionaries(
    {}, optional={"matchLabels": _small_maps, "matchExpressions": st.lists(_expressions, max_size=2)}
)


@hypothesis.given(_selectors, _small_maps, strategies.keys, strategies.namespaces, strategies.tenants)
def test_a_selector_finds_on_the_host_what_it_finds_in_the_virtual_cluster(
    selector: dict[str, Any], pod: dict[str, str], key: VirtualKey, namespace: str, tenant: Tenant
) -> None:
    host_pod = labels.to_host(pod, key, tenant)
    translated = selectors.pod_selector(selector, namespace, tenant)
    assert translated is not None
    assert selects(translated, host_pod) == (namespace == key.namespace and selects(selector, pod))


@hypothesis.given(_selectors, _selectors, _small_maps, _small_maps, strategies.keys, strategies.tenants)
def test_a_peer_finds_on_the_host_what_it_finds_in_the_virtual_cluster(
    namespace_selector: dict[str, Any],
    selector: dict[str, Any],
    pod: dict[str, str],
    namespace_labels: dict[str, str],
    key: VirtualKey,
    tenant: Tenant,
) -> None:
    host_pod = labels.to_host(pod, key, tenant) | labels.namespace_labels(namespace_labels, tenant)
    peer = {"podSelector": selector, "namespaceSelector": namespace_selector}
    translated = selectors.network_policy_peer(peer, "elsewhere", tenant)
    expected = selects(selector, pod) and selects(namespace_selector, namespace_labels)
    assert selects(translated["podSelector"], host_pod) == expected


@hypothesis.given(_selectors, _small_maps, strategies.keys, strategies.tenants)
def test_no_selector_of_pods_finds_another_tenants_pod_or_the_control_plane(
    selector: dict[str, Any], pod: dict[str, str], key: VirtualKey, tenant: Tenant
) -> None:
    translated = selectors.term_selector(selector, namespace="default", tenant=tenant, namespace_selector={})
    assert translated is not None
    assert not selects(translated, labels.to_host(pod, key, Tenant(f"{tenant.name}-2", tenant.namespace)))
    assert not selects(translated, {"app": "vcluster", "release": tenant.name})


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({}, True),
        ({"matchLabels": {"a": "1"}}, True),
        ({"matchLabels": {"a": "2"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, True),
        ({"matchExpressions": [{"key": "b", "operator": "In", "values": ["1"]}]}, False),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "NotIn", "values": ["1"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, False),
        ({"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]}, False),
    ],
)
def test_which_labels_a_selector_matches(selector: dict[str, Any], expected: bool) -> None:
    assert selectors.matches(selector, {"a": "1"}) is expected


def test_an_operator_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValueError, match='operator "Like" is none of'):
        selectors.matches({"matchExpressions": [{"key": "a", "operator": "Like"}]}, {"a": "1"})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ""),
        ("a=b", ",a=b"),
        ("a==b, c", ",a==b,c"),
        ("a in (x, y),!q,z notin (a,b),n>3,x!=y", ",a in (x, y)"),
        (f"{labels.MANAGED_BY}=other", f",{labels.label_key_to_host(labels.MANAGED_BY, VC)}=other"),
    ],
)
def test_a_narrowing_selector_keeps_to_the_tenant_and_drops_what_the_host_may_add(text: str, wanted: str) -> None:
    own = f"{labels.MANAGED_BY}=my-vc,{labels.NAMESPACE}=default"
    assert selectors.narrowing(text, "default", VC) == own + wanted
    assert selectors.narrowing(text, "", VC) == f"{labels.MANAGED_BY}=my-vc{wanted}"
