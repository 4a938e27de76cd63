"""The process behind ``connect``: a real one, against an API server that is none."""

from __future__ import annotations

import asyncio
import dataclasses
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import yaml

from nestling.drivers import errors
from nestling.drivers.helm import background
from tests.support import fake_pods

pytestmark = pytest.mark.integration

CONTEXT = "vcluster_my-vc_ns_prod"


@dataclasses.dataclass
class World:
    """A virtual cluster behind an API server, and the folder of its process."""

    place: Path
    settings: background.Settings
    api: fake_pods.FakeApi

    async def ask(self, port: int) -> bytes:
        async with asyncio.timeout(60):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"x")
                return await reader.read(100)
            finally:
                writer.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with fake_pods.echoing() as echo, fake_pods.running(fake_pods.FakeApi([fake_pods.pod("a")])) as api:
        api.ports["a:8443"] = echo
        kubeconfig = tmp_path / "kubeconfig"
        cluster = {"name": "c", "cluster": {"server": api.config.server}}
        context = {"name": "prod", "context": {"cluster": "c", "user": ""}}
        kubeconfig.write_text(yaml.safe_dump({"clusters": [cluster], "contexts": [context]}))
        settings = background.Settings((str(kubeconfig),), "prod", "ns", "my-vc", "127.0.0.1", 0, 8443)
        place = background.folder(tmp_path, CONTEXT)
        try:
            yield World(place, settings, api)
        finally:
            await background.end(place)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.02)


async def test_it_forwards_and_ends_and_leaves_nothing(world: World) -> None:
    port = await background.ensure(world.place, world.settings)
    assert await world.ask(port) == b"echo:x"
    assert stat.S_IMODE(world.place.stat().st_mode) == 0o700
    found = background.running(world.place)
    assert found is not None
    assert await background.end(world.place)
    assert not found.process.alive
    assert not world.place.parent.exists()
    assert not await background.end(world.place)


async def test_a_second_connect_uses_the_process_that_runs(world: World) -> None:
    port = await background.ensure(world.place, world.settings)
    before = background.running(world.place)
    assert await background.ensure(world.place, world.settings) == port
    assert background.running(world.place) == before


async def test_after_its_death_the_port_is_the_same(world: World) -> None:
    port = await background.ensure(world.place, world.settings)
    await background.end(world.place, keep=True)
    assert background.running(world.place) is None
    assert await background.ensure(world.place, world.settings) == port
    assert await world.ask(port) == b"echo:x"


async def test_another_wish_is_another_process(world: World) -> None:
    await background.ensure(world.place, world.settings)
    before = background.running(world.place)
    await background.ensure(world.place, dataclasses.replace(world.settings, pod="a"))
    after = background.running(world.place)
    assert before is not None
    assert after is not None
    assert after.process != before.process
    assert not before.process.alive


async def test_it_ends_when_its_folder_is_gone(world: World) -> None:
    await background.ensure(world.place, world.settings)
    found = background.running(world.place)
    assert found is not None
    (world.place / background.PROCESS).unlink()
    await until(lambda: not found.process.alive)


async def test_a_process_that_cannot_start_says_why(world: World) -> None:
    wrong = dataclasses.replace(world.settings, address="192.0.2.1")
    with pytest.raises(errors.UserError, match=r"cannot listen on 192\.0\.2\.1"):
        await background.ensure(world.place, wrong)


def test_each_virtual_cluster_has_a_folder_of_its_own(tmp_path: Path) -> None:
    assert background.folder(tmp_path, CONTEXT) == tmp_path / "forwards" / CONTEXT
    odd = [background.folder(tmp_path, name) for name in ("vcluster_a_b_arn:x/y", "vcluster_a_b_arn_x:y", "../..")]
    assert len(set(odd)) == 3
    assert all(place.parent == tmp_path / "forwards" and place.name.strip(".") for place in odd)
    assert len(background.folder(tmp_path, "x" * 400).name) < 255
