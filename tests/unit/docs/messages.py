"""The messages that users can meet, read from the source: texts of errors that are printed as they are.

A text is a template: ``…`` stands for what is filled in. Errors whose text is put together by other code are followed
one step (a variable, a function of the same module); what cannot be followed is listed as such, so that nobody believes
it was looked at.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
SOURCE: Final = ROOT / "src" / "nestling"
HOLE: Final = "…"
#: The classes whose text reaches a user or a tenant; their subclasses count too.
SHOWN: Final = frozenset(
    {
        "BinaryError",
        "ProviderError",
        "PreparationError",
        "CertificateError",
        "PlanError",
        "UserError",
        "KubeconfigError",
        "HostError",
        "SetError",
        "Refused",
        "ClickException",
        "UsageError",
        "BadParameter",
    }
)


@dataclasses.dataclass(frozen=True, order=True)
class Message:
    """One template and where it is raised."""

    text: str
    where: str


@dataclasses.dataclass(frozen=True)
class Found:
    """What the source has: templates, and raises whose text cannot be followed."""

    messages: tuple[Message, ...]
    unfollowed: tuple[str, ...]


@functools.cache
def all_of_the_source() -> Found:
    """Every message of the package."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(SOURCE.rglob("*.py"))}
    shown = _with_subclasses(trees.values())
    messages: list[Message] = []
    unfollowed: list[str] = []
    for path, tree in trees.items():
        functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        for function, call in _raises(tree, shown):
            where = f"{path.relative_to(SOURCE)}:{call.lineno}"
            said = next((one for one in call.args if not _is_number(one)), None)
            texts = list(_texts(said, function, functions)) if said is not None else []
            messages += [Message(text, where) for text in texts]
            if not texts:
                unfollowed.append(f"{path.relative_to(SOURCE)}: {ast.unparse(call)}")
    return Found(tuple(sorted(messages)), tuple(unfollowed))


def _with_subclasses(trees: object) -> frozenset[str]:
    bases: dict[str, set[str]] = {}
    for tree in trees:  # type: ignore[attr-defined]  # any iterable of modules
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = {_last(base) for base in node.bases}
    found = set(SHOWN)
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return frozenset(found)


def _raises(tree: ast.Module, shown: frozenset[str]) -> Iterator[tuple[ast.AST, ast.Call]]:
    """Each error that is made (raised at once or returned for it), with the function around it."""
    for function in [tree, *(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))]:
        for node in _own(function):
            if isinstance(node, ast.Call) and _last(node.func) in shown and not _is_super(node):
                yield function, node


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions inside it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _own(child)


def _texts(node: ast.expr, function: ast.AST, functions: dict[str, ast.FunctionDef], depth: int = 0) -> Iterator[str]:
    if (text := _template(node)).strip(HOLE + " ") and _is_text(node):
        yield text
    elif isinstance(node, ast.Name) and depth < 2:
        for assigned in _own(function):
            if isinstance(assigned, ast.Assign) and any(_last(target) == node.id for target in assigned.targets):
                yield from _texts(assigned.value, function, functions, depth + 1)
    elif isinstance(node, ast.Call) and _last(node.func) in functions and depth < 2:
        called = functions[_last(node.func)]
        for part in _own(called):
            if isinstance(part, ast.Return) and part.value is not None:
                yield from _texts(part.value, called, functions, depth + 1)


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_number(node: ast.expr) -> bool:
    """HTTP errors have their status first."""
    return isinstance(node, ast.Constant) and isinstance(node.value, int)


def _template(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_template(part) if isinstance(part, ast.Constant) else HOLE for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _template(node.left) + _template(node.right)
    return HOLE


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_super(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call)
