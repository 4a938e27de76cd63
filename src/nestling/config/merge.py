"""Helm's rules for values from several sources.

Mappings merge key by key, everything else (lists too) is replaced by the later source. ``null`` deletes: a key to which
the chart gives a default loses it and comes to the zero value of its type, as in vCluster.
"""

from __future__ import annotations

import copy
from typing import Any

from nestling.config import fields
from nestling.config.models import base


def overlay(earlier: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    """The values of ``earlier`` with those of ``later`` on top; nulls stay, they delete a default in the end."""
    result = dict(earlier)
    for key, value in later.items():
        present = result.get(key)
        result[key] = overlay(present, value) if isinstance(present, dict) and isinstance(value, dict) else value
    return result


def settle(values: dict[str, Any], section: type[base.Section], *, is_merged: bool = False) -> dict[str, Any]:
    """Values for the model: nulls become zero values, free maps are merged over the chart's default for them.

    In values that helm has merged, a default that is missing in a free map is one that a null took away. Keys that the
    model does not know stay as they are; validation names them.
    """
    known = fields.of(section)
    return {
        key: _value(value, known[key], is_merged=is_merged) if key in known else value for key, value in values.items()
    }


def _value(value: Any, field: fields.Field, *, is_merged: bool) -> Any:
    if value is None:
        return None if field.kind is fields.Kind.ANY else fields.zero(field)
    if isinstance(value, dict):
        return _mapping(value, field, is_merged=is_merged)
    if isinstance(value, list) and field.kind is fields.Kind.LIST and field.section is not None:
        return [_item(item, field.section) for item in value]
    return value


def _mapping(value: dict[str, Any], field: fields.Field, *, is_merged: bool) -> dict[str, Any]:
    if field.kind is fields.Kind.SECTION and field.section is not None:
        return settle(value, field.section, is_merged=is_merged)
    if field.kind is fields.Kind.MAP and field.section is not None:
        return {key: _item(item, field.section) for key, item in value.items() if item is not None}
    if field.kind in (fields.Kind.MAP, fields.Kind.ANY) and isinstance(field.default, dict):
        return without_nulls(overlay({} if is_merged else copy.deepcopy(field.default), value))
    return value


def _item(item: Any, section: type[base.Section]) -> Any:
    return (
        settle({key: value for key, value in item.items() if value is not None}, section)
        if isinstance(item, dict)
        else item
    )


def without_nulls(values: dict[str, Any]) -> dict[str, Any]:
    """The same mapping with every null key removed, at any depth of mappings; lists are left alone."""
    return {
        key: without_nulls(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if value is not None
    }
