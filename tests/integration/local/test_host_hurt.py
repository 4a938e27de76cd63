"""An embedded host whose record is damaged or lost, and one whose certificates have ended."""

from __future__ import annotations

import asyncio
import base64
import datetime
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from nestling.controlplane import authority, pki, supervisor_status
from nestling.kube import client as kube_client
from nestling.kube import kubeconfig, resource
from nestling.local import components, errors, nodes, record
from tests.support import host as support
from tests.support import user

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

PATIENCE = 60.0
AUTHORITIES = ("ca", "server-ca", "client-ca", "kubelet-client-ca", "front-proxy-ca", "etcd/ca")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.RunningHost]:
    with support.embedded_host(tmp_path_factory.mktemp("home")) as host:
        support.wait(remember(host))
        yield host


async def remember(running: support.RunningHost) -> None:
    async with kube_client.Client(kubeconfig.load([running.kubeconfig])) as client:
        await client.create(resource.CONFIG_MAPS, {"metadata": {"name": "kept"}}, "default")


async def assert_kept(running: support.RunningHost) -> None:
    async with kube_client.Client(kubeconfig.load([running.kubeconfig])) as client:
        assert await client.get(resource.CONFIG_MAPS, "kept", "default")


def pids(running: support.RunningHost) -> dict[str, int | None]:
    status = supervisor_status.read(running.host.layout.folder)
    return {name: part.pid for name, part in status.components.items()} if status else {}


def make_old(running: support.RunningHost, age: datetime.timedelta) -> pki.Files:
    """All certificates as if they had been made so long ago; the authorities stay."""
    layout = running.host.layout
    files = pki.read(layout.pki)
    kept = {name: content for name, content in files.items() if name.startswith((*AUTHORITIES, "sa."))}
    old = pki.complete(kept, nodes.pki_request(running.host.record), now=authority.utc_now() - age)
    pki.write(layout.pki, old)
    return old


def end_of(running: support.RunningHost, name: str) -> datetime.datetime:
    return authority.load_certificate((running.host.layout.pki / name).read_bytes(), name=name).not_valid_after_utc


@pytest.mark.parametrize("age", [300, 700], ids=["that end soon", "that have ended"])
async def test_up_makes_certificates_new_while_the_host_runs(running: support.RunningHost, age: int) -> None:
    before, supervisor = pids(running), supervisor_status.supervisor(running.host.layout.folder)
    old = make_old(running, datetime.timedelta(days=age))
    assert running.host.renewal_due
    if age > 365:
        deadline = time.monotonic() + PATIENCE
        # The API server reads the file anew; then nobody reaches it any more.
        while (status := supervisor_status.read(running.host.layout.folder)) is not None and status.ready:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

    info = await running.host.up()
    assert not info.started
    assert supervisor_status.supervisor(running.host.layout.folder) == supervisor
    assert end_of(running, "apiserver.crt") - authority.utc_now() > pki.RENEWAL_WINDOW
    new = pki.read(running.host.layout.pki)
    same = {name for name in new if new[name] == old.get(name)}
    assert same == {f"{name}{end}" for name in AUTHORITIES for end in (".crt", ".key")} | {"sa.key", "sa.pub"}
    after = pids(running)
    assert {name for name in after if after[name] != before[name]} >= set(components.CERTIFICATE_READERS)
    await assert_kept(running)


async def test_a_second_look_at_good_certificates_changes_nothing(running: support.RunningHost) -> None:
    before, files = pids(running), pki.read(running.host.layout.pki)
    await running.host.up()
    assert pids(running) == before
    assert pki.read(running.host.layout.pki) == files


async def test_a_start_makes_certificates_new_that_ended_meanwhile(running: support.RunningHost) -> None:
    await running.host.down()
    make_old(running, datetime.timedelta(days=700))
    assert (await running.host.up()).started
    assert end_of(running, "apiserver.crt") - authority.utc_now() > datetime.timedelta(days=360)
    await assert_kept(running)


def test_the_access_of_a_virtual_cluster_does_not_end_while_it_runs(running: support.RunningHost) -> None:
    subject = authority.Subject("system:serviceaccount:team:vc-my-vc")
    user = yaml.safe_load(running.host.client_kubeconfig(subject))["users"][0]["user"]
    pem = base64.b64decode(user["client-certificate-data"])
    assert authority.load_certificate(pem, name="x").not_valid_after_utc >= end_of(running, "client-ca.crt")


DAMAGES = ("", '{"name": "default"', "[]", '{"ports": 5}')


@pytest.mark.parametrize("text", DAMAGES)
async def test_a_damaged_record_is_named_and_keeps_nobody_from_stopping_the_host(
    running: support.RunningHost, text: str
) -> None:
    path = running.host.layout.folder / record.FILE
    good = path.read_bytes()
    path.write_text(text)
    try:
        for refused in (running.host.up, running.host.status):
            with pytest.raises(errors.HostError, match=rf"{path} cannot be read .*; restore it, or remove the host"):
                await refused()
        assert path.read_text() == text
        if text == DAMAGES[0]:
            assert await running.host.down()
            assert not running.host.running()
    finally:
        path.write_bytes(good)
    await running.host.up()
    await assert_kept(running)


async def test_a_lost_record_is_not_taken_for_a_new_host(running: support.RunningHost) -> None:
    path = running.host.layout.folder / record.FILE
    good = path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(errors.HostError, match=rf"{path} is missing, and the embedded host default holds data"):
            await running.host.up()
        assert await running.host.down()
    finally:
        path.write_bytes(good)
    await running.host.up()
    await assert_kept(running)


def test_a_host_with_a_damaged_record_can_be_removed(running: support.RunningHost, tmp_path: Path) -> None:
    somebody = user.User(tmp_path, running)
    path = running.host.layout.folder / record.FILE
    path.write_text("{")
    old = [pid for pid in pids(running).values() if pid]
    for command in (("host", "status"), ("host", "up"), ("host", "kubeconfig"), ("create", "my-vc")):
        error = somebody.run(*command, code=1).stderr
        assert f"{path} cannot be read" in error
        assert "nestling host down --delete --force" in error
        assert "bug" not in error
    assert somebody.entries() == {}
    somebody.run("host", "down", "--delete", "--force")
    assert all(supervisor_status.start_time(pid) is None for pid in old)
    assert not running.host.layout.folder.exists()
