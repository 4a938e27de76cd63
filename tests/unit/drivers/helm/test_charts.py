from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nestling.drivers import base, errors
from nestling.drivers.helm import charts


def test_the_chart_of_this_package_is_the_default_and_has_its_version() -> None:
    (folder,) = charts.arguments(base.Chart())
    assert yaml.safe_load((Path(folder) / "Chart.yaml").read_text())["version"] == charts.own_version()
    assert charts.arguments(base.Chart(version=f"v{charts.own_version()}")) == [folder]


def test_a_chart_of_a_repository() -> None:
    chart = base.Chart(repository="https://charts.example.org", version="1.2.3")
    assert charts.arguments(chart) == ["vcluster", "--repo", "https://charts.example.org", "--version", "1.2.3"]
    chart = base.Chart(name="mine", repository="oci://registry.example.org/charts/")
    assert charts.arguments(chart) == ["oci://registry.example.org/charts/mine"]


def test_a_chart_in_a_folder(tmp_path: Path) -> None:
    with pytest.raises(errors.UserError, match=r"there is no Chart\.yaml"):
        charts.arguments(base.Chart(folder=str(tmp_path)))
    (tmp_path / "Chart.yaml").touch()
    assert charts.arguments(base.Chart(folder=str(tmp_path))) == [str(tmp_path)]


@pytest.mark.parametrize("chart", [base.Chart(version="99.0.0"), base.Chart(name="other")])
def test_another_chart_needs_a_repository(chart: base.Chart) -> None:
    with pytest.raises(errors.UserError, match="--chart-repo URL"):
        charts.arguments(chart)
