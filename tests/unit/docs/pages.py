"""What a page of documentation names, and whether it exists: links, paths, tests, configuration keys, commands.

Each check takes a page and answers with a line for each thing that is wrong.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from nestling.cli import cobra
from nestling.cli import main as main_module
from nestling.config import errors, fields, legacy, model

ROOT: Final = Path(__file__).parents[3]
#: Folders of the repository that pages point into.
_FOLDERS: Final = ("src/", "tests/", "docs/", "examples/", "tools/", "bench/", "chart/")
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INDENTED: Final = re.compile(r"(?:^    .*\n?)+", re.MULTILINE)
_SPAN: Final = re.compile(r"`([^`\n]+)`")
_LINK: Final = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_TOP: Final = "|".join(sorted(fields.of(model.VClusterConfig)))
_KEY: Final = re.compile(rf"(?<![\w./@-])(?:{_TOP})\.[A-Za-z0-9<>\[\]*.{{}},]*[A-Za-z0-9>\]*}}]")
_PROGRAM: Final = re.compile(r"(?<![\w./-])(?:nestling|vcluster) (?=[a-z-])")


@dataclasses.dataclass(frozen=True)
class Page:
    """A page and where it is, below the repository."""

    path: str
    text: str

    @property
    def blocks(self) -> list[str]:
        """Commands and their output; the blocks of other languages are left out."""
        fenced = [body for language, body in _FENCE.findall(self.text) if language in ("", "sh", "text")]
        return [*fenced, *_INDENTED.findall(_FENCE.sub("", self.text))]

    @property
    def prose(self) -> str:
        """The page without its fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def spans(self) -> list[str]:
        """What is written as code within sentences and tables."""
        return _SPAN.findall(self.prose)


def read(path: Path) -> Page:
    """A page of the repository."""
    return Page(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


def anchors(text: str) -> set[str]:
    """The names that links into a page can use, as forges make them of headings."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", _FENCE.sub("", text), re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(
            plain if plain not in found else next(f"{plain}-{n}" for n in range(1, 99) if f"{plain}-{n}" not in found)
        )
    return found


def broken_links(page: Page) -> list[str]:
    """Links to files and headings that are not there. Addresses of other sites are not asked."""
    wrong = []
    for target in _LINK.findall(page.prose):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        file = (ROOT / page.path).parent / name
        if not file.exists():
            wrong.append(f"link to {target}: no such file")
        elif anchor and anchor not in anchors(file.read_text(encoding="utf-8") if name else page.text):
            wrong.append(f"link to {target}: no such heading")
    return wrong


def missing_paths(page: Page) -> list[str]:
    """Files, folders, tests, Python modules and make targets that are named and do not exist."""
    wrong = []
    for span in page.spans:
        name, _, rest = span.partition("::")
        if re.match(r"[\w./*-]+$", name) and name.startswith(_FOLDERS):
            wrong += _missing_file(span, name, rest)
    everything = "\n".join([*page.blocks, *page.spans])
    for module in re.findall(r"python -m (nestling[\w.]*)", everything):
        file = ROOT / "src" / module.replace(".", "/")
        if not file.with_suffix(".py").exists() and not (file / "__main__.py").exists():
            wrong.append(f"python -m {module}: no such module")
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = re.findall(
        r"(?:^|[;&`=\d] ?)make ([a-z0-9-]+)", "\n".join([*page.blocks, *(f"`{s}" for s in page.spans)]), re.MULTILINE
    )
    return wrong + [f"make {target}: no such target" for target in named if target not in targets]


def _missing_file(span: str, name: str, rest: str) -> list[str]:
    found = list(ROOT.glob(name)) if "*" in name else [ROOT / name] if (ROOT / name).exists() else []
    if not found:
        return [f"{span}: no such file"]
    if rest and rest.partition("[")[0] not in tests_in(found[0]):
        return [f"{span}: no such test in that file"]
    return []


@functools.cache
def tests_in(file: Path) -> frozenset[str]:
    """The names of the tests that a file holds."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test"))


def unknown_keys(page: Page) -> list[str]:
    """Configuration keys that no model has; those of older releases may be named."""
    return [f"key {key}" for text in (*page.spans, *page.blocks) for key in _keys(text) if not _is_key(key)]


def _keys(text: str) -> Iterator[str]:
    for written in _KEY.findall(text):
        if "k8s.io" not in written:
            yield from _spelled_out(written)


def _spelled_out(written: str) -> Iterator[str]:
    """``a.{b,c}`` names two keys."""
    choice = re.search(r"\{([^{}]*)\}", written)
    if choice is None:
        yield written
        return
    for one in choice[1].split(","):
        yield from _spelled_out(written[: choice.start()] + one + written[choice.end() :])


@functools.cache
def _is_key(key: str) -> bool:
    path = tuple(key.replace("[]", ".[]").split("."))
    return tuple(key.split(".")) in legacy.REPLACED or _leads_somewhere(path)


def _leads_somewhere(path: errors.Path) -> bool:
    section: type | None = model.VClusterConfig
    field: fields.Field | None = None
    for step in path:
        if field is not None and field.kind in (fields.Kind.LIST, fields.Kind.MAP) and _is_entry(field, step):
            if field.section is None:
                return True
            continue
        if step == "*" or (field is not None and field.kind is fields.Kind.ANY):
            return True
        known = fields.of(section) if section is not None else {}
        if step not in known:
            return False
        field = known[str(step)]
        section = field.section
    return True


def _is_entry(field: fields.Field, step: str | int) -> bool:
    """An entry of a list is ``[]``; a map's key is a placeholder, or any word where its values are no sections."""
    if field.kind is fields.Kind.LIST:
        return step == "[]"
    return str(step).startswith("<") or field.section is None or step not in fields.of(field.section)


def wrong_commands(page: Page) -> list[str]:
    """Commands and flags of ours that the program does not have."""
    return [f"{line}: {problem}" for line in _command_lines(page) if (problem := _problem(line))]


def _command_lines(page: Page) -> Iterator[str]:
    for span in page.spans:
        if _PROGRAM.match(span):
            yield span
    for block in page.blocks:
        for line in block.replace("\\\n", " ").splitlines():
            command = re.sub(r"\s#.*", "", line)
            for found in _PROGRAM.finditer(command):
                before = command[: found.start()].strip()
                # only what a shell would run: at the start, behind NAME=value, in $( ) and behind a pipe
                if not before or re.search(r"(?:^\w+=\S*|[|;&($]|\$)$", before):
                    yield re.split(r"[)|;&]", command[found.start() :])[0].strip()


def _problem(line: str) -> str:
    words = iter(shlex.split(line.replace("'", ""))[1:])
    command: click.Command = main_module.root
    ctx = click.Context(command, info_name="nestling")
    for word in words:
        if word == "--":
            break
        if word.startswith("-") and word.strip("-"):
            name, _, value = word.partition("=")
            option = _option(command, ctx, name)
            if option is None and name not in ("--help", "-h"):
                return f"no flag {name}"
            if option is not None and not value and not option.is_flag and not isinstance(option, cobra.BoolFlag):
                next(words, None)
        elif isinstance(command, cobra.Group) and re.match(r"[a-z][\w-]*$", word):
            inner = command.get_command(ctx, word)
            if inner is None:
                return f"no command {word}"
            command, ctx = inner, click.Context(inner, info_name=word, parent=ctx)
    return ""


def _option(command: click.Command, ctx: click.Context, name: str) -> click.Option | None:
    params = (*command.get_params(ctx), *cobra.GLOBAL_OPTIONS)
    return next((one for one in params if isinstance(one, click.Option) and name in one.opts), None)
