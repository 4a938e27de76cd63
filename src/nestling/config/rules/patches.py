"""Patches of synced objects (spec §2.11)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nestling.config import errors, fields, model
from nestling.config.models import base, common
from nestling.config.rules import paths

_FIXED: Final = frozenset({"metadata.name", "metadata.namespace"})


def _patched(section: base.Section, path: errors.Path = ()) -> Iterator[tuple[errors.Path, list[common.Patch]]]:
    """Every list of patches below a section, with its path."""
    for key, field in fields.of(type(section)).items():
        value = getattr(section, field.attribute)
        if key == "patches" and value:
            yield (*path, key), value
        elif isinstance(value, base.Section):
            yield from _patched(value, (*path, key))
        elif field.kind is fields.Kind.MAP and field.section is not None:
            for name, item in value.items():
                yield from _patched(item, (*path, key, name))


def patches_are_sound(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """Each patch has a path of its own and does one thing; name and namespace of an object are never patched."""
    for place, patches in _patched(config.sync, ("sync",)):
        seen: dict[str, int] = {}
        for index, patch in enumerate(patches):
            here = (*place, index)
            if patch.path is None:
                yield paths.problem((*here, "path"), "is missing", 'write the field, or "" for the whole object')
                continue
            if patch.path in seen:
                hint = "join the two patches"
                yield paths.problem((*here, "path"), f"is patched twice, by entry {seen[patch.path]} too", hint)
            seen.setdefault(patch.path, index)
            if patch.path.lstrip(".") in _FIXED:
                hint = "remove the patch: the sync decides name and namespace"
                yield paths.problem((*here, "path"), f"is {patch.path}, which cannot be patched", hint)
            yield from _one_mode(patch, here)


def _one_mode(patch: common.Patch, here: errors.Path) -> Iterator[errors.Finding]:
    expressions = patch.expression is not None or patch.reverse_expression is not None
    modes = {"expression": expressions, "reference": patch.reference is not None, "labels": patch.labels is not None}
    chosen = [mode for mode, on in modes.items() if on]
    if len(chosen) != 1:
        message = f"combines {' and '.join(chosen)}" if chosen else "changes nothing"
        hint = "write one of expression (with or without reverseExpression), reference, labels"
        yield paths.problem(here, message, hint)
    if patch.labels is not None and "customResources" not in here:
        yield paths.problem((*here, "labels"), "works for custom resources only", "use an expression")
    reference = patch.reference
    if reference is None:
        return
    if not (reference.kind or reference.kind_path):
        yield paths.problem((*here, "reference", "kind"), "is missing", "write the kind that is named, such as Secret")
    if not (reference.api_version or reference.api_version_path):
        yield paths.problem((*here, "reference", "apiVersion"), "is missing", "write the API version, such as v1")


RULES: Final = (patches_are_sound,)
