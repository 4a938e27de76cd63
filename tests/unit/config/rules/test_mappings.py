from __future__ import annotations

import pytest

from nestling.config import errors, rules
from nestling.config.rules import mappings
from tests.unit.config.support import config, problem, where


@pytest.mark.parametrize(
    ("virtual", "host"),
    [("a", "b"), ("team-*", "host-team-*"), ("*", "${name}-*"), ("prod", "${name}-prod"), ("a-*", "${name}-*")],
)
def test_namespace_patterns_that_are_sound(virtual: str, host: str) -> None:
    assert list(mappings.namespace_pattern(virtual, host)) == []


@pytest.mark.parametrize(
    ("virtual", "host", "message"),
    [
        ("a*b", "c*", "has a * inside"),
        ("a*", "c**", "has a * inside"),
        ("a", "b*", 'maps "a" to "b*"'),
        ("a*", "b", 'maps "a*" to "b"'),
        ("a*", "${name}${name}*", "more than once"),
        ("x" * 33 + "*", "b*", "prefix of 33 characters"),
        ("*", "*", "every namespace of the host"),
        ("A", "b", "is no namespace"),
    ],
)
def test_namespace_patterns_that_are_not(virtual: str, host: str, message: str) -> None:
    assert any(message in found for found, _ in mappings.namespace_pattern(virtual, host))


def test_namespace_sync_needs_patterns() -> None:
    assert where("sync: {toHost: {namespaces: {enabled: true}}}") == ["sync.toHost.namespaces.mappings.byName"]
    config("sync: {toHost: {namespaces: {enabled: true, mappings: {byName: {'team-*': '${name}-*'}}}}}")


@pytest.mark.parametrize(
    ("host", "virtual"),
    [
        ("shared/ca", "default/ca"),
        ("shared/ca.crt", "default/ca.crt"),
        ("shared/ca", "default/*"),
        ("shared/*", "config/*"),
        ("/ca", "default/ca"),
        ("", "config"),
        ("", "config/*"),
    ],
)
def test_object_mappings_that_are_sound(host: str, virtual: str) -> None:
    assert list(mappings.object_mapping(host, virtual)) == []


@pytest.mark.parametrize(
    ("host", "virtual"),
    [
        ("shared", "config"),
        ("shared/*", "config"),
        ("shared/*", "config/one"),
        ("shared/ca", "config"),
        ("shared/", "config/x"),
        ("/*", "config/*"),
        ("/ca", "config/*"),
        ("", "config/one"),
        ("", ""),
        ("Shared/*", "config/*"),
        ("a/b/c", "d/e"),
        ("*", "config/*"),
    ],
)
def test_object_mappings_that_are_not(host: str, virtual: str) -> None:
    assert list(mappings.object_mapping(host, virtual)) != []


@pytest.mark.parametrize("kind", ["configMaps", "secrets"])
def test_objects_from_the_host_need_mappings(kind: str) -> None:
    found = problem(f"sync: {{fromHost: {{{kind}: {{enabled: true}}}}}}")
    assert found.path == f"sync.fromHost.{kind}.mappings.byName"
    found = problem(f"sync: {{fromHost: {{{kind}: {{enabled: true, mappings: {{byName: {{a/*: b}}}}}}}}}}")
    assert found.path == f'sync.fromHost.{kind}.mappings.byName["a/*"]'


def test_custom_resources_from_the_host_need_mappings_when_they_are_namespaced() -> None:
    text = "sync: {{fromHost: {{customResources: {{a.b.c: {{enabled: true, scope: {scope}{more}}}}}}}}}"
    assert where(text.format(scope="Namespaced", more="")) != []
    assert where(text.format(scope="Cluster", more=", mappings: {byName: {a/*: b/*}}")) != []
    config(text.format(scope="Namespaced", more=", mappings: {byName: {a/*: b/*}}"))


@pytest.mark.parametrize(
    ("by_name", "message"),
    [
        ("{}", "is empty"),
        ("{a: b/c}", '"a" is no Gateway'),
        ("{a/b: c/*}", 'maps "a/b" to "c/*"'),
        ("{a/b: kube-system/b}", "protected namespace kube-system"),
        ("{a/b: x/y, c/d: x/y}", "same target"),
        ("{a/*: x/*, a/b: x/b}", "is covered by a/* already"),
    ],
)
def test_gateways_have_sound_mappings(by_name: str, message: str) -> None:
    found = problem(f"sync: {{fromHost: {{gateways: {{enabled: true, mappings: {{byName: {by_name}}}}}}}}}")
    assert message in found.message


def test_good_gateway_mappings_pass() -> None:
    config("sync: {fromHost: {gateways: {enabled: true, mappings: {byName: {infra/*: gw/*, other/one: gw2/one}}}}}")


@pytest.mark.parametrize(
    ("host", "refused"), [("vc-*", True), ("${name}-*", True), ("vc-mine", True), ("team-*", False)]
)
def test_no_pattern_covers_the_namespace_of_the_control_plane(host: str, *, refused: bool) -> None:
    virtual = "*" if host.endswith("*") else "a"
    found = config(
        f"sync: {{toHost: {{namespaces: {{enabled: true, mappings: {{byName: {{'{virtual}': '{host}'}}}}}}}}}}"
    )
    if not refused:
        rules.check_tenant(found, name="vc", namespace="vc-mine")
        return
    with pytest.raises(errors.ConfigError, match="covers the namespace of the control plane"):
        rules.check_tenant(found, name="vc", namespace="vc-mine")
