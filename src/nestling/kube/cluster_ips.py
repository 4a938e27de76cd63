"""Addresses and IP families of Services: one, or one of each family. Pure functions of a Service's spec."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from nestling.kube.resource import Obj

SINGLE_STACK: Final = "SingleStack"
PREFER_DUAL_STACK: Final = "PreferDualStack"


def addresses(spec: Obj) -> list[str]:
    """The ClusterIPs, the first of which is in ``clusterIP``, too; one that is empty when there is none yet."""
    return spec.get("clusterIPs") or [spec.get("clusterIP", "")]


def families(spec: Obj) -> list[str]:
    """``IPv4``, ``IPv6``, in the order of the addresses; none when the API server has not chosen yet."""
    return spec.get("ipFamilies") or []


def begin_alike(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Are they the same, as far as both go? A second address or family comes and goes, but it never changes."""
    return all(one == other for one, other in zip(ours, theirs, strict=False))


def first_only(spec: Obj) -> Obj:
    """The fields of a Service that gives up its second family."""
    return {"clusterIPs": addresses(spec)[:1], "ipFamilies": families(spec)[:1], "ipFamilyPolicy": SINGLE_STACK}
