"""What a run has found, as values that become a table or a JSON file."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

#: What percentiles are shown of times of single objects.
PERCENTILES: Final = (50, 90, 99)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a line should be: at most ``most``, as a value of the virtual side or as its ratio to the direct one."""

    most: float
    is_ratio: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One measure. The first number of each side is what the ratio and the aim are about."""

    part: str
    what: str
    unit: str
    virtual: tuple[float, ...]
    direct: tuple[float, ...] = ()
    aim: Aim | None = None

    @property
    def ratio(self) -> float | None:
        """Virtual to direct."""
        return self.virtual[0] / self.direct[0] if self.direct and self.direct[0] else None

    @property
    def is_met(self) -> bool | None:
        """Is the aim reached? None without one."""
        if self.aim is None:
            return None
        value = self.ratio if self.aim.is_ratio else self.virtual[0]
        return value is not None and value <= self.aim.most


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Memory and processor time of one process at one moment."""

    when: str
    side: str
    process: str
    rss_mb: float
    pss_mb: float
    #: Of one core, in percent, while the moment lasted.
    cpu_percent: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """How large the virtual cluster's store is at one moment."""

    when: str
    #: Data and their history.
    used_mb: float
    #: The file of the database, which etcd's quota is about: with pages that are free again, or not used yet.
    database_mb: float
    #: All files on disk, with the write-ahead log.
    folder_mb: float


@dataclasses.dataclass(slots=True)
class Report:
    """A whole run."""

    #: Machine, versions, load averages: what the numbers depend on.
    about: dict[str, str] = dataclasses.field(default_factory=dict)
    lines: list[Line] = dataclasses.field(default_factory=list)
    weights: list[Weight] = dataclasses.field(default_factory=list)
    stores: list[Store] = dataclasses.field(default_factory=list)
    #: Parts that did not come to their end, and why.
    failures: dict[str, str] = dataclasses.field(default_factory=dict)


def percentiles(seconds: Iterable[float]) -> tuple[float, ...]:
    """p50, p90 and p99 in milliseconds: of so many values the smallest that this share of them does not exceed."""
    ordered = sorted(seconds)
    if not ordered:
        return (math.nan,) * len(PERCENTILES)
    return tuple(ordered[math.ceil(len(ordered) * share / 100) - 1] * 1000 for share in PERCENTILES)


def answers(seconds: Sequence[float]) -> tuple[float, float]:
    """The average and p99 in milliseconds, as load tests of API servers give them."""
    average = sum(seconds) / len(seconds) * 1000 if seconds else math.nan
    return average, percentiles(seconds)[-1]


def to_json(report: Report) -> str:
    """The report as text."""
    return json.dumps(dataclasses.asdict(report), indent=1) + "\n"


def from_json(text: str) -> Report:
    """The inverse of ``to_json``."""
    data: dict[str, Any] = json.loads(text)
    return Report(
        about=data["about"],
        lines=[_line(one) for one in data["lines"]],
        weights=[Weight(**one) for one in data["weights"]],
        stores=[Store(**one) for one in data.get("stores", [])],
        failures=data.get("failures", {}),
    )


def read(path: Path) -> Report:
    """A report from its file."""
    return from_json(path.read_text(encoding="utf-8"))


def _line(data: dict[str, Any]) -> Line:
    aim = Aim(**data["aim"]) if data["aim"] else None
    return Line(**{**data, "virtual": tuple(data["virtual"]), "direct": tuple(data["direct"]), "aim": aim})


def number(value: float) -> str:
    """Three digits are all that a measurement is worth."""
    if math.isnan(value):
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def numbers(values: Sequence[float]) -> str:
    """Several, as in ``p50 / p90 / p99``."""
    return " / ".join(number(value) for value in values)
