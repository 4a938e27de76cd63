from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from nestling.controlplane import supervisor_logs as logs


def test_a_full_file_becomes_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x.log"
    file = logs.LogFile(path, max_bytes=20)
    for number in range(5):
        file.write(b"%09d\n" % number)
    file.close()
    assert path.read_bytes() == b"000000004\n"
    assert path.with_name("x.log.1").read_bytes() == b"000000002\n000000003\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_goes_on_after_a_restart_of_the_supervisor(tmp_path: Path) -> None:
    for text in (b"a\n", b"b\n"):
        file = logs.LogFile(tmp_path / "x.log", max_bytes=100)
        file.write(text)
        file.close()
    assert (tmp_path / "x.log").read_bytes() == b"a\nb\n"


def test_what_cannot_be_written_is_counted_and_harms_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    file = logs.LogFile(tmp_path / "file" / "x.log", max_bytes=100)
    file.write(b"a\n")
    assert file.lost == 1


def test_lines_are_put_together_from_pieces(tmp_path: Path) -> None:
    file = logs.LogFile(tmp_path / "x.log", max_bytes=10_000)
    log = logs.ComponentLog("etcd", file, logs.Output("none"))
    for piece in (b"on", b"e\ntw", b"o\nthr", b"ee"):
        log.feed(piece)
    assert log.last_line == "two"
    log.flush()
    assert (tmp_path / "x.log").read_bytes() == b"one\ntwo\nthree\n"
    assert log.last_line == "three"


def test_a_line_that_never_ends_is_cut(tmp_path: Path) -> None:
    file = logs.LogFile(tmp_path / "x.log", max_bytes=10**9)
    log = logs.ComponentLog("etcd", file, logs.Output("none"))
    log.feed(b"x" * (3 * logs.MAX_LINE))
    assert (tmp_path / "x.log").stat().st_size >= 2 * logs.MAX_LINE


def test_a_reader_that_stopped_costs_lines_and_does_not_block() -> None:
    reading, writing = os.pipe()
    output = logs.Output("console", writing)
    for _ in range(100):
        output.line("etcd", b"x" * 4000)
    assert output.lost > 0
    os.close(reading)
    output.line("etcd", b"after the reader has gone")
    os.close(writing)


def test_json_lines_carry_component_and_level() -> None:
    line = json.loads(logs.json_line("kube-apiserver", b"E1121 09:00:00 1 x.go:1] bad"))
    assert (line["component"], line["level"]) == ("kube-apiserver", "error")
    assert line["message"].startswith("E1121")


def test_json_of_a_component_keeps_its_fields() -> None:
    line = json.loads(logs.json_line("etcd", b'{"level":"warn","msg":"slow","component":"x"}'))
    assert line == {"component": "etcd", "level": "warn", "msg": "slow"}


def test_broken_json_and_broken_text_are_lines_too() -> None:
    assert json.loads(logs.json_line("a", b"{broken"))["message"] == "{broken"
    assert json.loads(logs.json_line("a", b"\xff"))["message"] == "�"
