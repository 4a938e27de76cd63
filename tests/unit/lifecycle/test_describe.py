from __future__ import annotations

import json
from pathlib import Path

import yaml

from nestling.lifecycle import describe
from tests.unit.lifecycle import fakes


async def test_describe_has_the_keys_of_the_original(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster())
    driver.user_values = "sync: {}\n"
    text = await describe.describe(current, "my-vc", form="json")
    found = json.loads(text)
    assert {"name", "namespace", "version", "backingStore", "created", "status", "userConfigYaml"} <= set(found)
    assert found == yaml.safe_load(await describe.describe(current, "my-vc", form="yaml"))
    assert await describe.describe(current, "my-vc", config_only=True) == "sync: {}\n"


async def test_describe_adds_the_state_of_the_syncer(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster())
    document = {"ready": True, "checks": {}, "syncer": {"kinds": {"pods": {"inAgreement": True}}}}
    driver.answers["/status"] = json.dumps(document).encode()
    assert json.loads(await describe.describe(current, "my-vc", form="json"))["sync"] == document
    text = await describe.describe(current, "my-vc")
    assert "Name:           my-vc\n" in text
    assert "Created:        Fri, 02 Jan 2026 03:04:05 +0000\n" in text
    assert "pods  now" in text
    assert "vcluster.yaml" in text


async def test_a_syncer_that_does_not_answer_is_said_and_hides_nothing_else(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path, fakes.cluster())
    found = json.loads(await describe.describe(current, "my-vc", form="json"))
    assert found["syncError"] == "the syncer process does not answer"
    assert found["status"] == "Running"


async def test_a_paused_one_is_not_asked(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path, fakes.cluster(status="Paused"))
    assert "syncError" not in json.loads(await describe.describe(current, "my-vc", form="json"))


async def test_values_that_cannot_be_read_any_more_do_not_hide_the_rest(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster())
    driver.user_values = "a: [\n"
    assert json.loads(await describe.describe(current, "my-vc", form="json"))["backingStore"] == ""


async def test_long_values_are_cut_for_people(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster())
    driver.user_values = "".join(f"# line {number}\n" for number in range(60))
    text = await describe.describe(current, "my-vc")
    assert "# line 49\n... (10 more lines, see --config-only)" in text
