"""How large the store is (user lesson 4)."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from pathlib import Path

import prometheus_client
import pytest

from nestling.controlplane import etcd, store_room, store_size
from nestling.kube import kubeconfig, quantity
from tests.unit.controlplane import samples, test_sqlite_file

SQLITE = "controlPlane: {backingStore: {database: {embedded: {enabled: true}}}}"
ELSEWHERE = "controlPlane: {backingStore: {etcd: {external: {enabled: true, endpoint: 'https://e:2379'}}}}"


class Ended(Exception):
    """It goes on for ever."""


@pytest.fixture
def one_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slept(seconds: float) -> None:
        if seconds == store_size.INTERVAL:
            raise Ended

    monkeypatch.setattr(asyncio, "sleep", slept)
    monkeypatch.setattr(store_size, "access", lambda _syncer: kubeconfig.ClientConfig(server="https://etcd.test"))


def test_4_etcd_refuses_writes_before_the_volume_of_the_chart_is_full() -> None:
    argv = etcd.argv(samples.config(), samples.SYNCER, Path("/binaries/etcd"))
    quota = int(samples.flag(argv, "quota-backend-bytes") or "0")
    volume = quantity.parse(samples.config().control_plane.stateful_set.persistence.volume_claim.size)
    assert volume is not None
    # beside the store there are its log, snapshots and the logs of the control plane
    assert 0 < quota <= 0.8 * float(volume)


@pytest.mark.usefixtures("one_turn")
async def test_4_size_quota_and_what_was_given_back_are_metrics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [store_room.Size(4096, 1024), store_room.Size(2048, 1024)]

    async def measured(_store: store_room.Etcd) -> store_room.Size:
        return sizes.pop(0)

    async def given(_store: store_room.Etcd, found: store_room.Size) -> bool:
        assert found == (4096, 1024)
        return True

    monkeypatch.setattr(store_room.Etcd, "measure", measured)
    monkeypatch.setattr(store_room.Etcd, "give_back", given)
    assert await _after_a_turn("", tmp_path) == {
        "nestling_store_bytes": 2048,
        "nestling_store_in_use_bytes": 1024,
        "nestling_store_quota_bytes": etcd.QUOTA_BYTES,
        "nestling_store_given_back_bytes_total": 2048,
    }


@pytest.mark.usefixtures("one_turn")
async def test_4_sqlite_shrinks_in_a_turn(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    with contextlib.closing(test_sqlite_file.filled(file, mode="INCREMENTAL", megabytes=20)):
        before = file.stat().st_size
        found = await _after_a_turn(SQLITE, tmp_path)
        assert found["nestling_store_bytes"] == file.stat().st_size
        assert found["nestling_store_given_back_bytes_total"] == before - file.stat().st_size > 0
        assert 0 < found["nestling_store_in_use_bytes"] < 2**20
        assert found["nestling_store_quota_bytes"] == 0


@pytest.mark.usefixtures("one_turn")
async def test_a_store_that_cannot_be_asked_is_asked_later(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"this is no database" * 100)
    assert (await _after_a_turn(SQLITE, tmp_path))["nestling_store_bytes"] == 0


async def test_a_store_elsewhere_is_measured_there(tmp_path: Path) -> None:
    registry = prometheus_client.CollectorRegistry()
    await store_size.run(samples.config(ELSEWHERE), samples.SYNCER, store_size.Metrics(registry))
    assert registry.get_sample_value("nestling_store_bytes") == 0


async def _after_a_turn(text: str, folder: Path) -> dict[str, float]:
    registry = prometheus_client.CollectorRegistry()
    syncer = dataclasses.replace(samples.SYNCER, data_dir=folder)
    with pytest.raises(Ended):
        await store_size.run(samples.config(text), syncer, store_size.Metrics(registry))
    found = {sample.name: sample.value for metric in registry.collect() for sample in metric.samples}
    return {name: value for name, value in found.items() if not name.endswith("_created")}
