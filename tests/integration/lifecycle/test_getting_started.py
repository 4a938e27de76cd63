"""docs/getting-started.md as a test: its commands are run in their order, as written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.lifecycle.conftest import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

REPOSITORY = Path(__file__).parents[3]


def commands() -> list[str]:
    """The lines of the page's shell blocks that start a program of ours; taking the shared host down is left out.

    Those for a cluster that one has need images: tests/e2e/test_helm_driver.py does the same on a real node.
    """
    text = (REPOSITORY / "docs" / "getting-started.md").read_text().partition("\n## In a cluster that you have\n")[0]
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    return [line for line in lines if re.match(r"(KUBECONFIG=|nestling |kubectl )", line) and " host down" not in line]


def test_the_page_has_commands() -> None:
    assert len(commands()) > 10


def test_every_command_of_the_page_works(world: World) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{world.env['PATH']}"
    script = "\n".join(["set -euxo pipefail", *commands()])
    result = subprocess.run(
        ["bash", "-c", script],
        cwd=REPOSITORY,
        env={**world.env, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    world.assert_nothing_left("my-vc")
    world.assert_nothing_left("second")
