"""JSON merge patches (RFC 7386): the difference of two objects, and its application."""

from __future__ import annotations

from typing import Any

from nestling.kube.resource import Obj


def diff(old: Obj, new: Obj) -> Obj:
    """The merge patch that makes ``new`` out of ``old``; empty when they are equal. Lists are replaced as a whole.

    A None inside ``new`` means the same as a missing key: a merge patch cannot say it in another way.
    """
    patch: Obj = {key: None for key in old if old[key] is not None and new.get(key) is None}
    for key, value in new.items():
        if value is None:
            continue
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            inner = diff(before, value)
            if inner:
                patch[key] = inner
        elif value != before:
            patch[key] = value
    return patch


def apply(obj: Any, patch: Any) -> Any:
    """The object after a merge patch; the input stays as it is."""
    if not isinstance(patch, dict):
        return patch
    result = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = apply(result.get(key), value)
    return result
