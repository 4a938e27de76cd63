"""One host with a real node and all images, for the tests that install virtual clusters in pods."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import node as support
from tests.support import releases


@pytest.fixture(scope="session")
def node_with_images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.Node]:
    """It is shared: a test takes a namespace of its own, and what it breaks it waits to see whole again."""
    if reason := releases.missing():
        pytest.skip(f"no control plane in a pod on this machine: {reason}")
    folder = tmp_path_factory.mktemp("pods")
    with support.running(folder / "home") as node:
        releases.load_images(node, folder)
        yield node
