"""When the store gives room back, and how (user lesson 4)."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from nestling.controlplane import sqlite_file, store_room
from nestling.kube import client, errors, kubeconfig, requests
from tests.unit.controlplane import test_sqlite_file

MB = 2**20
PLENTY = 2**40


class Member(client.Client):
    """A member of etcd that is so large and answers so."""

    def __init__(self, status: bytes, *, refuses: bool = False) -> None:
        self.config = kubeconfig.ClientConfig(server="https://etcd.test")
        self.status = status
        self.refuses = refuses
        self.defragmented = 0

    async def send(self, request: requests.Request) -> bytes:
        if request.path == "/v3/maintenance/defragment":
            self.defragmented += 1
            if self.refuses:
                raise errors.ServerError(status=500, reason="", message="no space left on device")
            return b"{}"
        assert request.path == "/v3/maintenance/status"
        return self.status


@pytest.mark.parametrize(
    ("size", "used", "room", "quiet", "due"),
    [
        (200, 50, PLENTY, None, True),
        (200, 50, PLENTY, 3600.0, True),
        (200, 50, PLENTY, 3599.0, False),
        (200, 120, PLENTY, None, False),
        (64, 1, PLENTY, None, False),
        (66, 1, PLENTY, None, True),
        (200, 50, 50 * MB, None, False),
        # near the quota
        (3200, 3000, PLENTY, None, False),
        (3300, 3000, PLENTY, None, True),
        (3300, 3240, PLENTY, None, False),
    ],
)
def test_4_etcd_is_defragmented_when_it_is_worth_it(
    size: int, used: int, room: int, quiet: float | None, due: bool
) -> None:
    found = store_room.Size(size * MB, used * MB)
    assert store_room.defragment_is_due(found, room=room, quiet_seconds=quiet) is due


@pytest.mark.parametrize(
    ("total", "free", "spare"),
    [
        # 8 MB stay free at least
        (10_000, 2_048, 0),
        (3_000, 2_048 + 511, 0),
        (3_000, 2_048 + 512, 512),
        # else a quarter of what is in use
        (100_000, 20_000, 0),
        (100_000, 60_000, 50_000),
    ],
)
def test_4_sqlite_keeps_some_room_for_the_next_writes(total: int, free: int, spare: int) -> None:
    assert store_room.spare_pages(sqlite_file.Pages(size=4096, total=total, free=free)) == spare


async def test_4_etcd_is_defragmented_once_in_a_while(tmp_path: Path) -> None:
    member = Member(b"{}")
    etcd = store_room.Etcd(member, tmp_path)
    much = store_room.Size(200 * MB, MB)
    assert await etcd.give_back(much)
    assert not await etcd.give_back(much)
    assert member.defragmented == 1


async def test_a_refusal_counts_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    member = Member(b"{}", refuses=True)
    etcd = store_room.Etcd(member, tmp_path)
    for _ in range(2):
        assert not await etcd.give_back(store_room.Size(200 * MB, MB))
    assert member.defragmented == 1
    assert "no space left on device" in caplog.text


async def test_etcd_says_its_size_as_text(tmp_path: Path) -> None:
    assert await store_room.Etcd(Member(b'{"dbSize": "2048", "dbSizeInUse": "1024"}'), tmp_path).measure() == (
        2048,
        1024,
    )
    assert await store_room.Etcd(Member(b'{"dbSize": "2048"}'), tmp_path).measure() == (2048, 2048)


@pytest.mark.parametrize("answer", [b"<html>", b"{}", b'{"dbSize": "many"}', b"[]"])
async def test_nonsense_is_no_size(answer: bytes, tmp_path: Path) -> None:
    with pytest.raises(store_room.UnavailableError):
        await store_room.Etcd(Member(answer), tmp_path).measure()


async def test_4_sqlite_gives_back_what_it_need_not_keep(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    store = store_room.Sqlite(file)
    with contextlib.closing(test_sqlite_file.filled(file, mode="INCREMENTAL", megabytes=20)):
        before = await store.measure()
        assert before.used < MB
        assert await store.give_back(before)
        after = await store.measure()
        assert 0 < after.used <= before.used
        assert after.size < 10 * MB < 20 * MB < before.size
        assert not await store.give_back(after)


async def test_4_a_log_that_has_grown_is_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_room, "_LARGE_LOG", 1024)
    file = tmp_path / "state.db"
    store = store_room.Sqlite(file)
    with contextlib.closing(test_sqlite_file.filled(file, mode="INCREMENTAL", megabytes=1)) as kine:
        kine.execute("INSERT INTO kine (value) VALUES ('more')")
        log = file.with_name("state.db-wal")
        assert log.stat().st_size > 1024
        assert not await store.give_back(await store.measure())
        assert log.stat().st_size == 0


async def test_4_others_write_between_the_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def slept(seconds: float) -> None:
        pauses.append(seconds)
        kine.execute("INSERT INTO kine (value) VALUES ('between')")

    file = tmp_path / "state.db"
    store = store_room.Sqlite(file)
    with contextlib.closing(test_sqlite_file.filled(file, mode="INCREMENTAL", megabytes=20)) as kine:
        size = await store.measure()
        monkeypatch.setattr(asyncio, "sleep", slept)
        assert await store.give_back(size)
    assert len(pauses) >= 5
    assert min(pauses) > 0


async def test_a_store_without_files_yet_or_with_foreign_ones(tmp_path: Path) -> None:
    store = store_room.Sqlite(tmp_path / "state.db")
    assert await store.measure() == (0, 0)
    assert not await store.give_back(store_room.Size(0, 0))
    (tmp_path / "state.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(store_room.UnavailableError, match="not a database"):
        await store.measure()
