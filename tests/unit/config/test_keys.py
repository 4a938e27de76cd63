"""Every key of the Helm values of vCluster exists, with its type and its default."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nestling.config import defaults, describe, errors, fields, model

KEYS = [line.split(" ", 2) for line in (Path(__file__).parent / "data" / "keys.txt").read_text().splitlines()]
FIELDS = dict(fields.walk(model.VClusterConfig))

#: The YAML types of values by how the list of keys calls them.
WORDS = {
    fields.Kind.BOOL: "boolean",
    fields.Kind.STRBOOL: "boolean|string",
    fields.Kind.STR: "string",
    fields.Kind.INT: "integer",
    fields.Kind.ANY: "any",
    fields.Kind.SECTION: "object",
}


def path_of(key: str) -> errors.Path:
    return tuple(key.replace("[]", ".[]").split("."))


def inner(field: fields.Field) -> str:
    if field.section is not None:
        return "object"
    assert field.item is not None
    return {fields.Kind.MAP: "object", fields.Kind.LIST: "[]string"}.get(field.item, WORDS.get(field.item, ""))


def type_of(field: fields.Field) -> set[str]:
    if field.kind is fields.Kind.LIST:
        return {f"[]{inner(field)}"}
    if field.kind is fields.Kind.MAP:
        return {f"map[string]{inner(field)}"} | ({"object"} if field.item is fields.Kind.ANY else set())
    return {WORDS[field.kind]}


@pytest.fixture(scope="module")
def chart() -> dict[str, Any]:
    return defaults.values(model.VClusterConfig.model_construct())


def test_the_list_is_whole() -> None:
    assert len(KEYS) == 1819


def test_every_key_exists_with_its_type() -> None:
    wrong = []
    for key, kind, *_ in KEYS:
        path = path_of(key)
        if path[-1] in ("[]", "<name>"):
            parent = FIELDS.get(path[:-1])
            fits = parent is not None and parent.section is not None and kind == "object"
        else:
            fits = path in FIELDS and kind in type_of(FIELDS[path])
        if not fits:
            wrong.append((key, kind))
    assert wrong == []


def test_no_key_is_there_that_vcluster_does_not_have() -> None:
    known = {path_of(key) for key, *_ in KEYS}
    assert [path for path in FIELDS if path not in known] == []


def test_every_default_is_that_of_the_chart() -> None:
    wrong = []
    for key, _, *default in KEYS:
        if not default or path_of(key)[-1] in ("[]", "<name>"):
            continue
        ours = FIELDS[path_of(key)].default
        theirs = None if default[0] == "-" else json.loads(default[0])
        unset = theirs in (None, [], {}) and ours in (None, [], {})
        if not unset and ours != theirs:
            wrong.append((key, ours, theirs))
    assert wrong == []


def test_sections_are_there_exactly_where_the_chart_writes_them(chart: dict[str, Any]) -> None:
    wrong = []
    for key, kind, *default in KEYS:
        path = path_of(key)
        if kind == "object" and "[]" not in path and "<name>" not in path and FIELDS[path].section is not None:
            holder: Any = chart
            for step in path:
                holder = holder.get(step) if isinstance(holder, dict) else None
            if (holder is None) != (default == ["-"]):
                wrong.append(key)
    assert wrong == []


def test_every_key_is_described() -> None:
    for path, field in FIELDS.items():
        owner = (
            FIELDS[tuple(path[: -1 if path[-2:-1] not in (("[]",), ("<name>",)) else -2])] if len(path) > 1 else None
        )
        section = owner.section if owner is not None else model.VClusterConfig
        assert section is not None
        assert describe.key(section, field), errors.dotted(path)
