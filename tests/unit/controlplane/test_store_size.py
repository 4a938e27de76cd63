"""How large the store is (user lesson 4)."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import prometheus_client
import pytest

from nestling.controlplane import etcd, store_size
from nestling.kube import client, errors, kubeconfig, quantity, requests
from tests.unit.controlplane import samples


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


def test_4_etcd_refuses_writes_before_the_volume_of_the_chart_is_full() -> None:
    argv = etcd.argv(samples.config(), samples.SYNCER, Path("/binaries/etcd"))
    quota = int(samples.flag(argv, "quota-backend-bytes") or "0")
    volume = quantity.parse(samples.config().control_plane.stateful_set.persistence.volume_claim.size)
    assert volume is not None
    # beside the store there are its log, snapshots and the logs of the control plane
    assert 0 < quota <= 0.8 * float(volume)


@pytest.mark.parametrize(
    ("text", "quota"),
    [("", etcd.QUOTA_BYTES), ("controlPlane: {backingStore: {database: {embedded: {enabled: true}}}}", 0)],
)
async def test_4_size_and_quota_are_metrics(
    text: str, quota: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def measured(_member: object) -> store_size.Size:
        return 2048, 1024

    class Ended(Exception):
        """It goes on for ever."""

    async def slept(_seconds: float) -> None:
        raise Ended

    monkeypatch.setattr(store_size, "measure_etcd", measured)
    monkeypatch.setattr(store_size, "access", lambda _syncer: kubeconfig.ClientConfig(server="https://etcd.test"))
    monkeypatch.setattr(asyncio, "sleep", slept)
    (tmp_path / "state.db").write_bytes(b"x" * 2048)
    registry = prometheus_client.CollectorRegistry()
    syncer = dataclasses.replace(samples.SYNCER, data_dir=tmp_path)
    with pytest.raises(Ended):
        await store_size.run(samples.config(text), syncer, store_size.Gauges(registry))
    assert registry.get_sample_value("nestling_store_bytes") == 2048
    assert registry.get_sample_value("nestling_store_quota_bytes") == quota


async def test_sqlite_is_its_files(tmp_path: Path) -> None:
    assert await store_size.measure_sqlite(tmp_path) == (0, 0)
    (tmp_path / "state.db").write_bytes(b"x" * 100)
    (tmp_path / "state.db-wal").write_bytes(b"x" * 10)
    assert await store_size.measure_sqlite(tmp_path) == (110, 110)
