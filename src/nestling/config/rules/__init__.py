"""Keys that contradict each other, and values that mean nothing: the rules of spec §9, one function per rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from nestling.config import errors, model
from nestling.config.rules import exports, kinds, mappings, network, nodes, patches, stores, values

Rule = Callable[[model.VClusterConfig], Iterator[errors.Finding]]

ALL: Final[tuple[Rule, ...]] = (
    *exports.RULES,
    *kinds.RULES,
    *mappings.RULES,
    *network.RULES,
    *nodes.RULES,
    *patches.RULES,
    *stores.RULES,
    *values.RULES,
)


def check_tenant(config: model.VClusterConfig, *, name: str, namespace: str) -> None:
    """Raise ``ConfigError`` for what only the name and the host namespace of the virtual cluster make wrong."""
    found = mappings.namespaces_spare_the_control_plane(config, name=name, namespace=namespace)
    problems = [errors.Problem(errors.dotted(one.path), "", None, one.message, one.hint) for one in found]
    if problems:
        raise errors.ConfigError(problems)


def check(config: model.VClusterConfig) -> list[errors.Finding]:
    """Everything that the rules find, in their order."""
    return [finding for rule in ALL for finding in rule(config)]
