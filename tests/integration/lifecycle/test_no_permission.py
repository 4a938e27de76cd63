"""Files and folders that the user may not read or write: said with what to do, nothing is lost, and the same command
works once they may."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.lifecycle.conftest import World, holding_something

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

NAME = "closed"
NOTHING, READ_ONLY = 0o000, 0o555
#: Root reads and writes everything, unless it has lost these two.
ORDINARY = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


@pytest.fixture(scope="module")
def user(world: World) -> World:
    """The user of the world as one whom the modes of files stop, also where the tests run as root."""
    if os.geteuid() != 0:
        return world
    if shutil.which(ORDINARY[0]) is None:
        pytest.skip("setpriv, which takes root's rights away, is missing (util-linux)")
    return dataclasses.replace(world, through=ORDINARY)


@pytest.fixture(scope="module")
def closed(world: World) -> Iterator[Path]:
    """The folder of a virtual cluster that holds something."""
    yield from holding_something(world, NAME)


@contextlib.contextmanager
def mode(path: Path, bits: int) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(bits)
    try:
        yield
    finally:
        path.chmod(before)


def refusal(user: World, *command: str, **env: str) -> str:
    """What is said; never that it is our mistake."""
    error = user.run(*command, code=1, **env).stderr
    assert "this is a bug" not in error, error
    return error


def assert_kept(world: World) -> None:
    output = world.run("connect", NAME, "--", "kubectl", "get", "configmap", "kept", "-o", "name").stdout
    assert output.strip() == "configmap/kept"
    assert world.entries()[NAME]["Status"] == "Running"


@pytest.mark.parametrize(
    "command",
    [
        ("list",),
        ("create", "another"),
        ("delete", NAME),
        ("host", "up"),
        ("host", "status"),
        ("host", "kubeconfig"),
        ("host", "down"),
        ("host", "down", "--delete"),
    ],
    ids=" ".join,
)
def test_a_home_of_somebody_else_is_named_with_what_to_do(user: World, closed: Path, command: tuple[str, ...]) -> None:
    assert closed.exists()
    with mode(user.home, NOTHING):
        error = refusal(user, *command)
    assert f"{user.home}/" in error
    assert "Permission denied" in error
    assert "NESTLING_HOME" in error
    assert closed.exists()


def test_after_all_these_refusals_nothing_has_changed(world: World, closed: Path) -> None:
    assert closed.exists()
    assert_kept(world)
    assert "another" not in world.entries()


def test_files_that_may_not_be_read_or_written_stop_a_start_and_stay(user: World, world: World, closed: Path) -> None:
    world.run("pause", NAME)
    key = closed / "data" / "pki" / "ca.key"
    content = key.read_bytes()
    etcd = closed / "data" / "etcd"
    for path, bits in ((closed, READ_ONLY), (closed / "data", READ_ONLY), (key, NOTHING), (etcd, NOTHING)):
        with mode(path, bits):
            error = refusal(user, "resume", NAME)
        assert str(path) in error
        assert "ermission denied" in error
    with mode(etcd / "member" / "wal", NOTHING):
        error = refusal(user, "resume", NAME)
    assert "a file may not be read or written; give it back to the user who runs this" in error
    assert key.read_bytes() == content
    assert world.processes(NAME) == []
    world.run("resume", NAME)
    assert_kept(world)


def test_a_kubeconfig_that_may_not_be_read_or_written_is_left_alone(user: World, closed: Path, tmp_path: Path) -> None:
    assert closed.exists()
    file = tmp_path / "folder" / "kubeconfig"
    file.parent.mkdir()
    file.write_text("apiVersion: v1\nkind: Config\n")
    before = file.read_bytes()
    reading, writing = ("connect", "delete", "create"), ("connect", "create")
    for path, bits, verbs in ((file, NOTHING, reading), (file.parent, READ_ONLY, writing)):
        with mode(path, bits):
            for verb in verbs:
                error = refusal(user, verb, "unwritten" if verb == "create" else NAME, KUBECONFIG=str(file))
                assert str(path) in error, verb
                assert "ermission denied" in error
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["kubeconfig"]
    assert set(user.entries()) >= {NAME}
    assert "unwritten" not in user.entries()


def test_values_that_may_not_be_read_are_named(user: World, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text("sync: {}\n")
    with mode(values, NOTHING):
        assert f"cannot read the values file {values}: Permission denied" in refusal(
            user, "create", "unread", "-f", str(values)
        )
    assert "unread" not in user.entries()


def test_a_cache_that_may_not_be_written_is_named(user: World, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    with mode(cache, READ_ONLY):
        error = refusal(user, "create", "uncached", NESTLING_CACHE_DIR=str(cache), NESTLING_OFFLINE="1", PATH="/bin")
    assert str(cache) in error or "NESTLING_OFFLINE" in error
    assert "uncached" not in user.entries()


def test_a_host_whose_folder_may_not_be_written_does_not_start_and_keeps_its_data(
    user: World, world: World, closed: Path
) -> None:
    folder = world.host.host.layout.folder
    world.run("pause", NAME)
    world.run("host", "down")
    for part in (".", "config"):
        with mode(folder / part, READ_ONLY):
            error = refusal(user, "host", "up")
            assert str(folder) in error, error
            assert "ermission denied" in error
    assert not world.host.host.running()
    world.run("host", "up")
    world.run("resume", NAME)
    assert closed.exists()
    assert_kept(world)
