"""The descriptions of all keys, read from the docstrings in the models' source.

Not at import: pydantic would parse the source of each class each time the program starts.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys

from nestling.config import fields
from nestling.config.models import base


def section(model: type[base.Section]) -> str:
    """What a mapping is for."""
    return inspect.cleandoc(model.__doc__ or "")


def key(model: type[base.Section], field: fields.Field) -> str:
    """What a key is for: its own docstring, or that of the model that it holds."""
    own = _attributes(model.__module__).get((model.__qualname__, field.attribute), "")
    return own or (section(field.section) if field.section is not None else "")


@functools.cache
def _attributes(module: str) -> dict[tuple[str, str], str]:
    """The strings that stand below an attribute of a class, by class and attribute."""
    found = {}
    for node in ast.parse(inspect.getsource(sys.modules[module])).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for statement, following in zip(node.body, node.body[1:], strict=False):
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                text = _text(following)
                if text:
                    found[node.name, statement.target.id] = inspect.cleandoc(text)
    return found


def _text(node: ast.stmt) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value
    return ""
