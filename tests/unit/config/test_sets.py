from __future__ import annotations

from typing import Any

import pytest

from nestling.config import sets


def applied(*texts: str, onto: dict[str, Any] | None = None) -> dict[str, Any]:
    values = onto or {}
    for text in texts:
        sets.apply(values, text)
    return values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=true", True),
        ("a=false", False),
        ("a=null", None),
        ("a=5", 5),
        ("a=-5", -5),
        ("a=0", 0),
        ("a=007", "007"),
        ("a=1.5", "1.5"),
        ("a=", ""),
        ("a=x=y", "x=y"),
        ("a=True", "True"),
        (r"a=x\,y", "x,y"),
        (r"a=\{x", "{x"),
        ("a={x,y}", ["x", "y"]),
        ("a={1,true,x}", [1, True, "x"]),
        ("a={}", []),
        ("a={x}", ["x"]),
    ],
)
def test_helm_typing(text: str, value: object) -> None:
    assert applied(text) == {"a": value}


def test_nested_keys_and_several_assignments() -> None:
    assert applied("a.b=1,a.c.d=x", "e={1},f=2") == {"a": {"b": 1, "c": {"d": "x"}}, "e": [1], "f": 2}


def test_a_protected_dot_belongs_to_the_key() -> None:
    assert applied(r"selector.labels.kubernetes\.io/os=linux") == {
        "selector": {"labels": {"kubernetes.io/os": "linux"}}
    }


def test_indexes_make_and_change_lists() -> None:
    assert applied("a[0]=x", "a[1].b=y", "a[2][0]=z") == {"a": ["x", {"b": "y"}, ["z"]]}
    assert applied("a[1]=new", onto={"a": ["old", "old", "old"]}) == {"a": ["old", "new", "old"]}
    assert applied("a[2]=x") == {"a": [None, None, "x"]}


def test_a_value_in_the_way_is_replaced() -> None:
    assert applied("a.b=1", onto={"a": "text"}) == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "has no value"),
        ("", "is empty"),
        ("a,b=1", "has no value"),
        ("=1", "empty or misplaced"),
        ("a..b=1", "empty or misplaced"),
        ("a.=1", "empty or misplaced"),
        ("a[x]=1", "no valid index"),
        ("a[-1]=1", "no valid index"),
        ("a[70000]=1", "no valid index"),
        ("a[0=1", "no valid index"),
        ("a[0]b=1", "empty or misplaced"),
        ("a={x", "list without an end"),
        ("a={x}y", "text after the list"),
        (",a=1", "a comma too many"),
        ("a=1,,b=2", "a comma too many"),
        ("a[²]=1", "no valid index"),
        (".".join(["a"] * 2000) + "=1", "a key with 2000 parts"),
        ("a=\udcff", "not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, message: str) -> None:
    with pytest.raises(sets.SetError, match=message):
        applied(text)


def test_digits_without_end_are_text() -> None:
    assert applied("a=" + "9" * 5000) == {"a": "9" * 5000}


def test_the_written_paths_are_returned() -> None:
    assert sets.apply({}, "a.b=1,c[0]=2") == [("a", "b"), ("c", 0)]
