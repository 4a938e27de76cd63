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
