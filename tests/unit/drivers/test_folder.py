from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from nestling.controlplane import supervisor_status
from nestling.drivers import errors
from nestling.drivers.local import folder, process, status


def record(name: str = "a", phase: folder.Phase = "ready", owner: tuple[int, int, str] = (0, 0, "")) -> folder.Record:
    return folder.Record(
        name=name,
        namespace="ns",
        host="default",
        port=1,
        phase=phase,
        created="2026-01-02T03:04:05+00:00",
        version="1",
        owner=owner,
    )


def test_a_record_is_private_and_read_back(tmp_path: Path) -> None:
    place = folder.Clusters(tmp_path / "default").folder("ns", "a")
    place.write(record())
    assert place.read() == record()
    assert stat.S_IMODE(place.record_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.path.stat().st_mode) == 0o700


def test_what_a_newer_version_wrote_beside_is_left_out(tmp_path: Path) -> None:
    place = folder.Clusters(tmp_path / "default").folder("ns", "a")
    place.write(record(phase="paused"))
    place.record_file.write_text(json.dumps({**json.loads(place.record_file.read_text()), "surprise": 1}))
    assert place.read() == record(phase="paused")


DAMAGED = ["", "{", "[]", '{"name": "a"}', "null", "\0" * 40]


@pytest.mark.parametrize("text", [*DAMAGED, None])
def test_a_damaged_or_lost_record_is_made_again_from_the_settings(tmp_path: Path, text: str | None) -> None:
    place = folder.Clusters(tmp_path / "default").folder("ns", "a")
    place.data.mkdir(parents=True)
    place.private_file(place.path / folder.SETTINGS, json.dumps({"port": 1, "kubernetes_version": "v1.36.3"}))
    if text is not None:
        place.record_file.write_text(text)
    found = place.read()
    assert found is not None
    assert (found.name, found.namespace, found.host, found.port) == ("a", "ns", "default", 1)
    assert (found.phase, found.kubernetes_version) == ("ready", "v1.36.3")
    assert found.created_at.year >= 2020
    # It goes into labels, which may not end in a dash.
    assert found.version
    assert [one.name for _, one in folder.Clusters(tmp_path / "default").all()] == ["a"]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_record_without_data_is_of_a_creation_that_had_only_begun(tmp_path: Path, text: str) -> None:
    place = folder.Clusters(tmp_path / "default").folder("ns", "a")
    place.path.mkdir(parents=True)
    place.record_file.write_text(text)
    found = place.read()
    assert found is not None
    assert (found.phase, found.owner_alive) == ("creating", False)


@pytest.mark.parametrize("text", DAMAGED)
def test_data_that_nothing_tells_about_is_left_alone(tmp_path: Path, text: str) -> None:
    place = folder.Clusters(tmp_path / "default").folder("ns", "a")
    place.data.mkdir(parents=True)
    place.record_file.write_text(text)
    (place.path / folder.SETTINGS).write_text(text)
    assert place.read() is None
    assert folder.Clusters(tmp_path / "default").all() == []


def test_all_lists_the_folders_with_a_record(tmp_path: Path) -> None:
    clusters = folder.Clusters(tmp_path / "default")
    for name in ("b", "a"):
        clusters.folder("ns", name).write(record(name))
    (tmp_path / "default" / "ns" / "foreign").mkdir()
    assert [found.name for _, found in clusters.all()] == ["a", "b"]
    assert folder.Clusters(tmp_path / "nothing").all() == []


def test_remove_takes_everything_and_the_empty_folders_above(tmp_path: Path) -> None:
    clusters = folder.Clusters(tmp_path / "clusters" / "default")
    first, second = clusters.folder("ns", "a"), clusters.folder("other", "b")
    for place in (first, second):
        place.write(record())
        place.private_file(place.data / "x" / "y", "secret")
    first.remove()
    assert second.read() is not None
    second.remove()
    second.remove()
    assert list(tmp_path.rglob("*")) == [tmp_path / "clusters"]


def test_a_second_worker_is_refused_and_the_lock_vanishes(tmp_path: Path) -> None:
    clusters = folder.Clusters(tmp_path / "default")
    with clusters.locked("ns"):
        with pytest.raises(errors.UserError, match="another command works"), clusters.locked("ns"):
            pass
        with clusters.locked("other"):
            pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    clusters = folder.Clusters(tmp_path / "file" / "default")
    with pytest.raises(errors.UserError, match="NESTLING_HOME=FOLDER"), clusters.locked("ns"):
        pass
    with pytest.raises(errors.UserError, match="cannot write"):
        clusters.folder("ns", "a").write(record())


def test_unfinished_work_of_a_dead_process_is_a_failure(tmp_path: Path) -> None:
    this = supervisor_status.this_process()
    alive = (this.pid, this.start_time, this.boot_id)
    place = folder.Folder(tmp_path)
    assert status.of(place, record(phase="creating", owner=alive))[0] == "Pending"
    assert status.of(place, record(phase="creating"))[0] == "Failed"
    assert status.of(place, record(phase="deleting", owner=alive))[0] == "Terminating"
    assert status.of(place, record(phase="deleting"))[0] == "Failed"


def test_without_processes_it_is_paused_or_scaled_down(tmp_path: Path) -> None:
    place = folder.Folder(tmp_path)
    assert status.of(place, record(phase="paused"))[0] == "Paused"
    assert status.of(place, record())[0] == "ScaledDown"


def test_what_runs_is_not_paused_whatever_the_record_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resume that was killed had started the processes already."""
    monkeypatch.setattr(process, "running", lambda _place: True)
    assert status.of(folder.Folder(tmp_path), record(phase="paused"))[0] == "Pending"


def test_a_full_disk_is_said_and_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder.Clusters(tmp_path / "default").folder("ns", "a")
    place.write(record())
    before = sorted(tmp_path.rglob("*"))

    def full(_self: Path, _target: Path) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "f")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(errors.UserError, match=r"No space left on device.*make room"):
        place.write(record(phase="paused"))
    monkeypatch.undo()
    assert place.read() == record()
    assert sorted(tmp_path.rglob("*")) == before


def test_the_tail_of_a_log_names_the_file(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("\n".join(str(number) for number in range(100)))
    assert status.tail(log, lines=2).split() == ["98", "99", "(last", "lines", "of", f"{log})"]
    assert "no log" in status.tail(tmp_path / "none")
