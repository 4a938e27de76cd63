"""The store gives room back while it goes on answering, and takes many writes at once (user lessons 3, 4 and 5)."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import re
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import prometheus_client
import pytest

from nestling.binaries import chain
from nestling.config import load
from nestling.controlplane import etcd, store_size
from nestling.kube import client, kubeconfig
from nestling.kube.resource import CONFIG_MAPS, Obj
from nestling.naming.tenant import Tenant
from tests.integration.controlplane import virtual as virtual_module
from tests.support import envtest
from tests.unit.controlplane import samples

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

MB = 2**20
#: As large as an object may be, almost.
LARGE = "x" * 900_000
#: kine compacts all it can, at once: as it does every five minutes, and without the last 1,000 revisions, otherwise.
SQLITE = """
controlPlane:
  backingStore:
    database:
      embedded: {enabled: true, extraArgs: [--compact-interval=2s, --compact-min-retain=1]}
"""


@pytest.fixture(scope="module")
def on_sqlite(host: envtest.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[virtual_module.Virtual]:
    provider = chain.Chain()
    if any(provider.find(one) is None for one in provider.binaries(["kine"])):
        pytest.skip("no kine here; run: nestling binaries fetch kine, which needs a C compiler")
    folder = tmp_path_factory.mktemp("vc") / "s"
    with virtual_module.virtual_cluster(host, folder, Tenant("on-sqlite", "team-s"), SQLITE) as made:
        asyncio.run(made.install())
        made.start()
        yield made


def config_map(name: str, text: str = "") -> Obj:
    return {"metadata": {"name": name}, "data": {"text": text}}


async def written_and_deleted(api: client.Client, count: int) -> None:
    """What fills a store and is no longer needed."""
    names = [f"large-{number}" for number in range(count)]
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(api.create(CONFIG_MAPS, config_map(name, LARGE), "default"))
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(api.delete(CONFIG_MAPS, name, "default"))


@contextlib.asynccontextmanager
async def somebody_writing(api: client.Client) -> AsyncIterator[list[str]]:
    """Somebody who writes one object after the other all the time: the names of those that were acknowledged."""
    names: list[str] = []

    async def write() -> None:
        for number in range(1_000_000):
            await api.create(CONFIG_MAPS, config_map(f"meanwhile-{number}"), "default")
            names.append(f"meanwhile-{number}")

    async with asyncio.TaskGroup() as group:
        writing = group.create_task(write())
        yield names
        writing.cancel()


async def until(condition: Callable[[], bool], what: str, explain: Callable[[], str] = lambda: "") -> None:
    """The syncer looks at its store once a minute; a turn may come before kine has compacted."""
    await asyncio.to_thread(virtual_module.until, condition, what, explain=explain, patience=200.0)


async def names_in(api: client.Client) -> set[str]:
    return {found["metadata"]["name"] for found in await api.list(CONFIG_MAPS, "default")}


async def test_4_etcd_is_defragmented_while_somebody_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = prometheus_client.CollectorRegistry()

    def value(name: str) -> float:
        return registry.get_sample_value(f"nestling_store_{name}") or 0

    syncer = dataclasses.replace(samples.SYNCER, data_dir=tmp_path)
    async with (
        envtest.running_async(tmp_path) as cluster,
        client.Client(kubeconfig.load([cluster.kubeconfig])) as api,
        asyncio.TaskGroup() as group,
    ):
        await written_and_deleted(api, 80)
        await asyncio.to_thread(cluster.compact)
        access = kubeconfig.ClientConfig(server=cluster._etcd_url)
        monkeypatch.setattr(store_size, "access", lambda _: access)
        async with somebody_writing(api) as written:
            await until(lambda: bool(written), "write before")
            running = group.create_task(store_size.run(load.load([]), syncer, store_size.Metrics(registry)))
            await until(lambda: value("given_back_bytes_total") > 0, "room given back")
            before = len(written)
            await until(lambda: len(written) > before, "write after")
        running.cancel()
        assert value("given_back_bytes_total") > 64 * MB
        assert value("bytes") < 32 * MB
        assert value("quota_bytes") == etcd.QUOTA_BYTES
        assert set(written) <= await names_in(api)


async def test_4_sqlite_shrinks_while_somebody_writes(on_sqlite: virtual_module.Virtual) -> None:
    file = on_sqlite.folder / "data" / "state.db"

    def given_back() -> float:
        found = re.search(
            r"^nestling_store_given_back_bytes_total (\S+)", on_sqlite.syncer("/metrics")[1], re.MULTILINE
        )
        return float(found[1]) if found else 0

    async with client.Client(kubeconfig.load([on_sqlite.exported()])) as api:
        await written_and_deleted(api, 60)
        largest = file.stat().st_size
        assert largest > 50 * MB
        async with somebody_writing(api) as written:
            await until(lambda: given_back() > 0 and file.stat().st_size < largest / 2, "shorter file", on_sqlite.logs)
            before = len(written)
            await until(lambda: len(written) > before, "write after")
        assert set(written) <= await names_in(api)
        assert on_sqlite.is_ready()


async def test_5_hundreds_of_objects_at_once_are_all_stored(on_sqlite: virtual_module.Virtual) -> None:
    async with client.Client(kubeconfig.load([on_sqlite.exported()])) as api:
        wanted = [f"at-once-{number}" for number in range(500)]
        async with asyncio.TaskGroup() as group:
            for name in wanted:
                group.create_task(api.create(CONFIG_MAPS, config_map(name, "some text\n" * 20), "default"))
        assert set(wanted) <= await names_in(api)
        async with asyncio.TaskGroup() as group:
            for name in wanted:
                patch = {"data": {"text": f"changed {name}"}}
                group.create_task(api.patch(CONFIG_MAPS, name, patch, "default"))
        found = {one["metadata"]["name"]: one["data"] for one in await api.list(CONFIG_MAPS, "default")}
        assert all(found[name] == {"text": f"changed {name}"} for name in wanted)
        assert on_sqlite.is_ready()


def test_4_a_file_of_an_older_release_is_written_anew_once(on_sqlite: virtual_module.Virtual) -> None:
    """Last of those on the shared virtual cluster: it is stopped, and its file made as vCluster makes it."""
    on_sqlite.kubectl("create", "configmap", "mine", "--from-literal=a=b", virtual=True)
    assert on_sqlite.stop() == 0
    file = on_sqlite.folder / "data" / "state.db"
    log = on_sqlite.folder / "start.log"
    for mode, said in ((0, 1), (2, 1)):
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as database:
            database.execute(f"PRAGMA auto_vacuum = {mode}")
            database.execute("VACUUM")
        on_sqlite.start()
        assert log.read_text().count(f"Writing {file} anew") == said
        assert on_sqlite.get("configmap", "mine", virtual=True)["data"] == {"a": "b"}
        assert on_sqlite.stop() == 0
        with contextlib.closing(sqlite3.connect(file)) as database:
            assert database.execute("PRAGMA auto_vacuum").fetchone() == (2,)


async def test_3_a_slow_request_is_logged_with_who_sent_it(host: envtest.Cluster, tmp_path: Path) -> None:
    with virtual_module.virtual_cluster(host, tmp_path / "vc", Tenant("slow", "team-slow")) as virtual:
        await virtual.install()
        await asyncio.to_thread(virtual.start)
        store, log = virtual.components()["etcd"].pid, virtual.folder / "logs" / "kube-apiserver.log"
        assert store is not None
        access = kubeconfig.load([await asyncio.to_thread(virtual.exported)])
        async with client.Client(access, user_agent="of-the-test/1.2.3") as api, asyncio.TaskGroup() as group:
            await api.create(CONFIG_MAPS, config_map("quick"), "default")
            os.kill(store, signal.SIGSTOP)
            try:
                group.create_task(api.create(CONFIG_MAPS, config_map("slow"), "default"))
                # it does so after two seconds
                await until(lambda: virtual.ask("/readyz") != 200, "API server that misses its store", virtual.logs)
            finally:
                os.kill(store, signal.SIGCONT)
        await until(lambda: "of-the-test" in log.read_text(), "line about the slow request", virtual.logs)
        (line,) = [line for line in log.read_text().splitlines() if "of-the-test" in line]
        for part in (
            '"Create"',
            "client:127.0.0.1",
            "resource:configmaps",
            "user-agent:of-the-test/1.2.3",
            "audit-id:",
        ):
            assert part in line
