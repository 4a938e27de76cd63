"""YAML as Helm reads it, with the line of every key.

sigs.k8s.io/yaml turns YAML into JSON: timestamps stay text, keys become text, ``1:30`` is not a number in base 60,
and a key that is given twice is an error (PyYAML keeps the last one silently).
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any, ClassVar, Final

import yaml

from nestling.config import errors

_PREFIX: Final = "tag:yaml.org,2002:"
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE: Final = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"})
_FALSE: Final = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"})
_SPECIAL: Final = {".inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}
_INT: Final = re.compile(r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[1-9][0-9_]*|0)")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TAGS: Final[dict[str, type | tuple[type, ...]]] = {"bool": bool, "int": int, "float": (int, float), "null": type(None)}
#: What a Secret holds, and with it every configuration (``vc-config-NAME``).
_MAX_LENGTH: Final = 1024 * 1024
#: More values than any real file has; an alias bomb ends here.
_MAX_VALUES: Final = 100_000
#: Deeper than any real file; composing is recursive, and a stack that overflows in C ends the whole program.
_MAX_DEPTH: Final = 100
#: Longer than any number that means something; Python refuses to read integers of some thousand digits.
_MAX_DIGITS: Final = 300
#: What YAML forbids in a file (YAML 1.2 §5.1), and halves of characters, which cannot be written again.
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")

#: What an untagged scalar carries after composing, so that ``!!str 5`` can be told from ``5``.
_UNTAGGED: Final = "untagged"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml where it is built in: 10 times faster
    """Composes nodes only: what a plain scalar means is decided here, not by PyYAML's rules."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}
    DEFAULT_SCALAR_TAG = _UNTAGGED


@dataclasses.dataclass(slots=True)
class Document:
    """The values of one file, the line of each path, and what is wrong with the text itself."""

    values: dict[str, Any]
    lines: dict[errors.Path, int]
    problems: list[errors.Problem]
    #: The spelling of numbers and truth values.
    written: dict[errors.Path, str] = dataclasses.field(default_factory=dict)


def read(name: str, text: str) -> Document:
    """Read one YAML document; an empty one is an empty mapping."""
    reader = _Reader(name)
    documents: list[yaml.Node] = []
    try:
        problem = _unreadable(name, text)
        if problem is None:
            documents = list(yaml.compose_all(text, Loader=_Loader))
    except yaml.YAMLError as error:
        problem = _broken(name, error)
    if problem is not None:
        return Document({}, {}, [problem])
    if len(documents) > 1:
        line = documents[1].start_mark.line + 1
        reader.problem((), line, "holds more than one YAML document", "keep one document: remove the lines with ---")
    if not documents or _is_null(documents[0]):
        return Document({}, {}, reader.problems)
    root = documents[0]
    if not isinstance(root, yaml.MappingNode):
        reader.problem(
            (), root.start_mark.line + 1, f"is {_kind(root)}", "write keys and values, such as sync: or controlPlane:"
        )
        return Document({}, {}, reader.problems)
    return Document(reader.mapping(root, ()), reader.lines, reader.problems, reader.written)


def _unreadable(name: str, text: str) -> errors.Problem | None:
    """What keeps a text from being composed at all; raises ``YAMLError`` for what is no YAML."""
    if len(text) > _MAX_LENGTH:
        hint = "a configuration is kept in a Secret, which holds 1 MiB; move what is large into objects of its own"
        return errors.Problem("", name, None, f"has {len(text)} characters, and {_MAX_LENGTH} are allowed", hint)
    found = _FORBIDDEN.search(text)
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        hint = 'remove it, or write it inside double quotes as an escape, such as "\\u0007"'
        message = f"holds the character U+{ord(found[0]):04X}, which no YAML may hold"
        if "\ud800" <= found[0] <= "\udfff":
            message, hint = "is not UTF-8 text", "save it as UTF-8"
        return errors.Problem("", name, line, message, hint)
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            at = event.start_mark.line + 1 if event.start_mark is not None else None
            return errors.Problem(
                "", name, at, f"is nested more than {_MAX_DEPTH} levels deep", "no key lies that deep; shorten it"
            )
    return None


def _broken(name: str, error: yaml.YAMLError) -> errors.Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error)
    hint = "indent with spaces and quote text that holds : # { } [ ] , & * ! | > ' \" % @"
    return errors.Problem("", name, mark.line + 1 if mark is not None else None, f"is not YAML: {what}", hint)


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in _NULLS


