from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib
import subprocess
import sys
import threading

import pytest

from nestling.binaries import catalogue, chain, errors, progress, versions
from nestling.binaries import settings as settings_
from tests.unit.binaries import conftest

V = versions.DEFAULT_KUBERNETES
FOLDER = f"/dl.k8s.io/release/{V}/bin/linux/amd64"

FETCH = """
import json, pathlib, sys
from nestling.binaries import chain, progress, settings
cache, mirror = sys.argv[1:]
chosen = settings.Settings(cache_dir=pathlib.Path(cache), mirror=mirror, search_path="/nowhere", connect_seconds=30)
said = []
paths = chain.ensure(["kube-apiserver"], settings=chosen, progress=lambda step: said.append(str(step)))
print(json.dumps([pathlib.Path(paths["kube-apiserver"]).read_text(), said]))
"""


def test_order_explicit_folder_then_cache_then_path_then_download(
    settings: settings_.Settings, site: conftest.Site, tmp_path: pathlib.Path
) -> None:
    site.publish(f"{FOLDER}/kubectl", b"#!/bin/sh\necho Client Version: " + V.encode())
    names = ["kubectl"]

    downloaded = chain.ensure(names, settings=settings)["kubectl"]
    assert downloaded == settings.store / "kubernetes" / V / "linux-amd64" / "kubectl"
    assert len(site.asked) == 2

    installed = tmp_path / "installed"
    installed.mkdir()
    on_path = conftest.script(installed, "kubectl", f"echo Client Version: {V}")
    with_path = dataclasses.replace(settings, search_path=str(installed))
    assert chain.ensure(names, settings=with_path)["kubectl"] == downloaded

    empty = dataclasses.replace(with_path, cache_dir=tmp_path / "other")
    assert chain.ensure(names, settings=empty)["kubectl"] == on_path

    own = tmp_path / "own"
    own.mkdir()
    explicit = conftest.script(own, "kubectl", f"echo Client Version: {V}")
    assert chain.ensure(names, settings=dataclasses.replace(with_path, bin_dir=own))["kubectl"] == explicit
    assert len(site.asked) == 2


def test_kube_apiserver_of_the_machine_is_not_used(
    settings: settings_.Settings, site: conftest.Site, tmp_path: pathlib.Path
) -> None:
    installed = tmp_path / "installed"
    installed.mkdir()
    conftest.script(installed, "kube-apiserver", f"echo Kubernetes {V}")
    site.publish(f"{FOLDER}/kube-apiserver", b"ours")
    with_path = dataclasses.replace(settings, search_path=str(installed))
    assert chain.ensure(["kube-apiserver"], settings=with_path)["kube-apiserver"].read_bytes() == b"ours"


