from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from nestling.cli import main


def run(*args: str) -> int:
    return main.main(["config", *args], program="nestling")


def test_check_says_that_a_file_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "vcluster.yaml"
    file.write_text("controlPlane: {proxy: {extraSANs: [a.example]}}")
    assert run("check", str(file)) == 0
    assert capsys.readouterr().out == f"{file}: no problems\n"


def test_check_says_everything_that_is_wrong_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "vcluster.yaml"
    file.write_text("sync: {toHst: {}}\nsyncer: {}\ncontrolPlane: {proxy: {port: x}}\n")
    assert run("check", str(file)) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    for line, key in ((1, "sync.toHst"), (2, "syncer"), (3, "controlPlane.proxy.port")):
        assert f"{file}:{line}: {key}: " in captured.err


def test_check_merges_files_and_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text("controlPlane: {proxy: {port: x}}")
    two.write_text("controlPlane: {proxy: {port: 1}}")
    assert run("check", str(one), str(two), "--set", "logging.encoding=json") == 0
    assert run("check", str(one), str(two), "--set", "logging.encoding=loud") == 1
    assert "logging.encoding" in capsys.readouterr().err


def test_check_reads_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"logging: {encoding: json}")))
    assert run("check", "-") == 0
    assert capsys.readouterr().out == "-: no problems\n"


def test_check_refuses_what_does_not_exist_unless_told_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "vcluster.yaml"
    file.write_text("sleep: {auto: {afterInactivity: 1h}}")
    assert run("check", str(file)) == 1
    assert "sleep.auto.afterInactivity: is not available yet" in capsys.readouterr().err
    assert run("check", "--allow-unavailable", str(file)) == 0


def test_check_tells_what_only_helm_uses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "vcluster.yaml"
    file.write_text("controlPlane: {statefulSet: {labels: {a: b}}}")
    assert run("check", str(file)) == 0
    assert "used by a Helm installation only: controlPlane.statefulSet" in capsys.readouterr().out


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", str(tmp_path / "nope.yaml")) == 1
    assert "nope.yaml" in capsys.readouterr().err


def test_a_file_that_is_no_text_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "vcluster.yaml"
    file.write_bytes(b"a: \xff\xfe")
    assert run("check", str(file)) == 1
    assert "no text in UTF-8" in capsys.readouterr().err


def test_schema_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    assert "sync" in json.loads(capsys.readouterr().out)["properties"]
