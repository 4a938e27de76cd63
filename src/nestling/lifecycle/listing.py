"""How ``list`` and ``describe`` show virtual clusters. Pure.

Scripts read these: the JSON keys, their order and the indentation of four spaces are the original's (spec §D of the
numbers).
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Final

from nestling.drivers import base
from nestling.kube.resource import Obj

HEADER: Final = ("NAME", "NAMESPACE", "STATUS", "VERSION", "CONNECTED", "AGE")


def as_json(clusters: Sequence[base.VirtualCluster], *, current: str, now: datetime.datetime) -> str:
    """The list as JSON."""
    rows: list[Obj] = [
        {
            "Created": cluster.created.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Name": cluster.name,
            "Namespace": cluster.namespace,
            "Version": cluster.version,
            "Status": cluster.status,
            "AgeSeconds": age_seconds(cluster, now),
            "Connected": cluster.context_name == current,
        }
        for cluster in clusters
    ]
    return json.dumps(rows, indent=4, ensure_ascii=False)


def as_table(clusters: Sequence[base.VirtualCluster], *, current: str, now: datetime.datetime) -> str:
    """The list as a table with a rule below the header."""
    rows = [
        (
            cluster.name,
            cluster.namespace,
            cluster.status,
            cluster.version,
            "True" if cluster.context_name == current else "",
            age(datetime.timedelta(seconds=age_seconds(cluster, now))),
        )
        for cluster in clusters
    ]
    return table(HEADER, rows)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns with bars between them, a rule below the header, and an empty line on both sides."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = [
        " | ".join(f" {cell:<{width}} " for cell, width in zip(row, widths, strict=True)) for row in [header, *rows]
    ]
    lines.insert(1, "-+-".join("-" * (width + 2) for width in widths))
    return "\n".join(["", *(f"  {line}".rstrip() for line in lines), ""])


def age_seconds(cluster: base.VirtualCluster, now: datetime.datetime) -> int:
    """Whole seconds since creation; never negative, whatever the clock does."""
    return max(0, round((now - cluster.created).total_seconds()))


def age(span: datetime.timedelta) -> str:
    """``45s``, ``3m2s``, ``5h3m``, ``12d``: as kubectl writes ages."""
    seconds = int(span.total_seconds())
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    limits = (
        (seconds < 120, f"{seconds}s"),
        (minutes < 10, _two(minutes, "m", seconds % 60, "s")),
        (minutes < 180, f"{minutes}m"),
        (hours < 8, _two(hours, "h", minutes % 60, "m")),
        (hours < 48, f"{hours}h"),
        (days < 8, _two(days, "d", hours % 24, "h")),
        (days < 730, f"{days}d"),
        (days < 2920, _two(days // 365, "y", days % 365, "d")),
    )
    return next((text for within, text in limits if within), f"{days // 365}y")


def _two(big: int, big_unit: str, small: int, small_unit: str) -> str:
    return f"{big}{big_unit}{small}{small_unit}" if small else f"{big}{big_unit}"
