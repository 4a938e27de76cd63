"""How large the store is (user lesson 4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from nestling.controlplane import store_size
from nestling.kube import client, errors, kubeconfig, requests


class Member(client.Client):
    def __init__(self, answer: bytes) -> None:
        self.config = kubeconfig.ClientConfig(server="https://etcd.test")
        self.answer = answer

    async def send(self, request: requests.Request) -> bytes:
        assert request.path == "/v3/maintenance/status"
        return self.answer


async def test_etcd_says_its_size_as_text() -> None:
    assert await store_size.measure_etcd(Member(b'{"dbSize": "2048", "dbSizeInUse": "1024"}')) == (2048, 1024)
    assert await store_size.measure_etcd(Member(b'{"dbSize": "2048"}')) == (2048, 2048)


@pytest.mark.parametrize("answer", [b"<html>", b"{}", b'{"dbSize": "many"}', b"[]"])
async def test_nonsense_is_no_size(answer: bytes) -> None:
    with pytest.raises(errors.ConnectionFailed):
        await store_size.measure_etcd(Member(answer))


async def test_sqlite_is_its_files(tmp_path: Path) -> None:
    assert await store_size.measure_sqlite(tmp_path) == (0, 0)
    (tmp_path / "state.db").write_bytes(b"x" * 100)
    (tmp_path / "state.db-wal").write_bytes(b"x" * 10)
    assert await store_size.measure_sqlite(tmp_path) == (110, 110)
