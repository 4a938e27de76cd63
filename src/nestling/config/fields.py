"""What the models say about each key: kind, default, nested model. One walk serves all who ask."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pydantic.fields

from nestling.config import errors
from nestling.config.models import base


class Kind(enum.Enum):
    """What a key holds; the value is how the list of keys calls it."""

    BOOL = "boolean"
    STRBOOL = "boolean|string"
    STR = "string"
    INT = "integer"
    ANY = "any"
    LIST = "list"
    MAP = "map"
    SECTION = "object"


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One key. ``section`` is the model of a nested mapping, of a list's items or of a map's values."""

    key: str
    attribute: str
    kind: Kind
    section: type[base.Section] | None
    #: What items of a list or values of a map are, when they are no model.
    item: Kind | None
    #: The chart's default; None where the chart has none. A SECTION has ``{}`` when it is always there.
    default: Any
    #: Whether the chart's values.yaml writes the key.
    in_chart: bool


_SCALARS: Final[dict[Any, Kind]] = {bool: Kind.BOOL, str: Kind.STR, int: Kind.INT, Any: Kind.ANY}
_ZERO: Final[dict[Kind, Any]] = {Kind.BOOL: False, Kind.STRBOOL: "false", Kind.STR: "", Kind.INT: 0, Kind.ANY: None}


@functools.cache
def of(section: type[base.Section]) -> Mapping[str, Field]:
    """The fields of a model by YAML key, in the order in which they are declared."""
    found = (_field(name, info) for name, info in section.model_fields.items())
    return types.MappingProxyType({field.key: field for field in found})


def _field(name: str, info: pydantic.fields.FieldInfo) -> Field:
    kind, section, item = _shape(info.annotation, info.metadata)
    default = info.get_default(call_default_factory=False)
    if info.default_factory is not None:
        default = {}
    absent = default is None or any(
        isinstance(mark, base.AbsentFromChart) or mark is base.AbsentFromChart for mark in info.metadata
    )
    return Field(info.alias or name, name, kind, section, item, default, not absent)


def _shape(annotation: Any, metadata: list[Any]) -> tuple[Kind, type[base.Section] | None, Kind | None]:
    if typing.get_origin(annotation) is typing.Annotated:
        inner, *marks = typing.get_args(annotation)
        return _shape(inner, marks)
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        (inner,) = [arm for arm in typing.get_args(annotation) if arm is not types.NoneType]
        return _shape(inner, metadata)
    if isinstance(annotation, type) and issubclass(annotation, base.Section):
        return Kind.SECTION, annotation, None
    origin = typing.get_origin(annotation)
    if origin in (list, dict):
        kind, section, _ = _shape(typing.get_args(annotation)[-1], [])
        return (Kind.LIST if origin is list else Kind.MAP), section, (kind if section is None else None)
    if origin is typing.Literal:
        return Kind.STRBOOL, None, None
    return _SCALARS[annotation], None, None


def zero(field: Field) -> Any:
    """What a key comes to when ``null`` takes its default away."""
    if field.kind is Kind.LIST:
        return []
    if field.kind is Kind.MAP:
        return {}
    if field.kind is Kind.SECTION and field.section is not None and field.default is not None:
        return {key: zero(nested) for key, nested in of(field.section).items()}
    return None if field.default is None else _ZERO.get(field.kind)


def walk(section: type[base.Section], path: errors.Path = ()) -> Iterator[tuple[errors.Path, Field]]:
    """Every key below a model, depth first; ``[]`` stands for a list's item and ``<name>`` for a map's key."""
    for key, field in of(section).items():
        here = (*path, key)
        yield here, field
        if field.section is not None:
            inner = {Kind.LIST: ("[]",), Kind.MAP: ("<name>",)}.get(field.kind, ())
            yield from walk(field.section, (*here, *inner))


def find(section: type[base.Section], path: errors.Path) -> Field | None:
    """The field that a path of real values leads to; None where the path leaves the known keys or enters a free map."""
    current: type[base.Section] | None = section
    field: Field | None = None
    steps = iter(path)
    for step in steps:
        if current is None or not isinstance(step, str) or step not in of(current):
            return None
        field = of(current)[step]
        current = field.section
        if field.kind in (Kind.LIST, Kind.MAP) and next(steps, None) is None:
            return field
    return field
