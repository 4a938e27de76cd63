"""SQLite's file gives room back while others use it (user lesson 4)."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
import types
from pathlib import Path

import pytest

from nestling.controlplane import sqlite_file

MB = 2**20


def filled(file: Path, *, mode: str, megabytes: int = 4) -> sqlite3.Connection:
    """A database as kine has it, whose rows were written and deleted again; one row is left."""
    database = sqlite3.connect(file, isolation_level=None)
    database.execute(f"PRAGMA auto_vacuum={mode}")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE kine (id INTEGER PRIMARY KEY, value BLOB)")
    database.executemany("INSERT INTO kine (value) VALUES (?)", [(b"x" * MB,)] * megabytes)
    database.execute("INSERT INTO kine (value) VALUES ('kept')")
    database.execute("DELETE FROM kine WHERE value != 'kept'")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return database


def kept(file: Path) -> list[tuple[str]]:
    with contextlib.closing(sqlite3.connect(file)) as database:
        return database.execute("SELECT value FROM kine").fetchall()


def test_4_free_pages_go_back_in_steps_while_another_connection_is_open(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    with contextlib.closing(filled(file, mode="INCREMENTAL")) as kine:
        before = file.stat().st_size
        free = sqlite_file.pages(file).free
        assert free * 4096 > 4 * MB * 0.9
        assert sqlite_file.give_back(file, 100) == 100
        assert sqlite_file.pages(file).free == free - 100
        assert sqlite_file.give_back(file, free) == free - 100
        assert sqlite_file.give_back(file, 100) == 0
        sqlite_file.checkpoint(file)
        assert file.stat().st_size < before / 10
        kine.execute("INSERT INTO kine (value) VALUES ('later')")
    assert kept(file) == [("kept",), ("later",)]


def test_4_kine_goes_first(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    with contextlib.closing(filled(file, mode="INCREMENTAL")) as kine:
        kine.execute("BEGIN IMMEDIATE")
        assert sqlite_file.give_back(file, 100) == 0
        kine.execute("COMMIT")
        assert sqlite_file.give_back(file, 100) == 100


def test_what_is_in_use_is_known(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    filled(file, mode="NONE").close()
    found = sqlite_file.pages(file)
    assert found.total * found.size == file.stat().st_size
    assert found.used_bytes < MB


@pytest.mark.parametrize("mode", ["NONE", "FULL"])
def test_4_a_file_of_another_mode_is_written_anew_once_and_says_so(
    mode: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "state.db"
    filled(file, mode=mode).close()
    sqlite_file.make_shrinkable(file)
    assert "Writing" in caplog.text
    assert str(file) in caplog.text
    assert file.stat().st_size < MB
    assert kept(file) == [("kept",)]
    caplog.clear()
    sqlite_file.make_shrinkable(file)
    assert caplog.text == ""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as database:
        assert database.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.db"]


def test_4_without_room_the_file_stays_and_how_much_is_needed_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "state.db"
    filled(file, mode="NONE").close()
    before = file.read_bytes()
    needed = sqlite_file.room_needed(sqlite_file.pages(file))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: types.SimpleNamespace(free=needed - 1))
    sqlite_file.make_shrinkable(file)
    assert "make 1 MB free" in caplog.text
    assert file.read_bytes() == before


def test_a_file_that_kine_still_has_or_that_is_none_is_no_reason_not_to_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_file.make_shrinkable(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database" * 100)
    sqlite_file.make_shrinkable(broken)
    assert "file is not a database" in caplog.text
    monkeypatch.setattr(sqlite_file, "_BUSY_AT_START", 0.01)
    file = tmp_path / "state.db"
    with contextlib.closing(filled(file, mode="NONE")) as kine:
        kine.execute("BEGIN IMMEDIATE")
        sqlite_file.make_shrinkable(file)
        assert "database is locked" in caplog.text


def test_room_for_the_copy_and_its_log() -> None:
    assert sqlite_file.room_needed(sqlite_file.Pages(size=4096, total=1000, free=900)) == 2 * 100 * 4096


def test_an_empty_file_is_kines_to_fill(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "state.db").touch()
    sqlite_file.make_shrinkable(tmp_path / "state.db")
    assert caplog.text == ""
