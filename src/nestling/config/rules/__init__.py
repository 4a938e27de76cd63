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


def check(config: model.VClusterConfig) -> list[errors.Finding]:
    """Everything that the rules find, in their order."""
    return [finding for rule in ALL for finding in rule(config)]