class _Reader:
    """Turns composed nodes into plain values; remembers the line of every path."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[errors.Path, int] = {}
        self.problems: list[errors.Problem] = []
        self.written: dict[errors.Path, str] = {}
        self.count = 0
        self.open: set[int] = set()

    def problem(self, path: errors.Path, line: int, message: str, hint: str) -> None:
        self.problems.append(errors.Problem(errors.dotted(path), self.name, line, message, hint))

    def value(self, node: yaml.Node, path: errors.Path) -> Any:
        self.count += 1
        if self.count > _MAX_VALUES or id(node) in self.open:
            raise errors.ConfigError(
                [
                    *self.problems,
                    errors.Problem(
                        errors.dotted(path),
                        self.name,
                        node.start_mark.line + 1,
                        f"holds more than {_MAX_VALUES} values once its aliases (*name) are followed",
                        "write fewer of them, without aliases",
                    ),
                ]
            )
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self.sequence(node, path)
        value = self.scalar(node, path)
        if isinstance(value, bool | int | float):
            self.written[path] = node.value
        return value

    def mapping(self, node: yaml.MappingNode, path: errors.Path) -> dict[str, Any]:
        self.open.add(id(node))
        result: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if isinstance(key_node, yaml.ScalarNode) and key_node.value == "<<" and not key_node.style:
                merged = self.merge_key(value_node, path) | merged
                continue
            key = self.key(key_node, path)
            if key in seen:
                hint = f"it is first given on line {seen[key]}; keep one of the two"
                self.problem((*path, key), line, "is given twice", hint)
            seen.setdefault(key, line)
            self.lines.setdefault((*path, key), line)
            result[key] = self.value(value_node, (*path, key))
        self.open.discard(id(node))
        return merged | result

    def merge_key(self, node: yaml.Node, path: errors.Path) -> dict[str, Any]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        result: dict[str, Any] = {}
        for source in sources:
            value = self.value(source, path)
            if isinstance(value, dict):
                result = value | result
            else:
                self.problem(
                    (*path, "<<"), source.start_mark.line + 1, "does not name a mapping", "write <<: *name of one"
                )
        return result

    def sequence(self, node: yaml.SequenceNode, path: errors.Path) -> list[Any]:
        self.open.add(id(node))
        result = []
        for index, item in enumerate(node.value):
            self.lines.setdefault((*path, index), item.start_mark.line + 1)
            result.append(self.value(item, (*path, index)))
        self.open.discard(id(node))
        return result

    def key(self, node: yaml.Node, path: errors.Path) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self.problem(path, node.start_mark.line + 1, f"has {_kind(node)} as a key", "write a single word as a key")
            return "?"
        value = self.scalar(node, path)
        if isinstance(value, bool):
            return "true" if value else "false"
        return node.value if value is None or isinstance(value, float) else str(value)

    def scalar(self, node: yaml.Node, path: errors.Path) -> Any:
        text: str = node.value
        if node.tag == _UNTAGGED:
            return text if getattr(node, "style", None) else plain(text)
        tag = node.tag.removeprefix(_PREFIX)
        if tag in {"str", "!"}:
            return text
        value = plain(text)
        if tag in _TAGS and isinstance(value, _TAGS[tag]):
            return value
        self.problem(path, node.start_mark.line + 1, f"has the tag {node.tag}", "write the value without a tag")
        return text


def plain(text: str) -> Any:
    """The value of an unquoted scalar."""
    if text in _NULLS:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if len(text) > _MAX_DIGITS:
        return text
    if _INT.fullmatch(text) and any(letter.isdigit() for letter in text.lower().removeprefix("0x").removeprefix("0b")):
        return _integer(text)
    if text.lower() in _SPECIAL:
        return _SPECIAL[text.lower()]
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _integer(text: str) -> int:
    digits = text.replace("_", "")
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    if digits.lower().startswith(("0x", "0b", "0o")):
        return sign * int(digits, 0)
    return sign * int(digits, 8 if digits.startswith("0") and len(digits) > 1 else 10)


class _Dumper(yaml.SafeDumper):
    """Quotes text that Helm's reader would take for something else (``y``, ``1e3``)."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write values out each time: aliases in values files only confuse."""
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else "'" if not isinstance(plain(text), str) else None
    return dumper.represent_scalar(f"{_PREFIX}str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def write(values: dict[str, Any]) -> str:
    """Values as YAML that Helm, vCluster and ``read`` understand alike; keys keep their order."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True, width=120)
