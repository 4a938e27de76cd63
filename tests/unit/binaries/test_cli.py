from __future__ import annotations

import json
import pathlib

import pytest

from nestling.binaries import versions
from nestling.cli import main
from tests.unit.binaries import conftest

V = versions.DEFAULT_KUBERNETES


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, site: conftest.Site) -> None:
    monkeypatch.setenv("NESTLING_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("NESTLING_MIRROR", site.url)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("NESTLING_BIN_DIR", raising=False)
    monkeypatch.delenv("NESTLING_OFFLINE", raising=False)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("nestling.binaries.gobuild.find_go", lambda _path: None)


def run(*arguments: str) -> int:
    return main.main(["binaries", *arguments], program="nestling")


def test_fetch_then_path_then_list(
    site: conftest.Site, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    place = f"{tmp_path}/cache/bin/kubernetes/v1.34.4/linux-amd64/kubectl"
    site.publish("/dl.k8s.io/release/v1.34.4/bin/linux/amd64/kubectl", b"x")

    assert run("path", "--kubernetes-version", "1.34", "kubectl") == 1
    assert "nestling binaries fetch --kubernetes-version 1.34 kubectl" in capsys.readouterr().err

    assert run("fetch", "--kubernetes-version", "1.34", "kubectl") == 0
    shown = capsys.readouterr()
    assert shown.out == f"{place}\n"
    assert "downloading kubectl v1.34.4 from 127.0.0.1" in shown.err
    assert "SHA-256 verified" in shown.err

    assert run("path", "--kubernetes-version", "1.34", "kubectl") == 0
    assert capsys.readouterr().out == f"{place}\n"

    assert run("list", "--kubernetes-version", "1.34", "-o", "json") == 0
    listed = {row["name"]: row for row in json.loads(capsys.readouterr().out)["binaries"]}
    assert listed["kubectl"] == {"name": "kubectl", "version": "v1.34.4", "provider": "cache", "path": place}
    assert listed["etcd"]["provider"] == "missing"


def test_list_shows_offered_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    out = capsys.readouterr().out
    assert f"kube-apiserver           {V}  missing" in out
    assert f"(default {V})" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fetch", "--kubernetes-version", "1.2"], "Kubernetes 1.2 is not offered. Offered are v1.32"),
        (["fetch", "nonsense"], "'nonsense' is not a known binary; known are kube-apiserver"),
        (["path", "nonsense"], "'nonsense' is not a known binary"),
        (["fetch", "etcd"], "there is no `go` command on PATH"),
    ],
)
def test_refusals(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 1
    assert message in capsys.readouterr().err