def test_wrong_version_in_the_explicit_folder_goes_on_to_the_next_provider(
    settings: settings_.Settings, site: conftest.Site, tmp_path: pathlib.Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    conftest.script(own, "kube-apiserver", "echo Kubernetes v1.20.0")
    site.publish(f"{FOLDER}/kube-apiserver", b"ours")
    chosen = dataclasses.replace(settings, bin_dir=own)
    assert chain.ensure(["kube-apiserver"], settings=chosen)["kube-apiserver"].read_bytes() == b"ours"


def test_what_is_left_after_downloading_is_built_in_one_call(
    settings: settings_.Settings, site: conftest.Site, tmp_path: pathlib.Path
) -> None:
    site.publish(f"{FOLDER}/kubectl", b"downloaded")
    site.publish(f"{FOLDER}/kube-apiserver", b"corrupt", checksum="0" * 64)
    machine = tmp_path / "machine"
    machine.mkdir()
    conftest.script(
        machine,
        "go",
        f'PATH=/usr/bin:/bin; echo "$*" >> {tmp_path}/calls\n'
        'while test "$1" != -o; do shift; done; folder=$2; shift 2\n'
        "for package; do echo built > $folder$(basename $package); done",
    )
    chosen = dataclasses.replace(settings, search_path=str(machine), tools_dir=settings_.find_tools())
    paths = chain.ensure(["kubectl", "kube-apiserver", "kube-scheduler"], settings=chosen)
    assert {name: path.read_text().strip() for name, path in paths.items()} == {
        "kubectl": "downloaded",
        "kube-apiserver": "built",
        "kube-scheduler": "built",
    }
    assert list(paths) == ["kubectl", "kube-apiserver", "kube-scheduler"]
    (call,) = (tmp_path / "calls").read_text().splitlines()
    assert call.endswith("k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-scheduler")
    found = chain.Chain(chosen)
    sources = [found.source(binary) for binary in found.binaries(["kubectl", "kube-scheduler"])]
    assert sources == [f"{site.url}{FOLDER}/kubectl", "go build, tools/kubernetes-1.36"]


def test_error_names_every_provider(
    settings: settings_.Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr("nestling.binaries.gobuild.find_go", lambda _path: None)
    own = tmp_path / "own"
    own.mkdir()
    chosen = dataclasses.replace(settings, bin_dir=own, tools_dir=settings_.find_tools())
    with pytest.raises(errors.BinaryError) as failure:
        chain.ensure(["kubectl", "etcd"], settings=chosen)
    text = str(failure.value)
    assert text.startswith(f"cannot get kubectl {V}; tried:\n  explicit folder: {own} has no kubectl\n  cache: ")
    for provider in ("PATH: no kubectl on PATH", "download: http", "go build: there is no `go` command"):
        assert f"\n  {provider}" in text
    assert not list(settings.store.rglob("*.part"))


def test_nothing_is_asked_for_what_is_cached(settings: settings_.Settings, site: conftest.Site) -> None:
    site.publish(f"{FOLDER}/kube-apiserver", b"x")
    steps: list[progress.Step] = []
    chain.ensure(["kube-apiserver"], settings=settings)
    chain.ensure(["kube-apiserver", "kube-apiserver"], settings=settings, progress=steps.append)
    assert len(site.asked) == 2
    assert steps == []


def test_unknown_version_and_name_are_refused_before_anything_happens(
    settings: settings_.Settings, site: conftest.Site
) -> None:
    with pytest.raises(errors.UnknownVersionError):
        chain.ensure(["etcd"], kubernetes_version="1.2", settings=settings)
    with pytest.raises(errors.UnknownBinaryError):
        chain.ensure(["etcd", "nonsense"], settings=settings)
    assert not settings.cache_dir.exists()
    assert site.asked == []


def test_two_processes_at_once_fetch_once_and_both_have_it(settings: settings_.Settings, site: conftest.Site) -> None:
    """The second waits, says so, and uses what the first brought."""
    site.publish(f"{FOLDER}/kube-apiserver", b"one binary")
    site.before = threading.Event()
    command = [sys.executable, "-c", FETCH, str(settings.cache_dir), site.url]
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        wait_for(lambda: bool(site.asked))
        lock = settings.store / "kubernetes" / V / "linux-amd64" / ".kube-apiserver.lock"
        second = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        wait_for(lambda: opened_by(second.pid, lock))
        site.before.set()
        answers = [json.loads(process.communicate(timeout=30)[0]) for process in (first, second)]
    assert [content for content, _ in answers] == ["one binary", "one binary"]
    assert len(site.asked) == 2
    assert answers[1][1][0] == f"waiting for another process (pid {first.pid}) that is getting kube-apiserver {V} …"


def test_lock_of_a_killed_process_holds_nobody_up(settings: settings_.Settings, site: conftest.Site) -> None:
    site.publish(f"{FOLDER}/kube-apiserver", b"one binary")
    site.before = threading.Event()
    command = [sys.executable, "-c", FETCH, str(settings.cache_dir), site.url]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as first:
        wait_for(lambda: bool(site.asked))
        first.kill()
    site.before.set()
    assert chain.ensure(["kube-apiserver"], settings=settings)["kube-apiserver"].read_text() == "one binary"


def test_finding_loads_neither_the_http_client_nor_anything_installed(settings: settings_.Settings) -> None:
    code = (
        "import sys, nestling.binaries.chain; slow = {'click', 'aiohttp', 'http.client', 'urllib.request', 'tarfile'};"
        "print(sorted(slow & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b"[]"


def test_default_names_are_known() -> None:
    assert set(catalogue.LOCAL_NAMES) <= set(catalogue.NAMES)


def opened_by(pid: int, path: pathlib.Path) -> bool:
    with contextlib.suppress(OSError):
        return any(link.readlink() == path for link in pathlib.Path(f"/proc/{pid}/fd").iterdir())
    return False


def wait_for(condition: conftest.Condition) -> None:
    deadline = conftest.Deadline(20)
    while not condition():
        deadline.check()
