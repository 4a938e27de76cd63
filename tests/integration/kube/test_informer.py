"""Informers against a real API server: what they say is what is there, whatever happens in between."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator

import pytest

from nestling.kube import cache, client, kubeconfig, metadata, paging, requests, watch
from nestling.kube.resource import CONFIG_MAPS, Obj
from tests.integration.kube import conftest
from tests.support import envtest, tcp_proxy

pytestmark = pytest.mark.integration

#: Impatient: the tests do not wait for minutes.
_TIMING = watch.Timing(first_delay=0.02, last_delay=0.2)


class Mirror:
    """Believes only the changes it is told, and must arrive at what the server has."""

    def __init__(self) -> None:
        self.versions: dict[cache.Key, str] = {}
        self.deleted: list[cache.Entry] = []

    def __call__(self, change: cache.Change) -> None:
        held = self.versions.get(change.key)
        assert held == (None if change.old is None else held), "an addition of what is there"
        assert (change.old is None) == (held is None), "a change of what is not there"
        if change.new is None:
            assert change.old is not None
            self.deleted.append(change.old)
            del self.versions[change.key]
        else:
            self.versions[change.key] = change.new.meta.resource_version


@contextlib.asynccontextmanager
async def _following(informer: cache.Informer) -> AsyncIterator[Mirror]:
    mirror = Mirror()
    informer.add_handler(mirror)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(informer.run())
        async with asyncio.timeout(60):
            await informer.synced.wait()
        yield mirror
        task.cancel()


def _config_map(name: str, **more: object) -> Obj:
    return {"metadata": {"name": name, **more}}


def _cached(obj: Obj) -> Obj:
    """As caches keep objects: without managedFields."""
    return obj | {"metadata": {key: value for key, value in obj["metadata"].items() if key != "managedFields"}}


async def _converges(api: client.Client, namespace: str, informer: cache.Informer, mirror: Mirror) -> None:
    """Cache and handlers agree with the server."""
    listed = await api.list(CONFIG_MAPS, namespace)
    wanted = {(namespace, one["metadata"]["name"]): one["metadata"]["resourceVersion"] for one in listed}
    await conftest.until(lambda: mirror.versions == wanted)
    assert sorted(informer.store.keys()) == sorted(wanted)


async def test_follows_what_happens(api: client.Client, namespace: str) -> None:
    await api.create(CONFIG_MAPS, _config_map("before"), namespace)
    informer = cache.Informer(api, CONFIG_MAPS, namespace=namespace)
    async with _following(informer) as mirror:
        assert (namespace, "before") in informer.store
        await api.create(CONFIG_MAPS, _config_map("a"), namespace)
        await api.patch(CONFIG_MAPS, "a", {"data": {"x": "1"}}, namespace)
        await api.delete(CONFIG_MAPS, "before", namespace)
        await _converges(api, namespace, informer, mirror)
        assert informer.store.get((namespace, "a")) == _cached(await api.get(CONFIG_MAPS, "a", namespace))
        assert [entry.meta.name for entry in mirror.deleted] == ["before"]
    assert informer.lists == 1


async def test_writes_put_into_the_cache_are_not_told_twice(api: client.Client, namespace: str) -> None:
    informer = cache.Informer(api, CONFIG_MAPS, namespace=namespace)
    heard: list[str] = []
    informer.add_handler(lambda change: heard.append(change.new.meta.resource_version if change.new else "gone"))
    async with _following(informer) as mirror:
        raw = await api.send(requests.create(CONFIG_MAPS, _config_map("a"), namespace))
        informer.store.upsert(raw)
        version = metadata.read(raw).resource_version
        await api.create(CONFIG_MAPS, _config_map("b"), namespace)
        await conftest.until(lambda: (namespace, "b") in informer.store)
        assert heard.count(version) == 1
        await _converges(api, namespace, informer, mirror)


async def test_objects_that_leave_and_re_enter_the_selector(api: client.Client, namespace: str) -> None:
    key = (namespace, "a")
    informer = cache.Informer(api, CONFIG_MAPS, namespace=namespace, label_selector="mine=yes", timing=_TIMING)
    async with _following(informer) as mirror:
        await api.create(CONFIG_MAPS, _config_map("a", labels={"mine": "yes"}), namespace)
        await conftest.until(lambda: key in mirror.versions)
        await api.patch(CONFIG_MAPS, "a", {"metadata": {"labels": {"mine": "no"}}}, namespace)
        await conftest.until(lambda: key not in mirror.versions)
        await api.patch(CONFIG_MAPS, "a", {"metadata": {"labels": {"mine": "yes"}}}, namespace)
        await conftest.until(lambda: key in mirror.versions)


async def test_an_object_of_two_megabytes_comes_through_the_watch(api: client.Client, namespace: str) -> None:
    """A million quotation marks: one megabyte in etcd, two as JSON in one line."""
    informer = cache.Informer(api, CONFIG_MAPS, namespace=namespace, timing=_TIMING)
    async with _following(informer) as mirror:
        body = _config_map("big") | {"data": {"x": '"' * 1_000_000}}
        created = await api.create(CONFIG_MAPS, body, namespace)
        await conftest.until(lambda: (namespace, "big") in mirror.versions)
        assert len(informer.store.raw((namespace, "big")) or b"") > 2_000_000
        assert informer.store.get((namespace, "big")) == _cached(created)
    assert (informer.lists, informer.errors) == (1, 0)


async def test_server_side_ends_are_not_errors(cluster: envtest.Cluster, api: client.Client, namespace: str) -> None:
    requests_sent = 0

    def count(**_seen: object) -> None:
        nonlocal requests_sent
        requests_sent += 1

    timing = dataclasses.replace(_TIMING, shortest=1, longest=1)
    async with client.Client(kubeconfig.load([cluster.kubeconfig]), observer=count) as counted:
        informer = cache.Informer(counted, CONFIG_MAPS, namespace=namespace, timing=timing)
        async with _following(informer) as mirror:
            for number in range(3):
                before = requests_sent
                await api.create(CONFIG_MAPS, _config_map(f"a-{number}"), namespace)
                await conftest.until(lambda seen=before: requests_sent > seen)  # type: ignore[misc]  # a default binds it
            await _converges(api, namespace, informer, mirror)
    assert (informer.lists, informer.errors) == (1, 0)


@pytest.fixture
async def proxy(cluster: envtest.Cluster) -> AsyncIterator[tcp_proxy.Proxy]:
    """The network between the informer and the API server."""
    async with tcp_proxy.running(cluster.port) as found:
        yield found


@pytest.fixture
async def far(cluster: envtest.Cluster, proxy: tcp_proxy.Proxy) -> AsyncIterator[client.Client]:
    """A client behind the proxy."""
    config = kubeconfig.load([cluster.kubeconfig])
    async with client.Client(dataclasses.replace(config, server=f"https://127.0.0.1:{proxy.port}")) as found:
        yield found


async def test_a_connection_that_has_gone_silent_is_noticed(
    api: client.Client, far: client.Client, proxy: tcp_proxy.Proxy, namespace: str
) -> None:
    await api.create(CONFIG_MAPS, _config_map("old"), namespace)
    timing = dataclasses.replace(_TIMING, idle=1.0)
    informer = cache.Informer(far, CONFIG_MAPS, namespace=namespace, timing=timing)
    async with _following(informer) as mirror:
        proxy.freeze()
        await api.delete(CONFIG_MAPS, "old", namespace)
        await api.create(CONFIG_MAPS, _config_map("new"), namespace)
        await _converges(api, namespace, informer, mirror)
    assert informer.lists == 1, "resumed from where it was"


async def test_a_broken_connection_resumes_without_a_list(
    api: client.Client, far: client.Client, proxy: tcp_proxy.Proxy, namespace: str
) -> None:
    informer = cache.Informer(far, CONFIG_MAPS, namespace=namespace, timing=_TIMING)
    async with _following(informer) as mirror:
        for number in range(3):
            proxy.cut()
            await api.create(CONFIG_MAPS, _config_map(f"a-{number}"), namespace)
            if number:
                await api.delete(CONFIG_MAPS, f"a-{number - 1}", namespace)
            await conftest.until(lambda: informer.last_error is not None)
            proxy.mend()
            await _converges(api, namespace, informer, mirror)
    assert informer.lists == 1
    assert [entry.meta.name for entry in mirror.deleted] == ["a-0", "a-1"]


@pytest.fixture
async def fragile(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[envtest.Cluster]:
    """A cluster to be harmed. Without a watch cache, so that what etcd forgets is forgotten."""
    folder = tmp_path_factory.mktemp("fragile")
    async with envtest.running_async(folder, apiserver_args=("--watch-cache=false",)) as found:
        yield found


async def test_sigkill_of_the_api_server_under_an_informer(fragile: envtest.Cluster) -> None:
    async with client.Client(kubeconfig.load([fragile.kubeconfig])) as api:
        informer = cache.Informer(api, CONFIG_MAPS, namespace="default", timing=_TIMING)
        async with _following(informer) as mirror:
            for round_ in range(2):
                for number in range(5):
                    await api.create(CONFIG_MAPS, _config_map(f"r{round_}-{number}"), "default")
                fragile.kill_apiserver()
                await conftest.until(lambda: informer.last_error is not None)
                await asyncio.to_thread(fragile.start_apiserver)
                await api.delete(CONFIG_MAPS, f"r{round_}-0", "default")
                await api.create(CONFIG_MAPS, _config_map(f"after-{round_}"), "default")
                await _converges(api, "default", informer, mirror)
        assert [entry.meta.name for entry in mirror.deleted] == ["r0-0", "r1-0"]


async def test_compaction_during_a_gap_means_a_list_and_deletions(fragile: envtest.Cluster) -> None:
    """410: what vanished meanwhile is told as deleted, in its last known state."""
    config = kubeconfig.load([fragile.kubeconfig])
    async with client.Client(config) as api, tcp_proxy.running(fragile.port) as proxy:
        behind = dataclasses.replace(config, server=f"https://127.0.0.1:{proxy.port}")
        async with client.Client(behind) as far:
            informer = cache.Informer(far, CONFIG_MAPS, namespace="default", timing=_TIMING)
            gone = await api.create(CONFIG_MAPS, _config_map("gone") | {"data": {"last": "state"}}, "default")
            await api.create(CONFIG_MAPS, _config_map("stays"), "default")
            async with _following(informer) as mirror:
                proxy.cut()
                await api.delete(CONFIG_MAPS, "gone", "default")
                await api.patch(CONFIG_MAPS, "stays", {"data": {"x": "1"}}, "default")
                await asyncio.to_thread(fragile.compact)
                proxy.mend()
                await _converges(api, "default", informer, mirror)
            assert informer.lists == 2
            assert [entry.obj for entry in mirror.deleted] == [_cached(gone)]


async def test_a_list_whose_history_is_compacted_starts_over(fragile: envtest.Cluster) -> None:
    async with client.Client(kubeconfig.load([fragile.kubeconfig])) as api:
        for number in range(30):
            await api.create(CONFIG_MAPS, _config_map(f"a-{number}"), "default")
        starts = 0
        found: set[str] = set()
        query = paging.Query(CONFIG_MAPS, "default")
        async with contextlib.aclosing(paging.pages(api, query, size=10)) as pages:
            async for page in pages:
                if page.first:
                    starts += 1
                    found.clear()
                found |= {metadata.read(item).name for item in page.items}
                if starts == 1:
                    await api.delete(CONFIG_MAPS, "a-1", "default")
                    await asyncio.to_thread(fragile.compact)
        assert starts == 2
        assert found == {one["metadata"]["name"] for one in await api.list(CONFIG_MAPS, "default")}
        assert "a-1" not in found
