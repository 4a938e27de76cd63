"""``enforceTolerations``: tolerations in the short form of taints, and which taints they cover (spec §2.2, §2.4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nestling.kube.resource import Obj

EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def parse_all(texts: Iterable[str]) -> tuple[Obj, ...]:
    """The tolerations of ``enforceTolerations``.

    Raises:
        ValueError: a text that is not ``key=value:Effect``, ``key:Effect``, ``key=value``, ``key`` or ``*``.
    """
    return tuple(parse(text) for text in texts)


def parse(text: str) -> Obj:
    """One toleration from its text, in the syntax of taints; ``*`` tolerates everything."""
    selector, _, effect = text.partition(":")
    if effect and effect not in EFFECTS:
        raise ValueError(f'toleration "{text}": the effect "{effect}" is none of {", ".join(EFFECTS)}')
    key, equals, value = selector.partition("=")
    if not key or (":" in text and not effect):
        raise ValueError(f'toleration "{text}": write key=value:Effect, key:Effect, key or *')
    parsed: Obj = {"operator": "Equal", "key": key, "value": value} if equals else {"operator": "Exists", "key": key}
    if key == "*":
        parsed = {"operator": "Exists"}
    return {**parsed, "effect": effect} if effect else parsed


def tolerates(tolerations: Iterable[Obj], taint: Obj) -> bool:
    """Does one of the tolerations cover the taint?"""
    return any(_covers(one, taint) for one in tolerations)


def _covers(toleration: Obj, taint: Obj) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    return toleration.get("operator") == "Exists" or (toleration.get("value") or "") == (taint.get("value") or "")
