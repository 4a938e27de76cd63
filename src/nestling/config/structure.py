"""Unknown keys and wrong types: pydantic finds them, this module says them so that one knows what to write."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pydantic
from pydantic_core import ErrorDetails

from nestling.config import errors, fields, model

#: Values of these keys are never repeated in a message.
_SECRET_KEYS: Final = frozenset({"password", "identityToken", "auth", "dataSource", "kubeConfig"})
_MAX_ALLOWED: Final = 24
_EXAMPLES: Final[dict[fields.Kind, str]] = {
    fields.Kind.BOOL: "write true or false",
    fields.Kind.STRBOOL: "write auto, true or false",
    fields.Kind.STR: "write text",
    fields.Kind.INT: "write a whole number, such as 3",
    fields.Kind.LIST: "write a list: one line per entry, each starting with a dash",
    fields.Kind.MAP: "write a mapping: one key: value per line, indented",
    fields.Kind.SECTION: "write its keys indented below it",
}


def validate(
    values: dict[str, Any], written: Mapping[errors.Path, str]
) -> tuple[model.VClusterConfig, list[errors.Finding]]:
    """The model of what is sound, and a finding for each key that is not; a broken key counts as not written.

    ``written`` holds the spelling of numbers, so that ``1.30`` is not shown as 1.3.
    """
    findings: list[errors.Finding] = []
    sound = values
    while True:
        try:
            return model.VClusterConfig.model_validate(sound), findings
        except pydantic.ValidationError as error:
            details = error.errors(include_url=False, include_context=False)
        paths = []
        for detail in details:
            paths.append(detail["loc"])
            findings.append(_finding(detail, written))
        sound = _without(sound, paths)


def _without(values: dict[str, Any], paths: Sequence[errors.Path]) -> dict[str, Any]:
    """A copy without the values at the paths; later list indexes go first, so that the earlier ones stay right."""
    result = copy.deepcopy(values)
    for path in sorted(set(paths), key=_descending, reverse=True):
        holder: Any = result
        for step in path[:-1]:
            holder = holder[step]
        del holder[path[-1]]
    return result


def _descending(path: errors.Path) -> list[tuple[bool, int, str]]:
    return [(isinstance(step, int), step if isinstance(step, int) else 0, str(step)) for step in path]


def _finding(detail: ErrorDetails, written: Mapping[errors.Path, str]) -> errors.Finding:
    path = detail["loc"]
    if detail["type"] == "extra_forbidden":
        return unknown_key(path)
    field = fields.find(model.VClusterConfig, path)
    kind = _expected(path, field)
    value = detail["input"]
    secret = path[-1] in _SECRET_KEYS
    text = written.get(path, str(value).lower() if isinstance(value, bool) else str(value))
    shown = "a value of the wrong kind" if secret else describe(value, text)
    return errors.Finding(path, f"is {shown}", _EXAMPLES.get(kind, "") if secret else _write(kind, value, text))


def _expected(path: errors.Path, field: fields.Field | None) -> fields.Kind:
    if field is None:
        return fields.Kind.ANY
    inside = field.kind in (fields.Kind.LIST, fields.Kind.MAP) and _depth(path) > 0
    if not inside:
        return field.kind
    return field.item or fields.Kind.SECTION


def _depth(path: errors.Path) -> int:
    """Whether the path ends inside a list or map (1) or on a key of a model (0)."""
    field = fields.find(model.VClusterConfig, path[:-1]) if len(path) > 1 else None
    return int(field is not None and field.kind in (fields.Kind.LIST, fields.Kind.MAP))


def describe(value: object, text: str) -> str:
    """A value as one would name it: ``the text "x"``, ``the number 5``, ``a list``."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return text
    if isinstance(value, int | float):
        return f"the number {text}"
    if isinstance(value, str):
        short = text if len(text) <= 40 else text[:37] + "..."
        return f'the text "{short}"'
    return "a list" if isinstance(value, list) else "a mapping"


def _write(kind: fields.Kind, value: object, text: str) -> str:
    if kind is fields.Kind.STR and isinstance(value, bool | int | float):
        return f'put it in quotes: "{text}"'
    if kind is fields.Kind.BOOL and isinstance(value, str) and value.lower() in {"true", "false"}:
        return f"remove the quotes: {value.lower()}"
    if kind is fields.Kind.INT and isinstance(value, str) and value.isdigit():
        return f"remove the quotes: {value}"
    if kind is fields.Kind.LIST and isinstance(value, str | int | float):
        return f'write a list: ["{value}"]'
    return _EXAMPLES.get(kind, "")


def unknown_key(path: errors.Path) -> errors.Finding:
    """A key that does not exist: the closest ones that do."""
    parent = fields.find(model.VClusterConfig, path[:-1]) if len(path) > 1 else None
    section = model.VClusterConfig if len(path) == 1 else parent.section if parent is not None else None
    if section is None:
        return errors.Finding(path, "is not a key of vcluster.yaml")
    allowed = list(fields.of(section))
    near = closest(str(path[-1]), allowed)
    elsewhere = [] if near else _elsewhere(str(path[-1]))
    meant = [errors.dotted((*path[:-1], near))] if near else elsewhere
    hint = f"did you mean {' or '.join(meant)}? " if meant else ""
    return errors.Finding(path, "is not a key of vcluster.yaml", hint + _allowed(allowed))


def closest(word: str, candidates: Sequence[str]) -> str | None:
    """The candidate that somebody probably meant, case, dashes and underscores aside."""
    plain = {_plain(candidate): candidate for candidate in candidates}
    found = difflib.get_close_matches(_plain(word), plain, n=1, cutoff=0.7)
    return plain[found[0]] if found else None


def _plain(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "")


def _elsewhere(word: str) -> list[str]:
    """Where in the file a key of exactly this name belongs, when that is only one or two places."""
    if word in {"enabled", "name", "labels", "annotations"}:
        return []
    places = {path for path, _ in fields.walk(model.VClusterConfig) if path[-1] == word and "[]" not in path}
    return sorted(errors.dotted(path) for path in places) if len(places) <= 2 else []


def _allowed(keys: Sequence[str]) -> str:
    shown = ", ".join(keys[:_MAX_ALLOWED])
    return f"allowed here: {shown}{', …' if len(keys) > _MAX_ALLOWED else ''}"
