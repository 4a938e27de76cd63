"""Which chart is installed: the one in this package, a folder, or one of a repository."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Final

from nestling.drivers import base, errors

NAME: Final = "vcluster"
_OCI: Final = "oci://"


def own_version() -> str:
    """The version of this package and of its chart."""
    return importlib.metadata.version("nestling")


def embedded() -> Path:
    """The folder of the chart: inside an installed package, else that of the checkout."""
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "_chart", package.parents[1] / "chart"):
        if (folder / "Chart.yaml").is_file():
            return folder
    raise errors.UserError(
        f"the package at {package} has lost its Helm chart; install Nestling again, or name a folder with "
        f"--local-chart-dir FOLDER"
    )


def arguments(chart: base.Chart) -> list[str]:
    """The chart, as arguments of helm; raises ``UserError`` when it is none that can be found."""
    if chart.folder:
        if not (Path(chart.folder) / "Chart.yaml").is_file():
            raise errors.UserError(f"--local-chart-dir {chart.folder}: there is no Chart.yaml in this folder")
        return [chart.folder]
    name = chart.name or NAME
    if chart.repository.startswith(_OCI):
        return [f"{chart.repository.rstrip('/')}/{name}", *_version(chart)]
    if chart.repository:
        return [name, "--repo", chart.repository, *_version(chart)]
    if name != NAME or chart.version.removeprefix("v") not in ("", own_version()):
        wanted = f"{name} {chart.version}".strip()
        raise errors.UserError(
            f"the chart of this package is {NAME} {own_version()}; for {wanted}, name its repository with "
            f"--chart-repo URL (https:// or oci://), or leave --chart-name and --chart-version out"
        )
    return [str(embedded())]


def _version(chart: base.Chart) -> list[str]:
    return ["--version", chart.version] if chart.version else []
