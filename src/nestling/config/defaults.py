"""A configuration as plain values: the chart's ``values.yaml`` is that of an untouched one."""

from __future__ import annotations

import copy
from typing import Any

from nestling.config import fields
from nestling.config.models import base


def values(section: base.Section) -> dict[str, Any]:
    """The values of a model by YAML key; keys that are absent from the chart are left out while they are empty."""
    result = {}
    for key, field in fields.of(type(section)).items():
        value = getattr(section, field.attribute)
        if value is None or (not field.in_chart and value in ([], {})):
            continue
        result[key] = _plain(value)
    return result


def _plain(value: Any) -> Any:
    if isinstance(value, base.Section):
        return values(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return copy.deepcopy(value)


def without(given: dict[str, Any], section: base.Section) -> dict[str, Any]:
    """The values that differ from those of ``section``: the others need no check.

    Free mappings and lists are kept whole when anything in them differs. ``True`` is not the number 1 here.
    """
    known = fields.of(type(section))
    kept = {}
    for key, value in given.items():
        own = getattr(section, known[key].attribute) if key in known else None
        if isinstance(own, base.Section) and isinstance(value, dict):
            if inner := without(value, own):
                kept[key] = inner
        elif key not in known or not _same(value, _plain(own)):
            kept[key] = value
    return kept


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
