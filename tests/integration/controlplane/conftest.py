"""What the tests of control planes share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import envtest


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[envtest.Cluster]:
    """The API server of a host, for all tests of a module."""
    with envtest.running(tmp_path_factory.mktemp("host")) as running:
        yield running
