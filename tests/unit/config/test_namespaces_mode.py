"""Section 1.8 of the specification, namespaces mode: it does not exist yet and is refused by name, as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from nestling.cli import main
from nestling.config import errors, load
from nestling.lifecycle import create
from tests.unit.config import support

VALUES = """
sync:
  toHost:
    namespaces:
      enabled: true
      mappings:
        byName:
          "team-*": "host-team-*"
      mappingsOnly: true
      extraLabels: {tier: gold}
"""


def test_1_8_it_is_refused_with_path_line_and_what_to_do_instead() -> None:
    found = support.problem(VALUES, refuse_unsupported=True)
    assert (found.path, found.source, found.line) == ("sync.toHost.namespaces.enabled", "1.yaml", 5)
    assert found.message == "is not available yet"
    assert found.hint == "remove it; all objects go into one namespace of the host, under names of their own"


def test_1_8_config_check_and_create_refuse_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "vcluster.yaml"
    file.write_text(VALUES)
    assert main.main(["config", "check", str(file)], program="nestling") == 1
    message = f"{file}:5: sync.toHost.namespaces.enabled: is not available yet"
    assert message in capsys.readouterr().err
    with pytest.raises(errors.ConfigError) as refused:
        create.check(create.Wish(name="my-vc", sources=(load.Source(str(file), VALUES),)), namespace=None)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "values",
    [
        "sync: {toHost: {namespaces: {enabled: false, mappingsOnly: true, extraLabels: {a: b}}}}",
        "sync: {toHost: {namespaces: {mappings: {byName: {a: b}}}}}",
        "sync: {toHost: {namespaces: {}}}",
    ],
)
def test_1_8_what_is_switched_off_asks_for_nothing(values: str) -> None:
    load.load([load.Source("vcluster.yaml", values)])
