"""The JSON schema (draft 2020-12) of ``vcluster.yaml``, from the models: ``chart/values.schema.json``.

Written by our own walk: pydantic's generator needs all validators built, adds titles and defaults, and knows nothing of
the descriptions in the source. Helm and editors check values with it.
"""

from __future__ import annotations

import json
from typing import Any, Final

from nestling.config import describe, fields, model
from nestling.config.models import base

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TYPES: Final[dict[fields.Kind, dict[str, Any]]] = {
    fields.Kind.BOOL: {"type": "boolean"},
    fields.Kind.STR: {"type": "string"},
    fields.Kind.INT: {"type": "integer"},
    fields.Kind.STRBOOL: {"oneOf": [{"type": "string", "enum": ["auto", "true", "false"]}, {"type": "boolean"}]},
    fields.Kind.ANY: {},
    fields.Kind.LIST: {"type": "array"},
    fields.Kind.MAP: {"type": "object"},
}


def build() -> dict[str, Any]:
    """The whole schema; definitions are sorted by name, keys keep the order of the models."""
    names = _names()
    root = _object(model.VClusterConfig, names)
    definitions = {name: _object(section, names) for section, name in sorted(names.items(), key=lambda pair: pair[1])}
    return {"$schema": _DIALECT, "$defs": definitions, **root}


def text() -> str:
    """The schema as the file holds it."""
    return json.dumps(build(), indent=2, ensure_ascii=False) + "\n"


def _names() -> dict[type[base.Section], str]:
    """A definition name per model: that of the class; where two modules use one, the module goes in front."""
    found = dict.fromkeys(field.section for _, field in fields.walk(model.VClusterConfig) if field.section is not None)
    by_name: dict[str, list[type[base.Section]]] = {}
    for section in found:
        by_name.setdefault(section.__name__, []).append(section)
    names = {}
    for name, sections in by_name.items():
        for section in sections:
            concern = base.camel(section.__module__.rpartition(".")[2].removesuffix("_keys"))
            names[section] = name if len(sections) == 1 else concern[:1].upper() + concern[1:] + name
    return names


def _object(section: type[base.Section], names: dict[type[base.Section], str]) -> dict[str, Any]:
    properties = {key: _property(section, field, names) for key, field in fields.of(section).items()}
    return {
        "description": describe.section(section),
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def _property(section: type[base.Section], field: fields.Field, names: dict[type[base.Section], str]) -> dict[str, Any]:
    description = {"description": describe.key(section, field)}
    reference = {"$ref": f"#/$defs/{names[field.section]}"} if field.section is not None else {}
    if field.kind is fields.Kind.SECTION:
        return {**description, **reference}
    shape = _TYPES[field.kind]
    if field.kind in (fields.Kind.LIST, fields.Kind.MAP):
        inner = reference or _item(field)
        # A free mapping says nothing about its values; leaving the keyword out accepts everything.
        nested = {"items" if field.kind is fields.Kind.LIST else "additionalProperties": inner} if inner else {}
        return {**description, **shape, **nested}
    return {**description, **shape}


def _item(field: fields.Field) -> dict[str, Any]:
    return _TYPES[field.item] if field.item is not None else {}
