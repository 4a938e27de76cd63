"""Several virtual clusters on one host."""

from __future__ import annotations

import json

import pytest

from tests.integration.lifecycle.conftest import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

NAMES = ("red", "green", "blue")


def test_three_virtual_clusters_do_not_see_one_another_and_one_goes_without_the_others(world: World) -> None:
    creating = [world.start("create", name, "--connect=false") for name in NAMES]
    for process in creating:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, f"{out}\n{err}"
    assert set(NAMES) <= set(world.entries())
    for name in NAMES:
        world.run("connect", name, "--", "kubectl", "create", "configmap", f"of-{name}")
        world.run("connect", name, "--", "kubectl", "create", "namespace", f"ns-{name}")
    for name in NAMES:
        seen = json.loads(
            world.run("connect", name, "--", "kubectl", "get", "configmaps,namespaces", "-A", "-o", "json").stdout
        )
        found = {item["metadata"]["name"] for item in seen["items"]}
        assert {f"of-{name}", f"ns-{name}"} <= found
        others = {f"{kind}-{other}" for kind in ("of", "ns") for other in NAMES if other != name}
        assert not others & found
    world.run("delete", "green")
    world.assert_nothing_left("green")
    for name in ("red", "blue"):
        assert world.entries()[name]["Status"] == "Running"
        world.run("connect", name, "--", "kubectl", "get", "configmap", f"of-{name}")
    world.run("delete", "red", "blue")
    world.assert_nothing_left("red")
    world.assert_nothing_left("blue")
