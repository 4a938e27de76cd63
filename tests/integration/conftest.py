"""What integration tests find on their search path: the pinned kubectl, also on a machine that has none."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from xdist import remote, scheduler  # type: ignore[import-untyped]  # has no stubs

from nestling.binaries import chain


class LoadFolderScheduling(scheduler.LoadScopeScheduling):  # type: ignore[misc]  # untyped, see above
    """The tests of a folder share clusters: in parallel runs they stay in one process."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0].rpartition("/")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: remote.Producer) -> LoadFolderScheduling:
    """How ``-n N`` deals out the tests."""
    return LoadFolderScheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def kubectl_on_path() -> Iterator[None]:
    """In front of whatever kubectl there is."""
    folder = chain.ensure(["kubectl"])["kubectl"].parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ.get('PATH', '')}")
        yield
