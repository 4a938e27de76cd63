"""Affinity and topology spread (spec §2.2)."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.kube.resource import Obj
from nestling.naming import labels
from nestling.resources.pods import translate
from tests.unit.resources.pods import builders as b

MARK = {"vcluster.loft.sh/managed-by": "my-vc"}
OWN = {**MARK, "vcluster.loft.sh/namespace": "default"}
KEY = "topology.kubernetes.io/zone"


def with_term(term: Obj, kind: str = "podAffinity", **meta: Any) -> Obj:
    return b.pod(
        meta=meta, affinity={kind: {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": KEY, **term}]}}
    )


def term_of(virtual: Obj, kind: str = "podAffinity") -> Obj:
    [term] = b.spec_of(virtual)["affinity"][kind]["requiredDuringSchedulingIgnoredDuringExecution"]
    return dict(term)


@pytest.mark.parametrize("kind", ["podAffinity", "podAntiAffinity"])
def test_affinity_selects_the_own_namespace(kind: str) -> None:
    virtual = with_term({"labelSelector": {"matchLabels": {"app": "web"}}}, kind)
    assert term_of(virtual, kind) == {"topologyKey": KEY, "labelSelector": {"matchLabels": {"app": "web", **OWN}}}


def test_affinity_with_namespaces() -> None:
    term = term_of(with_term({"labelSelector": {"matchLabels": {"app": "web"}}, "namespaces": ["b", "a"]}))
    assert "namespaces" not in term
    assert term["labelSelector"]["matchLabels"] == {"app": "web", **MARK}
    assert term["labelSelector"]["matchExpressions"] == [
        {"key": "vcluster.loft.sh/namespace", "operator": "In", "values": ["a", "b"]}
    ]


def test_affinity_with_namespace_selector() -> None:
    selector = {"matchLabels": {"team": "a"}, "matchExpressions": [{"key": "env", "operator": "Exists"}]}
    term = term_of(with_term({"labelSelector": {}, "namespaceSelector": selector}))
    assert "namespaceSelector" not in term
    assert term["labelSelector"]["matchLabels"] == MARK
    assert term["labelSelector"]["matchExpressions"] == [
        {"key": labels.namespace_label_key("team", b.TENANT), "operator": "In", "values": ["a"]},
        {"key": labels.namespace_label_key("env", b.TENANT), "operator": "Exists"},
    ]


def test_affinity_with_empty_namespace_selector_means_all_of_the_tenants() -> None:
    assert term_of(with_term({"labelSelector": {}, "namespaceSelector": {}}))["labelSelector"] == {"matchLabels": MARK}


def test_affinity_with_both_warns_and_ignores_the_selector() -> None:
    virtual = with_term({"labelSelector": {}, "namespaces": ["a"], "namespaceSelector": {"matchLabels": {"x": "y"}}})
    assert term_of(virtual)["labelSelector"]["matchExpressions"] == [
        {"key": "vcluster.loft.sh/namespace", "operator": "In", "values": ["a"]}
    ]
    [warning] = translate.warnings(virtual)
    assert "spec.affinity.podAffinity" in warning


def test_affinity_without_label_selector_still_selects_nothing() -> None:
    assert term_of(with_term({"namespaces": ["a"]})) == {"topologyKey": KEY}


def test_affinity_preferred_terms_keep_their_weight() -> None:
    preferred = [{"weight": 5, "podAffinityTerm": {"topologyKey": KEY, "labelSelector": {"matchLabels": {"a": "b"}}}}]
    virtual = b.pod(affinity={"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}})
    [found] = b.spec_of(virtual)["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert found == {
        "weight": 5,
        "podAffinityTerm": {"topologyKey": KEY, "labelSelector": {"matchLabels": {"a": "b", **OWN}}},
    }


def test_affinity_to_a_reserved_label_is_translated() -> None:
    term = term_of(with_term({"labelSelector": {"matchLabels": {"release": "x"}}}))
    assert term["labelSelector"]["matchLabels"] == {labels.label_key_to_host("release", b.TENANT): "x", **OWN}


def test_affinity_match_label_keys_are_written_out_once() -> None:
    merged = {"key": "hash", "operator": "In", "values": ["1"]}
    term = {
        "labelSelector": {"matchExpressions": [merged]},
        "matchLabelKeys": ["hash", "gone"],
        "mismatchLabelKeys": ["tenant"],
    }
    found = term_of(with_term(term, labels={"hash": "1", "tenant": "a"}))
    assert not {"matchLabelKeys", "mismatchLabelKeys"} & found.keys()
    assert found["labelSelector"]["matchExpressions"] == [
        merged,
        {"key": "tenant", "operator": "NotIn", "values": ["a"]},
    ]


def test_node_affinity_is_copied() -> None:
    affinity: Obj = {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": []}]}}
    }
    assert b.spec_of(b.pod(affinity=affinity))["affinity"] == affinity


def test_topology_spread_counts_the_own_namespace() -> None:
    constraint = {
        "maxSkew": 1,
        "topologyKey": KEY,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    [found] = b.spec_of(b.pod(topologySpreadConstraints=[constraint]))["topologySpreadConstraints"]
    assert found == {**constraint, "labelSelector": {"matchLabels": {"app": "web", **OWN}}}


def test_topology_spread_match_label_keys_are_written_out() -> None:
    constraint = {"maxSkew": 1, "topologyKey": KEY, "labelSelector": {}, "matchLabelKeys": ["hash"]}
    virtual = b.pod(meta={"labels": {"hash": "1"}}, topologySpreadConstraints=[constraint])
    [found] = b.spec_of(virtual)["topologySpreadConstraints"]
    assert found["labelSelector"] == {
        "matchLabels": OWN,
        "matchExpressions": [{"key": "hash", "operator": "In", "values": ["1"]}],
    }
    assert "matchLabelKeys" not in found


def test_topology_spread_without_selector_still_counts_nothing() -> None:
    constraint = {"maxSkew": 1, "topologyKey": KEY}
    assert b.spec_of(b.pod(topologySpreadConstraints=[constraint]))["topologySpreadConstraints"] == [constraint]
