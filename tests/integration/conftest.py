"""What integration tests find on their search path: the pinned kubectl, also on a machine that has none."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from nestling.binaries import chain


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a folder share clusters: in parallel runs (``-n N --dist loadgroup``) they stay in one process."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(item.path.parent.name))


@pytest.fixture(scope="session", autouse=True)
def kubectl_on_path() -> Iterator[None]:
    """In front of whatever kubectl there is."""
    folder = chain.ensure(["kubectl"])["kubectl"].parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ.get('PATH', '')}")
        yield
