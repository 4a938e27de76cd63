"""The refusals of :mod:`support` for the Helm chart: helm says them before anything is created.

``chart/refusals.json`` is the tree of the keys whose feature does not exist, or no longer;
``chart/templates/_refusals.tpl`` walks it beside the values. What asks for something is decided there as it is here.
"""

from __future__ import annotations

import json
from typing import Any

from nestling.config import errors, fields, legacy, model, support
from nestling.config.models import base


def tree() -> dict[str, Any]:
    """The sections and keys that lead to a refusal, by key.

    A section is ``{"keys": {…}}``, with ``"enabled"``, the default of its switch, where it has one. A key is
    ``{"refusal": …, "feature": …}``, with the chart's ``"default"`` where that could be taken for a wish. A key
    of an older release is refused whatever it says (``"always"``).
    """
    return _keys(model.VClusterConfig, ())


def text() -> str:
    """The tree as the file holds it."""
    return json.dumps(tree(), indent=1, ensure_ascii=False) + "\n"


def _keys(section: type[base.Section], path: tuple[str, ...]) -> dict[str, Any]:
    found = {key: _node(field, (*path, key)) for key, field in fields.of(section).items()}
    return {key: node for key, node in found.items() if node}


def _node(field: fields.Field, path: tuple[str, ...]) -> dict[str, Any]:
    """Of one section or key; empty when nothing there is refused."""
    if path in legacy.REPLACED:
        return {"feature": errors.dotted(path), "refusal": _words(legacy.OLD, legacy.REPLACED[path]), "always": True}
    if field.kind is fields.Kind.SECTION and field.section is not None:
        keys = _keys(field.section, path)
        switch = fields.of(field.section).get("enabled")
        return {**({"enabled": switch.default} if switch else {}), "keys": keys} if keys else {}
    row = support.find(path)
    if row is None or row.status not in support.REFUSED:
        return {}
    default = {"default": field.default} if field.default else {}
    feature = errors.dotted(support.feature(path, row))
    return {"feature": feature, "refusal": _words(row.status.value, row.hint), **default}


def _words(message: str, hint: str) -> str:
    """As ``errors.Problem`` writes them."""
    return f"{message}\n    {hint}"
