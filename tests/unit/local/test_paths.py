from __future__ import annotations

import stat
from pathlib import Path

import pytest

from nestling.local import paths


@pytest.mark.parametrize(
    ("env", "home"),
    [
        ({"NESTLING_HOME": "/n", "XDG_DATA_HOME": "/x", "HOME": "/h"}, "/n"),
        ({"XDG_DATA_HOME": "/x", "HOME": "/h"}, "/x/nestling"),
        ({"XDG_DATA_HOME": "relative", "HOME": "/h"}, "/h/.local/share/nestling"),
        ({"HOME": "/h"}, "/h/.local/share/nestling"),
    ],
)
def test_the_home_is_found(env: dict[str, str], home: str) -> None:
    found = paths.Paths.from_env(env)
    assert found.home == Path(home)
    assert found.clusters("default") == Path(home) / "clusters" / "default"


def test_folders_are_private_on_the_whole_way(tmp_path: Path) -> None:
    places = paths.Paths(tmp_path / "outer" / "home")
    places.make_private(places.host("default"))
    places.make_private(places.host("default"))
    for folder in (places.home, places.hosts, places.host("default")):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
