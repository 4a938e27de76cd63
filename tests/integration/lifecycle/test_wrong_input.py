"""What is broken, foreign or refused: said with what to do, nothing is lost, and the same command works afterwards."""

from __future__ import annotations

import base64
import datetime
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nestling.controlplane import authority, certificates, pki, prepare, settings
from nestling.local import decide, errors
from nestling.local import host as host_module
from nestling.local import paths as paths_module
from tests.integration.lifecycle.conftest import World, holding_something
from tests.support import host as host_support

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

NAME = "hurt"


@pytest.fixture(scope="module")
def hurt(world: World) -> Iterator[Path]:
    """The folder of a virtual cluster that holds something."""
    yield from holding_something(world, NAME)


def assert_kept(world: World) -> None:
    output = world.run("connect", NAME, "--", "kubectl", "get", "configmap", "kept", "-o", "name").stdout
    assert output.strip() == "configmap/kept"
    assert world.entries()[NAME]["Status"] == "Running"


def test_damaged_files_are_said_or_healed(world: World, hurt: Path, tmp_path: Path) -> None:
    (hurt / "cluster.json").write_text('{"name": "hu')
    assert world.entries()[NAME]["Status"] == "Running"
    world.run("pause", NAME)

    store, saved = hurt / "data" / "etcd", tmp_path / "etcd"
    shutil.copytree(store, saved)
    (store / "member" / "snap" / "db").write_bytes(b"\x00garbage" * 4000)
    pki = hurt / "data" / "pki"
    authority = (pki / "ca.crt").read_bytes()
    for name, content in {"ca.crt": authority[:100], "apiserver.crt": b"", "etcd/ca.key": b"", "sa.key": b"x"}.items():
        (pki / name).write_bytes(content)
    (hurt / "host.kubeconfig").write_text("apiVersion: v1\nclusters: [")
    for name in ("plan.json", "status.json", "supervisor.json", "ports.json"):
        (hurt / name).write_text('{"')

    error = world.run("resume", NAME, code=1).stderr
    assert "etcd of hurt ends again and again" in error
    assert "the data folder is damaged" in error
    assert world.entries()[NAME]["Status"] == "Paused"
    assert world.processes(NAME) == []

    shutil.rmtree(store)
    shutil.copytree(saved, store)
    world.run("resume", NAME)
    assert (pki / "ca.crt").read_bytes() == authority
    assert_kept(world)


def test_an_upgrade_that_fails_leaves_the_virtual_cluster_as_it_was(world: World, hurt: Path) -> None:
    before = (hurt / "values.yaml").read_text()
    bad = "controlPlane.distro.k8s.apiServer.extraArgs[0]=--no-such-flag=1"
    error = world.run("create", NAME, "--upgrade", "--connect=false", "--set", bad, code=1).stderr
    assert "take it out of the extraArgs in the values" in error
    assert (hurt / "values.yaml").read_text() == before
    assert_kept(world)


def test_the_data_of_another_virtual_cluster_is_not_taken_for_ones_own(world: World, hurt: Path) -> None:
    world.run("pause", NAME)
    (hurt / "data" / "owner").write_text("team-y/other")
    assert "belongs to the virtual cluster team-y/other" in world.run("resume", NAME, code=1).stderr
    (hurt / "data" / "owner").unlink()
    world.run("resume", NAME)
    assert_kept(world)


def make_old(world: World, place: Path, age: datetime.timedelta) -> pki.Files:
    """All certificates, also in the Secret on the host, as if they had been made so long ago; authorities stay."""
    known = settings.from_json((place / "syncer.json").read_text())
    files = pki.read(place / "data" / "pki")
    roots = {name: content for name, content in files.items() if name.endswith(("ca.crt", "ca.key")) or "sa." in name}
    config = prepare.read_config(known.config_file)
    old = pki.complete(roots, certificates.request(config, known), now=authority.utc_now() - age)
    pki.write(place / "data" / "pki", old)
    data = {key: base64.b64encode(content).decode() for key, content in pki.to_secret(old).items()}
    world.kubectl(
        *("patch", "secret", f"{NAME}-certs", "-n", f"vcluster-{NAME}", "--patch", json.dumps({"data": data}))
    )
    return old


def test_certificates_that_ended_during_a_long_pause_are_made_new_by_themselves(world: World, hurt: Path) -> None:
    world.run("connect", NAME)
    world.run("pause", NAME)
    old = make_old(world, hurt, datetime.timedelta(days=700))
    assert all(end < time.time() for name, end in certificates.expiries(old).items() if not name.endswith("ca.crt"))
    world.run("resume", NAME)
    assert_kept(world)
    new = pki.read(hurt / "data" / "pki")
    assert all(end > time.time() for end in certificates.expiries(new).values())
    assert {name for name in old if name.endswith("ca.key")} <= {name for name in old if new[name] == old[name]}
    world.run("connect", NAME)
    output = world.run("connect", NAME, "--", "kubectl", "create", "configmap", "after", "-o", "name").stdout
    assert output.strip() == "configmap/after"
    world.run("disconnect")


def test_a_half_written_kubeconfig_is_left_alone(world: World, hurt: Path, tmp_path: Path) -> None:
    assert hurt.exists()
    half = tmp_path / "half"
    half.write_text("apiVersion: v1\nclusters:\n- cluster: {server: ")
    before = half.read_bytes()
    for command in (("connect", NAME), ("disconnect",), ("delete", NAME)):
        assert "Nothing was changed. Repair the file" in world.run(*command, code=1, KUBECONFIG=str(half)).stderr
    assert half.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["half"]
    assert_kept(world)


def test_a_full_disk_is_said_and_with_room_the_host_comes_up(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"this test may not mount: {mounted.stderr.strip()}")
    host = host_module.Host("full", paths_module.Paths(disk / "home"))
    try:
        with host_support.slot():
            with pytest.raises(errors.HostError, match="the disk is full; make room"):
                host_support.wait(host.up(options=decide.Options(nodes=1)))
            assert not host.running()
            subprocess.run(["mount", "-o", "remount,size=1g", str(disk)], check=True)
            info = host_support.wait(host.up(options=decide.Options(nodes=1)))
            assert info.started
    finally:
        host_support.wait(host.delete(force=True))
        subprocess.run(["umount", str(disk)], check=True)
