"""The values of the documents that started the project, kept as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from nestling.cli import main
from nestling.config import errors, load, resolve

EXAMPLES = Path(__file__).parents[3] / "examples"
SEEDS = sorted(EXAMPLES.glob("seed-*.yaml"))
RECIPES = ("hardened.yaml", "openshift.yaml")


def test_all_seeds_are_there() -> None:
    assert [seed.stem for seed in SEEDS] == [f"seed-00{number}" for number in range(5)]


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.stem)
def test_the_values_are_valid(seed: Path) -> None:
    load.load([load.Source(seed.name, seed.read_text())], refuse_unsupported=False)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.stem)
def test_nothing_but_missing_features_stands_in_the_way(seed: Path) -> None:
    found: tuple[errors.Problem, ...] = ()
    try:
        load.load([load.Source(seed.name, seed.read_text())])
    except errors.ConfigError as error:
        found = error.problems
    assert {problem.message for problem in found} <= {"is not available yet"}


def test_seed_001_selects_its_version_by_the_image_tag() -> None:
    text = (EXAMPLES / "seed-001.yaml").read_text()
    found = load.load([load.Source("seed-001.yaml", text)], refuse_unsupported=False)
    assert resolve.kubernetes_version(found) == "1.32"
    assert found.policies.limit_range.default["ephemeral-storage"] == "8Gi"
    assert found.policies.resource_quota.quota["count/pods"] == 20


@pytest.mark.parametrize("files", [*((one,) for one in RECIPES), RECIPES], ids=" and ".join)
def test_recipes_are_found_fine_alone_and_together(files: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(EXAMPLES / name) for name in files]
    assert main.main(["config", "check", *paths], program="nestling") == 0
    assert "no problems" in capsys.readouterr().out
