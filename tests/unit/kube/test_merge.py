from __future__ import annotations

import copy
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from nestling.kube import merge

_SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(0, 2, allow_nan=False) | st.text("ab", max_size=2)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=1), inner, max_size=3),
    max_leaves=12,
)
_OBJECTS = st.dictionaries(st.text("abc", max_size=1), _VALUES, max_size=4)


def _without_nulls(value: Any) -> Any:
    """As the API server stores it: no nulls in mappings. Lists stay as they are."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return value


def _exact(value: Any) -> Any:
    """Tells true from 1 and 1 from 1.0, which Python's equality does not."""
    if isinstance(value, dict):
        return {key: _exact(inner) for key, inner in value.items()}
    return [_exact(inner) for inner in value] if isinstance(value, list) else (isinstance(value, bool), value)


@hypothesis.given(_OBJECTS, _OBJECTS)
def test_the_difference_makes_one_the_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    stored = _without_nulls(old)
    assert _exact(merge.apply(stored, merge.diff(stored, new))) == _exact(_without_nulls(new))


@hypothesis.given(_OBJECTS)
def test_equal_objects_differ_in_nothing(obj: dict[str, Any]) -> None:
    assert merge.diff(obj, copy.deepcopy(obj)) == {}


@hypothesis.given(_OBJECTS, _OBJECTS)
def test_inputs_stay_as_they_are(old: dict[str, Any], new: dict[str, Any]) -> None:
    before = copy.deepcopy((old, new))
    patch = merge.diff(old, new)
    after = copy.deepcopy(patch)
    merge.apply(old, patch)
    assert (old, new) == before
    assert patch == after


@pytest.mark.parametrize(
    ("old", "patch", "expected"),
    [  # the examples of RFC 7386, appendix A, that are objects
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_examples_of_the_rfc(old: dict[str, Any], patch: dict[str, Any], expected: dict[str, Any]) -> None:
    assert merge.apply(old, patch) == expected


def test_only_what_differs_is_in_the_patch() -> None:
    old = {"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {"x": [1, 2], "y": True}}
    new = {"metadata": {"labels": {"a": "1", "c": "3"}}, "spec": {"x": [1], "y": True}}
    assert merge.diff(old, new) == {"metadata": {"labels": {"b": None, "c": "3"}}, "spec": {"x": [1]}}


def test_true_is_not_one() -> None:
    assert merge.diff({"a": 1, "b": [1]}, {"a": True, "b": [True]}) == {"a": True, "b": [True]}
