from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from nestling.local import decide, errors, record


def test_a_record_survives_its_file(tmp_path: Path) -> None:
    made = decide.new("default", decide.Options(audit=True))
    record.save(tmp_path, made)
    assert record.load(tmp_path) == made


def test_what_a_newer_version_wrote_beside_is_left_out(tmp_path: Path) -> None:
    made = decide.new("default", decide.Options())
    (tmp_path / record.FILE).write_text(json.dumps({**dataclasses.asdict(made), "surprise": 1}))
    assert record.load(tmp_path) == made


def test_no_file_is_no_host(tmp_path: Path) -> None:
    assert record.load(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"name": "x", "surprise": 1}'])
def test_a_broken_file_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    (tmp_path / record.FILE).write_text(text)
    with pytest.raises(errors.HostError, match=r"host\.json cannot be read"):
        record.load(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "No Good"},
        {"kubernetes_version": "newest"},
        {"kubernetes_version": 1.36},
        {"ports": {}},
        {"ports": []},
        {"ports": None},
        {"nodes": "2"},
        {"nodes": 0},
        {"service_cidr": "10.0.0.0/99"},
        {"audit": "yes"},
        {"node": "docker"},
        {"node": "containerd", "network": ""},
        {"network": None},
    ],
    ids=str,
)
def test_values_that_no_version_writes_are_an_error_that_says_what_to_do(
    tmp_path: Path, wrong: dict[str, object]
) -> None:
    made = dataclasses.asdict(decide.new("default", decide.Options()))
    (tmp_path / record.FILE).write_text(json.dumps(made | wrong))
    with pytest.raises(errors.HostError, match=r"host\.json cannot be read .*; restore it, or remove the host with"):
        record.load(tmp_path)


def test_a_port_that_is_no_port_is_named(tmp_path: Path) -> None:
    made = dataclasses.asdict(decide.new("default", decide.Options()))
    made["ports"] |= {record.ETCD: 70000, record.SCHEDULER: True}
    (tmp_path / record.FILE).write_text(json.dumps(made))
    with pytest.raises(errors.HostError, match="ports has no number for etcd, kube-scheduler"):
        record.load(tmp_path)


def test_what_removes_a_host_names_it() -> None:
    assert record.remove_command("default") == "nestling host down --delete --force"
    assert record.remove_command("two") == "nestling host down --delete --force --name two"


@pytest.mark.parametrize("name", ["default", "a", "team-1"])
def test_usable_names(name: str) -> None:
    record.check_name(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a/b", "..", "a.b", "x" * 33])
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(errors.HostError, match="not usable"):
        record.check_name(name)
