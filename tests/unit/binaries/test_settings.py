from __future__ import annotations

import pathlib

import pytest

from nestling.binaries import errors, settings


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        ({"NESTLING_CACHE_DIR": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/c/bin"),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/nestling/bin"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/nestling/bin"),
        ({"HOME": "/h"}, "/h/.cache/nestling/bin"),
    ],
)
def test_cache_folder(env: dict[str, str], folder: str) -> None:
    assert settings.Settings.from_env(env).store == pathlib.Path(folder)


def test_explicit_folder_must_exist(tmp_path: pathlib.Path) -> None:
    assert settings.Settings.from_env({"NESTLING_BIN_DIR": str(tmp_path)}).bin_dir == tmp_path
    with pytest.raises(errors.BinaryError, match="is not a folder"):
        settings.Settings.from_env({"NESTLING_BIN_DIR": str(tmp_path / "missing")})


def test_mirror_must_be_a_url() -> None:
    assert settings.Settings.from_env({"NESTLING_MIRROR": "https://m/x/"}).mirror == "https://m/x"
    with pytest.raises(errors.BinaryError, match="is not a URL"):
        settings.Settings.from_env({"NESTLING_MIRROR": "m/x"})


@pytest.mark.parametrize(
    ("value", "offline"), [("", False), ("0", False), ("false", False), ("1", True), ("yes", True)]
)
def test_offline_switch(value: str, *, offline: bool) -> None:
    assert settings.Settings.from_env({"NESTLING_OFFLINE": value}).offline is offline


def test_other_machines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(errors.BinaryError, match="Linux with amd64 or arm64"):
        settings.Settings.from_env({})
