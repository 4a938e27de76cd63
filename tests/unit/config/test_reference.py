from __future__ import annotations

from pathlib import Path

import pytest

from nestling.config import defaults, load, model, reference, schema, yaml_text

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", sorted(reference.files()))
def test_generated_files_are_current(name: str) -> None:
    current = reference.files()[name] == (ROOT / name).read_text(encoding="utf-8")
    assert current, f"{name} is older than the models; run: python -m nestling.config.reference ."


def test_files_are_written_below_a_checkout(tmp_path: Path) -> None:
    reference.main(str(tmp_path))
    for name, content in reference.files().items():
        assert (tmp_path / name).read_text(encoding="utf-8") == content


def test_the_values_of_the_chart_load_cleanly() -> None:
    found = load.load([load.Source("values.yaml", reference.values())])
    assert defaults.values(found) == defaults.values(model.VClusterConfig.model_construct())


def test_the_schema_has_the_shape_that_helm_and_editors_expect() -> None:
    found = schema.build()
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert list(found["$defs"]) == sorted(found["$defs"])
    text = schema.text()
    assert '"title"' not in text
    assert "TODO" not in text
    for definition in (found, *found["$defs"].values()):
        assert definition["additionalProperties"] is False
        assert definition["description"]
        assert "default" not in definition
        assert all(one["description"] for one in definition["properties"].values())


def test_references_lead_somewhere() -> None:
    found = schema.build()
    names = {part.split('"')[0] for part in schema.text().split("#/$defs/")[1:]}
    assert names == set(found["$defs"])


def test_the_schema_follows_the_types() -> None:
    found = schema.build()
    pods = found["$defs"]["Pods"]["properties"]
    assert pods["enabled"]["type"] == "boolean"
    assert pods["translateImage"]["additionalProperties"] == {"type": "string"}
    assert pods["patches"]["items"] == {"$ref": "#/$defs/Patch"}
    limits = found["$defs"]["LimitRange"]["properties"]
    assert limits["default"]["type"] == "object"
    assert "boolean" in str(limits["enabled"]["oneOf"])


def test_the_page_names_every_top_level_key() -> None:
    page = reference.page()
    for key in yaml_text.read("x", reference.values()).values:
        assert f"\n## {key}\n" in page
