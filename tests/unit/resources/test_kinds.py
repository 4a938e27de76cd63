"""A kind is one file, one test file, one configuration key, one RBAC rule, one line of docs: what is missing is named
here.
"""

from __future__ import annotations

import pkgutil
from pathlib import Path

import pytest

from nestling import resources
from nestling.config import load
from nestling.syncer.rules import PolicyRule
from nestling.syncer.spec import Scope, SyncSpec

ROOT = Path(__file__).parents[3]
KINDS = sorted(module.name for module in pkgutil.iter_modules(resources.__path__))
SPECS = resources.specs()
EMPTY = load.load([])
#: Where a kind is switched on and off, when the key is not called like the kind.
KEYS = {
    "endpointslices": "sync.toHost.endpointSlices",
    "events": "sync.fromHost.events",
    "namespaces": "policies.podSecurityStandard",
    "nodes": "sync.fromHost.nodes",
    "nodesfromhost": "sync.fromHost.nodes",
    "podtokens": "sync.toHost.pods",
    "persistentvolumeclaims": "sync.toHost.persistentVolumeClaims",
    "persistentvolumes": "sync.toHost.persistentVolumes",
    "csidrivers": "sync.fromHost.csiDrivers",
    "csinodes": "sync.fromHost.csiNodes",
    "csistoragecapacities": "sync.fromHost.csiStorageCapacities",
    "storageclasses": "sync.fromHost.storageClasses",
    "configmaps": "sync.toHost.configMaps",
    "configmapsfromhost": "sync.fromHost.configMaps",
    "secretsfromhost": "sync.fromHost.secrets",
    "ingressclasses": "sync.fromHost.ingressClasses",
    "runtimeclasses": "sync.fromHost.runtimeClasses",
    "priorityclasses": "sync.fromHost.priorityClasses",
    "serviceaccounts": "sync.toHost.serviceAccounts",
    "networkpolicies": "sync.toHost.networkPolicies",
    "poddisruptionbudgets": "sync.toHost.podDisruptionBudgets",
}
#: Kinds that take the place of the real ones while those are switched off.
INVERTED = frozenset({"nodes", "persistentvolumes"})
#: Kinds that do nothing without being told about what.
MAPPED = frozenset({"sync.fromHost.configMaps", "sync.fromHost.secrets"})


def key_of(spec: SyncSpec) -> str:
    return KEYS.get(spec.name, f"sync.toHost.{spec.name}")


def written(key: str, *, is_on: bool) -> load.Source:
    """A values file that sets a kind's key."""
    if key == "policies.podSecurityStandard":
        standard = "baseline" if is_on else "''"
        return load.Source("values.yaml", f"policies: {{podSecurityStandard: {standard}}}")
    *parents, last = f"{key}.enabled".split(".")
    text = "".join("  " * depth + f"{part}:\n" for depth, part in enumerate(parents))
    inside = "  " * len(parents)
    mappings = f'{inside}mappings: {{byName: {{"shared/*": "config/*"}}}}\n' if key in MAPPED else ""
    return load.Source("values.yaml", f"{text}{inside}{last}: {str(is_on).lower()}\n{mappings}")


def rules_of(spec: SyncSpec) -> tuple[PolicyRule, ...]:
    config = load.load([written(key_of(spec), is_on=spec.name not in INVERTED)])
    return (*spec.host_rules, *spec.more_host_rules(config))


@pytest.mark.parametrize("module", KINDS)
def test_each_module_declares_a_kind(module: str) -> None:
    found = __import__(f"nestling.resources.{module}", fromlist=["SPEC"])
    assert isinstance(getattr(found, "SPEC", None), SyncSpec), f"resources/{module} has no SPEC"


@pytest.mark.parametrize("module", KINDS)
def test_each_kind_has_tests(module: str) -> None:
    places = (f"tests/unit/resources/test_{module}.py", f"tests/unit/resources/{module}/")
    assert any((ROOT / place).exists() for place in places), f"no tests: expected {' or '.join(places)}"


def test_names_are_unique() -> None:
    names = [spec.name for spec in SPECS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_each_kind_has_a_key_that_switches_it_off(spec: SyncSpec) -> None:
    config = load.load([written(key_of(spec), is_on=spec.name in INVERTED)], refuse_unsupported=False)
    assert not spec.enabled(config), f"{key_of(spec)}.enabled does not switch {spec.name} off"


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_each_kind_has_a_key_that_switches_it_on(spec: SyncSpec) -> None:
    config = load.load([written(key_of(spec), is_on=spec.name not in INVERTED)])
    assert spec.enabled(config), f"{key_of(spec)}.enabled does not switch {spec.name} on"


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.host], ids=lambda spec: spec.name)
def test_each_kind_with_a_host_resource_says_what_it_needs_there(spec: SyncSpec) -> None:
    assert spec.host is not None
    for verb in ("list", "watch"):
        assert any(
            spec.host.plural in rule.resources and spec.host.group in rule.api_groups and verb in rule.verbs
            for rule in rules_of(spec)
        ), f"{spec.name} may not {verb} {spec.host.plural} on the host"


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_only_cluster_wide_kinds_ask_for_cluster_wide_rights(spec: SyncSpec) -> None:
    wide = {one.resource.plural for one in spec.watches if one.scope is Scope.CLUSTER}
    if spec.host is not None and (spec.host_scope is Scope.CLUSTER or spec.host_sources is not None):
        wide.add(spec.host.plural)
    assert all(rule.cluster is (set(rule.resources) <= wide) for rule in rules_of(spec))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_each_kind_has_a_line_in_the_docs(spec: SyncSpec) -> None:
    lines = (ROOT / "docs/syncing.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    assert any(f"| {spec.name} " in line and f"`{key_of(spec)}" in line for line in rows), (
        f"docs/syncing.md has no row for {spec.name} with its key {key_of(spec)}"
    )


def test_what_is_on_by_default() -> None:
    assert {spec.name for spec in SPECS if not spec.enabled(EMPTY)} == {
        "configmapsfromhost",
        "csidrivers",
        "csinodes",
        "csistoragecapacities",
        "nodesfromhost",
        "secretsfromhost",
        "ingressclasses",
        "ingresses",
        "namespaces",
        "networkpolicies",
        "poddisruptionbudgets",
        "priorityclasses",
        "runtimeclasses",
        "serviceaccounts",
        "storageclasses",
    }


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_paths_of_rows_do_not_overlap(spec: SyncSpec) -> None:
    paths = [row.path for row in spec.fields]
    inside = [(outer, inner) for outer in paths for inner in paths if outer != inner and inner[: len(outer)] == outer]
    assert inside == []
    assert len(paths) == len(set(paths))
