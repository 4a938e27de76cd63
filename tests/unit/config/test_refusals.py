from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nestling.config import errors, fields, legacy, model, refusals, support


def leaves(keys: dict[str, Any], path: errors.Path = ()) -> Iterator[tuple[errors.Path, dict[str, Any]]]:
    for key, node in keys.items():
        if "keys" in node:
            yield from leaves(node["keys"], (*path, key))
        else:
            yield (*path, key), node


def test_the_tree_has_the_keys_that_rows_refuse_and_no_others() -> None:
    refused = {
        path
        for path, field in fields.walk(model.VClusterConfig)
        if "[]" not in path and "<name>" not in path and field.kind is not fields.Kind.SECTION
        if (row := support.find(path)) and row.status in support.REFUSED
        if not any(path[:length] in legacy.REPLACED for length in range(len(path)))
    } | {path for path in legacy.REPLACED if fields.find(model.VClusterConfig, path)}
    assert {path for path, _ in leaves(refusals.tree())} == refused


def test_a_key_says_what_its_row_says() -> None:
    plugins = dict(leaves(refusals.tree()))[("plugins",)]
    row = support.find(("plugins",))
    assert row is not None
    assert plugins == {"feature": "plugins", "refusal": f"is not supported\n    {row.hint}"}


def test_sections_have_the_default_of_their_switch() -> None:
    to_host = refusals.tree()["sync"]["keys"]["toHost"]["keys"]
    assert (to_host["pods"]["enabled"], to_host["ingresses"]["enabled"]) == (True, False)
    assert "enabled" not in refusals.tree()["sync"]


def test_a_default_of_the_chart_is_known_as_one() -> None:
    known = dict(leaves(refusals.tree()))
    assert known[("privateNodes", "autoUpgrade", "concurrency")]["default"] == 1
    assert "default" not in known[("sleep", "auto", "afterInactivity")]


def test_a_key_that_is_in_the_schema_only_to_be_refused_is_refused_whatever_it_says() -> None:
    known = dict(leaves(refusals.tree()))[("rbac", "enableVolumeSnapshotRules")]
    assert known["always"]
    assert known["refusal"] == f"{legacy.OLD}\n    {legacy.REPLACED[('rbac', 'enableVolumeSnapshotRules')]}"
