"""Amounts as Kubernetes writes them: ``100m``, ``2Gi``, ``1e3``."""

from __future__ import annotations

import decimal
import re
from collections.abc import Mapping
from typing import Final

_SUFFIXES: Final[Mapping[str, decimal.Decimal]] = {
    "n": decimal.Decimal("1e-9"),
    "u": decimal.Decimal("1e-6"),
    "m": decimal.Decimal("1e-3"),
    "": decimal.Decimal(1),
    **{letter: decimal.Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": decimal.Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}
_QUANTITY: Final = re.compile(r"(?P<number>[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)(?P<suffix>[numkKMGTPE]?i?)")


def parse(text: str | float) -> decimal.Decimal | None:
    """The value of a Kubernetes quantity, None when it is not one."""
    match = _QUANTITY.fullmatch(str(text))
    if match is None or match["suffix"] not in _SUFFIXES:
        return None
    try:
        return decimal.Decimal(match["number"]) * _SUFFIXES[match["suffix"]]
    except decimal.InvalidOperation:
        return None


def text(value: decimal.Decimal) -> str:
    """The amount as a whole number, in thousandths where it is none; what is finer than those is left away."""
    thousandths = int(value * 1000)
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)
