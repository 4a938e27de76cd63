"""The dashboard and the alerts speak of metrics that exist: those of the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "chart" / "dashboards"
OURS = re.compile(r"\bnestling_[a-z_]+")


def expressions() -> list[str]:
    """All of both files."""
    dashboard = json.loads((FOLDER / "virtual-cluster.json").read_text(encoding="utf-8"))
    alerts = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return shown + [rule["expr"] for group in alerts["spec"]["groups"] for rule in group["rules"]]


def test_every_metric_is_on_the_page() -> None:
    page = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    known = set(OURS.findall(page))
    used = {name.removesuffix("_bucket") for text in expressions() for name in OURS.findall(text)}
    assert used
    assert used <= known


def test_series_are_told_apart_by_kinds_and_not_by_names() -> None:
    """Labels that a tenant could fill would make a series for each of its objects."""
    parts = [part for text in expressions() for part in re.findall(r"by \(([^)]*)\)", text)]
    grouped = {word for part in parts for word in part.split(", ")}
    allowed = "le kind direction side reason resource duty file code verb namespace"
    assert grouped <= set(allowed.split())
