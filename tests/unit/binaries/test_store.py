from __future__ import annotations

import dataclasses
import os
import pathlib

import pytest

from nestling.binaries import catalogue, errors, progress, store

ETCD = catalogue.binary("etcd", "")


@pytest.fixture
def cache(tmp_path: pathlib.Path) -> store.Store:
    return store.Store(tmp_path / "bin", "amd64")


def put(cache: store.Store, content: bytes = b"etcd") -> pathlib.Path:
    with cache.locked([ETCD], progress.silent), cache.workspace([ETCD]) as workspace:
        (workspace / "file").write_bytes(content)
        return cache.install(ETCD, workspace / "file", source="a test")


def test_installed_binary_is_found_and_executable(cache: store.Store, tmp_path: pathlib.Path) -> None:
    assert cache.find(ETCD) is None
    path = put(cache)
    assert path == tmp_path / "bin/etcd/v3.6.8/linux-amd64/etcd"
    assert cache.find(ETCD) == path
    assert os.access(path, os.X_OK)
    record = cache.record(ETCD)
    assert record is not None
    assert record.source == "a test"
    assert sorted(one.name for one in path.parent.iterdir()) == [".etcd.json", ".etcd.lock", "etcd"]


def test_file_without_a_record_is_not_used(cache: store.Store) -> None:
    path = cache.path(ETCD)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"from somewhere")
    path.chmod(0o755)
    assert cache.find(ETCD) is None


@pytest.mark.parametrize("content", [b"", b"et", b"ETCD"], ids=["empty", "cut", "changed"])
def test_changed_file_is_not_used(cache: store.Store, content: bytes) -> None:
    path = put(cache)
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))
    assert cache.find(ETCD) is None
    assert put(cache) == cache.find(ETCD)


def test_copied_cache_is_checked_by_content_once(cache: store.Store) -> None:
    path = put(cache)
    os.utime(path, ns=(1, 1))
    assert cache.find(ETCD) == path
    record = cache.record(ETCD)
    assert record is not None
    assert record.modified == 1


def test_unreadable_record_counts_as_none(cache: store.Store) -> None:
    path = put(cache)
    path.with_name(".etcd.json").write_text("{")
    assert cache.find(ETCD) is None


def test_architectures_and_versions_do_not_mix(cache: store.Store, tmp_path: pathlib.Path) -> None:
    put(cache)
    assert store.Store(tmp_path / "bin", "arm64").find(ETCD) is None
    assert cache.find(dataclasses.replace(ETCD, version="v9.9.9")) is None


def test_leftovers_of_a_killed_process_are_removed(cache: store.Store) -> None:
    left = cache.path(ETCD).parent / ".etcd.part"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"x")
    with cache.locked([ETCD], progress.silent), cache.workspace([ETCD]) as workspace:
        assert list(workspace.iterdir()) == []
    assert not left.exists()


def test_failure_leaves_no_workspace(cache: store.Store) -> None:
    with pytest.raises(KeyboardInterrupt), cache.locked([ETCD], progress.silent), cache.workspace([ETCD]):
        raise KeyboardInterrupt
    assert [one.name for one in cache.path(ETCD).parent.iterdir()] == [".etcd.lock"]


def test_unwritable_cache_says_what_to_do(tmp_path: pathlib.Path) -> None:
    (tmp_path / "bin").write_text("a file where the folder should be")
    cache = store.Store(tmp_path / "bin", "amd64")
    with pytest.raises(errors.BinaryError, match="set NESTLING_CACHE_DIR"), cache.locked([ETCD], progress.silent):
        pass
