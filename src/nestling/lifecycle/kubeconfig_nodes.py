"""Changing a kubeconfig without touching the rest of it. Pure: text in, text out.

The YAML is changed as a tree of nodes, not as Python values: entries of others keep their unknown fields, the
spelling of their scalars
and their order. Comments are lost, as with kubectl.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import yaml

from nestling.kube.resource import Obj

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

#: The lists of named entries, and the key of each entry's content.
SECTIONS: Final = {"clusters": "cluster", "contexts": "context", "users": "user"}

#: Name of the extension in a context of ours, which remembers where ``disconnect`` goes back to.
EXTENSION: Final = "nestling"


class BrokenError(ValueError):
    """The text is no kubeconfig; ``line`` counts from 1, or is None."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """What one virtual cluster adds to a kubeconfig: a cluster, a user and a context of the same name."""

    name: str
    cluster: Obj
    user: Obj
    namespace: str | None = None
    previous: str | None = None
    """The context to return to."""
    owner: str = ""
    """The virtual cluster, by the name that its context has by default: a context may be called otherwise."""


@dataclasses.dataclass(slots=True)
class Document:
    """One kubeconfig file as a tree of nodes."""

    root: yaml.MappingNode

    @classmethod
    def parse(cls, text: str) -> Document:
        """Read a file's text; raises :class:`BrokenError` for what is no kubeconfig."""
        try:
            node = yaml.compose(text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            raise BrokenError(error.problem or "not YAML", mark.line + 1 if mark else None) from error
        except yaml.YAMLError as error:
            raise BrokenError(str(error).splitlines()[0]) from error
        if node is None or _is_null(node):
            return cls(_mapping({"apiVersion": "v1", "kind": "Config"}))
        if not isinstance(node, yaml.MappingNode):
            raise BrokenError("the file must be a mapping of keys", node.start_mark.line + 1)
        document = cls(node)
        for section in SECTIONS:
            document._check_section(section)
        return document

    def text(self) -> str:
        """The file's text."""
        return str(yaml.serialize(self.root, Dumper=_Dumper, width=1 << 30, allow_unicode=True))

    @property
    def current_context(self) -> str:
        """The current context, or an empty string."""
        return _scalar(_get(self.root, "current-context"))

    def set_current_context(self, name: str) -> None:
        """Switch; an empty name means no current context."""
        _set(self.root, "current-context", _node(name))

    def names(self, section: str) -> list[str]:
        """Names of the entries of a section."""
        return [_scalar(_get(item, "name")) for item in self._items(section) if isinstance(item, yaml.MappingNode)]

    def has(self, section: str, name: str) -> bool:
        """Whether a section has an entry."""
        return name in self.names(section)

    def upsert(self, section: str, name: str, content: Obj) -> None:
        """Add an entry or replace its content."""
        sequence = self._sequence(section)
        key = SECTIONS[section]
        for item in sequence.value:
            if isinstance(item, yaml.MappingNode) and _scalar(_get(item, "name")) == name:
                _set(item, key, _node(content))
                return
        sequence.value.append(_node({key: content, "name": name}))

    def remove(self, section: str, name: str) -> bool:
        """Remove an entry; tells whether it was there."""
        sequence = _get(self.root, section)
        if not isinstance(sequence, yaml.SequenceNode):
            return False
        kept = [item for item in sequence.value if not _named(item, name)]
        removed = len(kept) != len(sequence.value)
        sequence.value[:] = kept
        return removed

    def previous_of(self, context: str) -> str | None:
        """The context that was current before a context of ours: empty when none was; None for a foreign context."""
        found = self._remembered(context)
        return None if found is None else str(found.get("previousContext") or "")

    def owner_of(self, context: str) -> str | None:
        """The virtual cluster of a context of ours; None for a foreign context."""
        found = self._remembered(context)
        return None if found is None else str(found.get("virtualCluster") or context)

    def owned_by(self, owner: str) -> list[str]:
        """The contexts of one virtual cluster, whatever they are called."""
        return [
            name
            for name in self.names("contexts")
            if name == owner or (self._remembered(name) or {}).get("virtualCluster") == owner
        ]

    def _remembered(self, context: str) -> Obj | None:
        """What we wrote into a context of ours."""
        for item in self._items("contexts"):
            if _named(item, context):
                content: Any = _value(_get(item, "context"))
                for extension in (content or {}).get("extensions") or []:
                    if extension.get("name") == EXTENSION:
                        return dict(extension.get("extension") or {})
        return None

    def add(self, entry: Entry) -> None:
        """Add or replace all three parts of an entry."""
        self.upsert("clusters", entry.name, entry.cluster)
        self.upsert("users", entry.name, entry.user)
        context: Obj = {"cluster": entry.name, "user": entry.name}
        if entry.namespace:
            context["namespace"] = entry.namespace
        remembered = {"virtualCluster": entry.owner or entry.name, "previousContext": entry.previous or ""}
        context["extensions"] = [{"name": EXTENSION, "extension": remembered}]
        self.upsert("contexts", entry.name, context)

    def _items(self, section: str) -> list[yaml.Node]:
        node = _get(self.root, section)
        return list(node.value) if isinstance(node, yaml.SequenceNode) else []

    def _sequence(self, section: str) -> yaml.SequenceNode:
        node = _get(self.root, section)
        if not isinstance(node, yaml.SequenceNode):
            node = yaml.SequenceNode("tag:yaml.org,2002:seq", [], flow_style=False)
            _set(self.root, section, node)
        if not node.value:
            # An empty list is written as [] in flow style, which would put the new entry on one line.
            node.flow_style = False
        return node

    def _check_section(self, section: str) -> None:
        node = _get(self.root, section)
        if node is None or _is_null(node):
            return
        if not isinstance(node, yaml.SequenceNode):
            raise BrokenError(f'"{section}" must be a list', node.start_mark.line + 1)
        for item in node.value:
            if not isinstance(item, yaml.MappingNode) or _get(item, "name") is None:
                raise BrokenError(f'every entry of "{section}" needs a name', item.start_mark.line + 1)


def _get(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        for found, value in node.value:
            if isinstance(found, yaml.ScalarNode) and found.value == key:
                return value  # type: ignore[no-any-return]  # the stubs leave the values of a node untyped
    return None


def _set(node: yaml.MappingNode, key: str, value: yaml.Node) -> None:
    for position, (found, _) in enumerate(node.value):
        if isinstance(found, yaml.ScalarNode) and found.value == key:
            node.value[position] = (found, value)
            return
    node.value.append((_node(key), value))


def _named(item: yaml.Node, name: str) -> bool:
    return isinstance(item, yaml.MappingNode) and _scalar(_get(item, "name")) == name


def _scalar(node: yaml.Node | None) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) and not _is_null(node) else ""


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _value(node: yaml.Node | None) -> Any:
    return None if node is None else yaml.load(yaml.serialize(node, Dumper=_Dumper), Loader=_Loader)  # noqa: S506  a safe loader


def _node(value: Any) -> yaml.Node:
    node = yaml.compose(yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=1 << 30), Loader=_Loader)
    if node is None:
        raise BrokenError("cannot write an empty value")
    return node


def _mapping(value: Obj) -> yaml.MappingNode:
    node = _node(value)
    if not isinstance(node, yaml.MappingNode):
        raise BrokenError("not a mapping")
    return node
