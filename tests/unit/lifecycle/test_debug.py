from __future__ import annotations

import base64
import json
import os
import stat
import tarfile
from pathlib import Path

import pytest

from nestling.drivers import base, errors
from nestling.lifecycle import debug
from tests.unit.lifecycle import fakes

MARK = "s3cr3t-m4rk3r"
SECRET = {"kind": "Secret", "metadata": {"name": "a"}, "data": {"k": base64.b64encode(MARK.encode()).decode()}}


def contents(archive: Path) -> dict[str, str]:
    with tarfile.open(archive) as opened:
        found = {}
        for entry in opened.getmembers():
            stream = opened.extractfile(entry)
            assert stream is not None
            assert entry.mode == 0o600
            found[entry.name.partition("/")[2]] = stream.read().decode()
        return found


async def test_the_archive_holds_every_piece_and_no_secret(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster())
    driver.user_values = f"plugins:\n  x:\n    password: {MARK}\n"
    driver.pieces = [
        base.Piece("host/resources/secrets/ns/a.yaml", SECRET),
        base.Piece("logs/syncer.log", f"refused: {MARK}\n"),
        base.Piece("release/plan.json", {"args": [f"--x={MARK}"]}),
        base.Piece("virtual.error.txt", "does not run\n"),
    ]
    path = await debug.collect(current, "my-vc", base.Diagnosis(), str(tmp_path / "out.tar.gz"))
    found = contents(path)
    assert found["logs/syncer.log"] == "refused: (redacted)\n"
    assert found["virtual.error.txt"] == "does not run\n"
    assert json.loads(found["release/plan.json"]) == {"args": ["--x=(redacted)"]}
    assert {"README.txt", "about.json", "status/describe.json", "status/certificates.json"} <= set(found)
    assert json.loads(found["status/describe.json"])["name"] == "my-vc"
    assert MARK not in "".join(found.values())
    assert base64.b64encode(MARK.encode()).decode() not in "".join(found.values())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_without_a_name_the_file_is_called_as_in_the_original(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    current, _ = fakes.new_session(tmp_path, fakes.cluster())
    path = await debug.collect(current, "my-vc", base.Diagnosis(), "")
    assert path.parent == tmp_path
    assert path.match("vcluster.my-vc.debug.[0-9]*.tar.gz")


async def test_an_archive_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path, fakes.cluster())
    target = tmp_path / "there"
    target.mkdir()
    with pytest.raises(errors.UserError, match="--output-filename"):
        await debug.collect(current, "my-vc", base.Diagnosis(), str(target))
    with pytest.raises(errors.UserError, match="cannot write"):
        await debug.collect(current, "my-vc", base.Diagnosis(), str(tmp_path / "missing" / "x.tar.gz"))
    assert os.listdir(tmp_path) == ["there"]  # noqa: PTH208  pathlib may block, says its linter
