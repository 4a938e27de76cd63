from __future__ import annotations

import pytest

from nestling.config import structure
from tests.unit.config.support import problem, problems, where


@pytest.mark.parametrize(
    ("text", "path", "message", "hint"),
    [
        ("sync: {toHost: {pods: {enabled: 'true'}}}", "sync.toHost.pods.enabled", 'is the text "true"', "true"),
        (
            "sync: {toHost: {pods: {enabled: maybe}}}",
            "sync.toHost.pods.enabled",
            'is the text "maybe"',
            "true or false",
        ),
        ("sync: {toHost: {pods: 5}}", "sync.toHost.pods", "is the number 5", "indented below it"),
        ("sync: [a]", "sync", "is a list", "indented below it"),
        (
            "controlPlane: {distro: {k8s: {version: 1.30}}}",
            "controlPlane.distro.k8s.version",
            "is the number 1.30",
            'put it in quotes: "1.30"',
        ),
        (
            "controlPlane: {ingress: {host: yes}}",
            "controlPlane.ingress.host",
            "is yes",
            'put it in quotes: "yes"',
        ),
        ("controlPlane: {proxy: {port: '8443'}}", "controlPlane.proxy.port", 'is the text "8443"', "quotes: 8443"),
        ("controlPlane: {proxy: {port: 8443.5}}", "controlPlane.proxy.port", "is the number 8443.5", "whole number"),
        ("controlPlane: {proxy: {port: true}}", "controlPlane.proxy.port", "is true", "whole number"),
        (
            "controlPlane: {proxy: {extraSANs: a.example}}",
            "controlPlane.proxy.extraSANs",
            'is the text "a.example"',
            'write a list: ["a.example"]',
        ),
        (
            "controlPlane: {proxy: {extraSANs: [1.5]}}",
            "controlPlane.proxy.extraSANs[0]",
            "is the number 1.5",
            'put it in quotes: "1.5"',
        ),
        (
            "sync: {fromHost: {nodes: {selector: {labels: {disk.type: 5}}}}}",
            'sync.fromHost.nodes.selector.labels["disk.type"]',
            "is the number 5",
            'put it in quotes: "5"',
        ),
        (
            "policies: {resourceQuota: {enabled: perhaps}}",
            "policies.resourceQuota.enabled",
            'is the text "perhaps"',
            "auto, true or false",
        ),
        ("policies: {limitRange: {default: [a]}}", "policies.limitRange.default", "is a list", "mapping"),
        (
            "exportKubeConfig: {additionalSecrets: [x]}",
            "exportKubeConfig.additionalSecrets[0]",
            'is the text "x"',
            "indented below it",
        ),
        (
            "exportKubeConfig: {additionalSecrets: [{name: 5}]}",
            "exportKubeConfig.additionalSecrets[0].name",
            "is the number 5",
            "quotes",
        ),
        (
            "sync: {toHost: {customResources: {a.b.c: {enabled: 1}}}}",
            'sync.toHost.customResources["a.b.c"].enabled',
            "is the number 1",
            "true or false",
        ),
    ],
)
def test_wrong_types_say_what_it_is_and_what_to_write(text: str, path: str, message: str, hint: str) -> None:
    found = problem(text)
    assert (found.path, found.message, found.line) == (path, message, 1)
    assert hint in found.hint


@pytest.mark.parametrize(
    ("text", "path", "meant"),
    [
        ("sync: {toHost: {pod: {}}}", "sync.toHost.pod", "sync.toHost.pods?"),
        ("sync: {to_host: {}}", "sync.to_host", "sync.toHost?"),
        ("controlplane: {}", "controlplane", "controlPlane?"),
        ("controlPlane: {proxy: {extraSans: []}}", "controlPlane.proxy.extraSans", "controlPlane.proxy.extraSANs?"),
        ("rewriteHosts: {}", "rewriteHosts", "sync.toHost.pods.rewriteHosts?"),
        ("statefulSet: {}", "statefulSet", "or controlPlane.statefulSet?"),
        (
            "exportKubeConfig: {additionalSecrets: [{nam: x}]}",
            "exportKubeConfig.additionalSecrets[0].nam",
            "additionalSecrets[0].name?",
        ),
    ],
)
def test_unknown_keys_come_with_what_was_meant(text: str, path: str, meant: str) -> None:
    found = next(one for one in problems(text) if one.path == path)
    assert found.message == "is not a key of vcluster.yaml"
    assert meant in found.hint


def test_unknown_keys_come_with_those_that_are_allowed() -> None:
    assert "allowed here: toHost, fromHost" in problem("sync: {xyz: 1}").hint


def test_all_problems_at_once() -> None:
    found = where(
        """
        sync: {toHost: {pods: {enabled: 5, nope: 1}}}
        controlPlane: {proxy: {port: x}, distro: {k8s: {version: zzz}}}
        nonsense: 1
        """
    )
    assert found == [
        "sync.toHost.pods.enabled",
        "sync.toHost.pods.nope",
        "controlPlane.distro.k8s.version",
        "controlPlane.proxy.port",
        "nonsense",
    ]


def test_several_broken_entries_of_one_list() -> None:
    assert where("controlPlane: {proxy: {extraSANs: [1, ok, 2, ok, 3]}}") == [
        "controlPlane.proxy.extraSANs[0]",
        "controlPlane.proxy.extraSANs[2]",
        "controlPlane.proxy.extraSANs[4]",
    ]


def test_a_broken_key_breaks_no_rule_on_top() -> None:
    text = "sync: {fromHost: {secrets: {enabled: true, mappings: {byName: [a]}}}}"
    assert where(text) == ["sync.fromHost.secrets.mappings.byName"]


def test_values_of_secret_keys_are_not_repeated() -> None:
    text = "experimental: {deploy: {vcluster: {helm: [{chart: {password: 12345}}]}}}"
    found = problem(text)
    assert "12345" not in str(found)
    assert found.message == "is a value of the wrong kind"


@pytest.mark.parametrize(
    ("word", "meant"), [("extrasans", "extraSANs"), ("extra-sans", "extraSANs"), ("prot", "port"), ("zzz", None)]
)
def test_closest(word: str, meant: str | None) -> None:
    assert structure.closest(word, ["bindAddress", "port", "extraSANs"]) == meant
