"""What the host's metrics API says, in the tenant's names: pure functions.

Measurements of a pod pass only for a pod that was found to be the tenant's, and of it only containers that the tenant
wrote; those of a node only under a name that was found to be visible.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from nestling.kube.resource import Obj

GROUP: Final = "metrics.k8s.io"
VERSION: Final = "v1beta1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
_VERBS: Final = ("get", "list")
_KINDS: Final[Mapping[str, str]] = {"pods": "PodMetrics", "nodes": "NodeMetrics"}
_TABLE: Final = re.compile(r"as=Table\b")
_COLUMNS: Final = (("Name", "name"), ("CPU", ""), ("Memory", ""), ("Window", ""))
_MILLI: Final = 10**6
_CPU: Final[Mapping[str, int]] = {"n": 1, "u": 10**3, "m": _MILLI, "": 10**9}
_BYTES: Final[Mapping[str, int]] = {
    "": 1,
    **{f"{unit}i": 1024**power for power, unit in enumerate("KMGTP", start=1)},
    **{unit: 1000**power for power, unit in enumerate("kMGTP", start=1)},
}
_QUANTITY: Final = re.compile(r"(\d+)([A-Za-z]*)")


def group() -> Obj:
    """The document at ``/apis/metrics.k8s.io``."""
    version = {"groupVersion": API_VERSION, "version": VERSION}
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": GROUP,
        "versions": [version],
        "preferredVersion": version,
    }


def resources(offered: Iterable[str]) -> Obj:
    """The document at ``/apis/metrics.k8s.io/v1beta1``: ``pods``, ``nodes`` or both."""
    found = [
        {
            "name": name,
            "singularName": "",
            "namespaced": name == "pods",
            "kind": _KINDS[name],
            "verbs": list(_VERBS),
        }
        for name in sorted(offered)
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": API_VERSION, "resources": found}


def pod(measured: Obj, meta: Mapping[str, Any], containers: AbstractSet[str]) -> Obj:
    """The measurement of a host pod as one of the virtual pod with this metadata."""
    return {
        "kind": _KINDS["pods"],
        "apiVersion": API_VERSION,
        "metadata": {**_stamp(measured), **meta},
        **_when(measured),
        "containers": [one for one in measured.get("containers") or () if one.get("name") in containers],
    }


def node(measured: Obj, meta: Mapping[str, Any]) -> Obj:
    """The measurement of a host node as one of the virtual node with this metadata."""
    return {
        "kind": _KINDS["nodes"],
        "apiVersion": API_VERSION,
        "metadata": {**_stamp(measured), **meta},
        **_when(measured),
        "usage": measured.get("usage") or {},
    }


def collection(resource: str, items: list[Obj]) -> Obj:
    """The list of measurements."""
    return {"kind": f"{_KINDS[resource]}List", "apiVersion": API_VERSION, "metadata": {}, "items": items}


def wants_table(accept: str) -> bool:
    """Does a client, such as ``kubectl get``, want rows before anything else?"""
    return _TABLE.search(accept.split(",", 1)[0]) is not None


def table(items: Iterable[Obj]) -> Obj:
    """The rows that ``kubectl get podmetrics`` and ``nodemetrics`` show."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": [
            {"name": name, "type": "string", "format": form, "description": "", "priority": 0}
            for name, form in _COLUMNS
        ],
        "rows": [_row(one) for one in items],
    }


def status(code: int, message: str) -> Obj:
    """A refusal as API servers write it."""
    reasons = {
        400: "BadRequest",
        403: "Forbidden",
        404: "NotFound",
        405: "MethodNotAllowed",
        502: "InternalError",
        503: "ServiceUnavailable",
    }
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reasons.get(code, ""),
        "code": code,
    }


def _row(item: Obj) -> Obj:
    usages = [one.get("usage") or {} for one in item.get("containers") or [item]]
    cpu = sum(_amount(one.get("cpu", "0"), _CPU) for one in usages)
    memory = sum(_amount(one.get("memory", "0"), _BYTES) for one in usages)
    cells = [item["metadata"]["name"], f"{-(-cpu // _MILLI)}m", f"{memory // 1024}Ki", item.get("window", "")]
    return {"cells": cells, "object": {**_partial(), "metadata": item["metadata"]}}


def _partial() -> Obj:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}


def _amount(text: str, units: Mapping[str, int]) -> int:
    """A quantity as measurements have it, whole numbers with a unit; 0 for any other."""
    match = _QUANTITY.fullmatch(text)
    return int(match[1]) * units.get(match[2], 0) if match else 0


def _stamp(measured: Obj) -> Obj:
    stamp = (measured.get("metadata") or {}).get("creationTimestamp")
    return {"creationTimestamp": stamp} if stamp else {}


def _when(measured: Obj) -> Obj:
    return {name: measured[name] for name in ("timestamp", "window") if name in measured}
