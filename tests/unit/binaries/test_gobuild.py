from __future__ import annotations

import dataclasses
import os
import pathlib
import sys

import pytest

from nestling.binaries import catalogue, errors, gobuild, progress
from nestling.binaries import settings as settings_
from tests.unit.binaries import conftest

API = catalogue.binary("kube-apiserver", "v1.34.4")
SCHEDULER = catalogue.binary("kube-scheduler", "v1.34.4")
ETCD = catalogue.binary("etcd", "")
KINE = catalogue.binary("kine", "")


@pytest.fixture
def with_go(settings: settings_.Settings, tmp_path: pathlib.Path) -> settings_.Settings:
    """A PATH with only a go that the test writes, and the real tools folder."""
    (tmp_path / "go").mkdir()
    return dataclasses.replace(settings, search_path=str(tmp_path / "go"), tools_dir=settings_.find_tools())


def fake_go(settings: settings_.Settings, body: str) -> None:
    conftest.script(pathlib.Path(settings.search_path), "go", f"PATH=/usr/bin:/bin\n{body}")


def test_one_call_for_all_names_of_a_version(with_go: settings_.Settings, tmp_path: pathlib.Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    fake_go(
        with_go, f'echo "$PWD $*" >> {tmp_path}/calls; touch {work}/built/kube-apiserver {work}/built/kube-scheduler'
    )
    steps: list[progress.Step] = []
    built = gobuild.Builder(with_go, steps.append).build([API, SCHEDULER], work)
    assert {name: path.is_file() for name, path in built.items()} == {"kube-apiserver": True, "kube-scheduler": True}
    (call,) = (tmp_path / "calls").read_text().splitlines()
    assert with_go.tools_dir is not None
    assert call.startswith(f"{with_go.tools_dir}/kubernetes-1.34 build -v -mod=readonly")
    assert call.endswith("/built/ k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-scheduler")
    assert str(steps[0]) == ("building kube-apiserver, kube-scheduler v1.34.4 with go (first time, takes minutes) …")
    assert steps[-1].state == "done"


def test_arguments() -> None:
    words = gobuild.arguments([API], pathlib.Path("/out"))
    assert words[:5] == ["build", "-v", "-mod=readonly", "-buildvcs=false", "-trimpath"]
    assert "-X k8s.io/component-base/version.gitVersion=v1.34.4" in words[5]
    assert "-X k8s.io/component-base/version.gitMinor=34" in words[5]
    # as officially built
    assert words[6:] == [
        "-tags=selinux,notest,grpcnotrace",
        *("-o", "/out/kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
    ]


def test_kine_is_static_with_cgo_and_the_rest_is_without() -> None:
    words = gobuild.arguments([KINE], pathlib.Path("/out"))
    assert "-extldflags=-static" in words[5]
    assert "-tags=netgo,osusergo" in words
    assert not any("-tags" in word or "static" in word for word in gobuild.arguments([ETCD], pathlib.Path("/out")))


def test_environment(settings: settings_.Settings) -> None:
    base = {"GOFLAGS": "-mod=mod", "GOOS": "plan9", "GOARCH": "arm", "GOPROXY": "https://p", "HOME": "/h"}
    seen = gobuild.go_environment(base, settings, cgo=False)
    assert {key: seen.get(key) for key in ("GOOS", "GOARCH", "CGO_ENABLED", "GOWORK", "GOPROXY", "HOME")} == {
        "GOOS": None,
        "GOARCH": None,
        "CGO_ENABLED": "0",
        "GOWORK": "off",
        "GOPROXY": "https://p",
        "HOME": "/h",
    }
    offline = dataclasses.replace(settings, offline=True)
    assert gobuild.go_environment(base, offline, cgo=True)["GOPROXY"] == "off"
    assert gobuild.go_environment(base, offline, cgo=True)["CGO_ENABLED"] == "1"


def test_without_go(settings: settings_.Settings, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gobuild, "find_go", lambda _path: None)
    builder = gobuild.Builder(dataclasses.replace(settings, tools_dir=settings_.find_tools()), progress.silent)
    with pytest.raises(errors.ProviderError, match="there is no `go` command on PATH"):
        builder.build([ETCD], tmp_path)


def test_without_pinned_modules(settings: settings_.Settings, tmp_path: pathlib.Path) -> None:
    with pytest.raises(errors.ProviderError, match="no pinned Go module for etcd"):
        gobuild.Builder(settings, progress.silent).build([ETCD], tmp_path)


def test_cgo_without_compiler(
    with_go: settings_.Settings, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CC", raising=False)
    fake_go(with_go, "exit 0")
    with pytest.raises(errors.ProviderError, match="kine needs a C compiler"):
        gobuild.Builder(with_go, progress.silent).build([KINE], tmp_path)


def test_failure_repeats_what_go_said_last(with_go: settings_.Settings, tmp_path: pathlib.Path) -> None:
    fake_go(with_go, "echo go: downloading x; echo go.mod requires go 1.99 >&2; exit 1")
    steps: list[progress.Step] = []
    with pytest.raises(errors.ProviderError) as failure:
        gobuild.Builder(with_go, steps.append).build([ETCD], tmp_path)
    assert str(failure.value) == "go ended with status 1:\n    go.mod requires go 1.99"
    assert steps[-1].state == "failed"


def test_interrupt_ends_go(with_go: settings_.Settings, tmp_path: pathlib.Path) -> None:
    fake_go(with_go, f"echo $$ > {tmp_path}/pid; exec sleep 60")

    def interrupt(step: progress.Step) -> None:
        if step.state == "running" and (tmp_path / "pid").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gobuild.Builder(with_go, interrupt).build([ETCD], tmp_path)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_go_is_found_beside_this_python(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = conftest.script(tmp_path, "go", "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert gobuild.find_go("/nowhere") == str(go)
