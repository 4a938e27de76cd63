from __future__ import annotations

import pytest

from tests.unit.config.support import config, problem, where


def patched(*entries: str, kind: str = "pods") -> str:
    return f"sync: {{toHost: {{{kind}: {{patches: [{', '.join(entries)}]}}}}}}"


@pytest.mark.parametrize(
    "entry",
    [
        "{path: spec.x, expression: value}",
        "{path: spec.x, expression: value, reverseExpression: value}",
        "{path: spec.x, reverseExpression: value}",
        "{path: '', expression: value}",
        "{path: spec.x, reference: {apiVersion: v1, kind: Secret, namePath: name}}",
        "{path: spec.x, reference: {apiVersionPath: a, kindPath: b}}",
        """{path: 'metadata.annotations["a.b/c"]', expression: value}""",
    ],
)
def test_patches_that_are_sound(entry: str) -> None:
    config(patched(entry))


@pytest.mark.parametrize(
    ("entry", "path", "message"),
    [
        ("{expression: value}", ".path", "is missing"),
        ("{path: metadata.name, expression: value}", ".path", "cannot be patched"),
        ("{path: metadata.namespace, expression: value}", ".path", "cannot be patched"),
        ("{path: spec.x}", "", "changes nothing"),
        (
            "{path: a, expression: b, reference: {apiVersion: v1, kind: Secret}}",
            "",
            "combines expression and reference",
        ),
        ("{path: spec.x, reference: {apiVersion: v1}}", ".reference.kind", "is missing"),
        ("{path: spec.x, reference: {kind: Secret}}", ".reference.apiVersion", "is missing"),
        ("{path: spec.x, labels: {}}", ".labels", "custom resources only"),
    ],
)
def test_patches_that_are_not(entry: str, path: str, message: str) -> None:
    found = problem(patched(entry))
    assert found.path == f"sync.toHost.pods.patches[0]{path}"
    assert message in found.message


def test_a_path_is_patched_once() -> None:
    text = patched("{path: a, expression: x}", "{path: b, expression: x}", "{path: a, expression: other}")
    assert where(text) == ["sync.toHost.pods.patches[2].path"]


def test_patches_of_custom_resources_are_checked_too() -> None:
    resource = "{enabled: true, patches: [{path: spec.x, labels: {}}, {path: spec.y}]}"
    text = f"sync: {{toHost: {{customResources: {{a.b.c: {resource}}}}}}}"
    assert where(text) == ['sync.toHost.customResources["a.b.c"].patches[1]']
