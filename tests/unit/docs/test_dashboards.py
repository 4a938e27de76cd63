"""The dashboard and the alerts speak of metrics that exist: those of the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "chart" / "dashboards"
MONITOR = ROOT / "chart" / "templates" / "service-monitor.yaml"
#: As the stock API server has them (Kubernetes 1.36).
_BELOW = ["0.005", "0.025", "0.05", "0.1", "0.2", "0.4", "0.6", "0.8"]
BUCKETS = [*_BELOW, *("1", "1.25", "1.5", "2", "3", "4", "5", "6", "8", "10", "15", "20", "30", "45", "60", "+Inf")]
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


@pytest.mark.parametrize("name", ["apiserver_request", "apiserver_request_sli", "etcd_request"])
@pytest.mark.parametrize("ending", ["", ".0"], ids=["as text", "as OpenMetrics"])
def test_48_few_buckets_of_the_longest_histograms_are_kept(name: str, ending: str) -> None:
    (regex,) = re.findall(r"regex: '([^']+)'", MONITOR.read_text(encoding="utf-8"))
    drop = re.compile(regex)
    written = {le: le if "." in le or "Inf" in le else le + ending for le in BUCKETS}
    kept = [le for le in BUCKETS if not drop.fullmatch(f"{name}_duration_seconds_bucket;{written[le]}")]
    assert kept == ["0.025", "0.1", "0.4", "1", "5", "10", "30", "60", "+Inf"]


@pytest.mark.parametrize("series", ["apiserver_request_duration_seconds_count;", "nestling_sync_lag_seconds_bucket;2"])
def test_48_nothing_else_is_dropped(series: str) -> None:
    (regex,) = re.findall(r"regex: '([^']+)'", MONITOR.read_text(encoding="utf-8"))
    assert not re.fullmatch(regex, series)
