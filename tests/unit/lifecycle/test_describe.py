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
