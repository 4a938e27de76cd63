"""JSON merge patches (RFC 7386): the difference of two objects, and its application."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from nestling.kube.resource import Obj

_ENCODE: Final = msgspec.json.Encoder(order="sorted").encode


def diff(old: Obj, new: Obj) -> Obj:
    """The smallest patch that makes ``old`` equal to ``new``; empty when they are equal.

    Lists are replaced whole. A null in ``new`` counts as absent: a merge patch cannot say anything else, and the API
    server drops nulls anyway. The patch shares values with ``new``.
    """
    # most comparisons find nothing: the same JSON says so fifty times faster than a walk
    return {} if _ENCODE(old) == _ENCODE(new) else _diff(old, new)


def _diff(old: Obj, new: Obj) -> Obj:
    patch: Obj = {key: None for key, value in old.items() if value is not None and new.get(key) is None}
    for key, value in new.items():
        if value is None:
            continue
        before = old.get(key)
        if isinstance(value, dict):
            if isinstance(before, dict):
                inner = _diff(before, value) if before is not value else None
                if inner:
                    patch[key] = inner
            else:
                patch[key] = _without_nulls(value)
        elif not _same(before, value):
            patch[key] = value
    return patch


def apply(obj: Obj, patch: Obj) -> Obj:
    """The patched object as a new dict. Subtrees that the patch does not touch are shared with ``obj``."""
    result = dict(obj)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            before = result.get(key)
            result[key] = apply(before if isinstance(before, dict) else {}, value)
        else:
            result[key] = value
    return result


def _without_nulls(value: Obj) -> Obj:
    return apply({}, value)


def _same(one: Any, other: Any) -> bool:
    """JSON equality: Python's, but true is not 1, at any depth."""
    if one is other:
        return True
    if one != other:
        return False
    return _ENCODE(one) == _ENCODE(other) or _is_same_at_depth(one, other)


def _is_same_at_depth(one: Any, other: Any) -> bool:
    """For what Python calls equal and whose JSON differs: 1 and 1.0, or true and 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same_at_depth(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same_at_depth, one, other))
    return bool(one == other)
