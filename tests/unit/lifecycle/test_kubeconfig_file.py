from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest
import yaml

from nestling.drivers import errors
from nestling.lifecycle import kubeconfig_file as files
from nestling.lifecycle import kubeconfig_nodes as nodes

PROD = """\
apiVersion: v1
kind: Config
contexts:
- {name: prod, context: {cluster: prod, user: me}}
current-context: prod
"""


def entry(name: str = "vcluster_a_ns_h", previous: str = "prod") -> nodes.Entry:
    return nodes.Entry(name, {"server": "https://127.0.0.1:1"}, {"token": "t"}, previous=previous)


def test_the_default_file_is_in_the_home_folder(tmp_path: Path) -> None:
    found = files.Files.from_env({"HOME": str(tmp_path)})
    assert found.paths == (tmp_path / ".kube" / "config",)


def test_kubeconfig_lists_files_and_empty_parts_are_skipped(tmp_path: Path) -> None:
    found = files.Files.from_env({"HOME": str(tmp_path), "KUBECONFIG": f"{tmp_path}/a::{tmp_path}/b"})
    assert found.paths == (tmp_path / "a", tmp_path / "b")


def test_new_entries_go_to_the_first_existing_file_else_to_the_last(tmp_path: Path) -> None:
    found = files.Files((tmp_path / "a", tmp_path / "b", tmp_path / "c"))
    assert found.default == tmp_path / "c"
    (tmp_path / "b").write_text("")
    assert found.default == tmp_path / "b"


def test_a_new_file_is_private_and_its_folder_too(tmp_path: Path) -> None:
    found = files.Files((tmp_path / "kube" / "config",))
    found.add(entry())
    assert stat.S_IMODE(found.paths[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(found.paths[0].parent.stat().st_mode) == 0o700
    assert found.current_context() == "vcluster_a_ns_h"


def test_mode_and_symlink_of_an_existing_file_are_kept(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "config"
    real.write_text(PROD)
    real.chmod(0o640)
    link.symlink_to(real)
    files.Files((link,)).add(entry())
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert "vcluster_a_ns_h" in real.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config", "real"]


def test_removing_the_current_entry_goes_back_to_the_context_before(tmp_path: Path) -> None:
    found = files.Files((tmp_path / "config",))
    found.paths[0].write_text(PROD)
    found.add(entry())
    assert found.previous_of("vcluster_a_ns_h") == "prod"
    assert found.remove("vcluster_a_ns_h", back_to="prod")
    assert yaml.safe_load(found.paths[0].read_text())["clusters"] == []
    assert found.current_context() == "prod"


def test_removing_an_entry_that_is_not_current_leaves_the_current_context(tmp_path: Path) -> None:
    found = files.Files((tmp_path / "config",))
    found.add(entry())
    found.add(entry("vcluster_b_ns_h"))
    found.remove("vcluster_a_ns_h", back_to="prod")
    assert found.current_context() == "vcluster_b_ns_h"


def test_removing_the_current_entry_without_a_way_back_leaves_none_current(tmp_path: Path) -> None:
    found = files.Files((tmp_path / "config",))
    found.add(entry())
    found.remove("vcluster_a_ns_h", back_to="gone")
    assert found.current_context() == ""


def test_the_first_of_several_files_decides_the_current_context_and_gets_the_switch(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("apiVersion: v1\nkind: Config\n")
    second.write_text(PROD)
    found = files.Files((first, second))
    assert found.current_context() == "prod"
    found.add(entry())
    assert found.current_context() == "vcluster_a_ns_h"
    assert second.read_text() == PROD


def test_an_entry_that_exists_is_changed_where_it_is_and_left_overs_are_removed(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    files.Files((second,)).add(entry())
    first.write_text("clusters:\n- {name: vcluster_a_ns_h, cluster: {server: stale}}\n")
    found = files.Files((first, second))
    assert found.add(entry()) == second
    assert "stale" not in first.read_text()
    assert found.current_context() == "vcluster_a_ns_h"


def test_a_broken_kubeconfig_is_refused_with_file_and_line_and_nothing_is_changed(tmp_path: Path) -> None:
    broken = tmp_path / "config"
    broken.write_text("clusters:\n- cluster:\n    certificate-authority-da")
    with pytest.raises(errors.UserError, match=f"{broken}, line 2"):
        files.Files((broken,)).add(entry())
    assert broken.read_text() == "clusters:\n- cluster:\n    certificate-authority-da"
    assert [path.name for path in tmp_path.iterdir()] == ["config"]


def test_an_unwritable_folder_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.UserError, match="cannot write the kubeconfig"):
        files.Files((tmp_path / "file" / "config",)).add(entry())


def test_a_file_in_the_place_of_a_folder_is_said_before_any_work_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.UserError, match="file is a file, not a folder"):
        files.Files((tmp_path / "file" / "config",)).check_writable()
    (tmp_path / "config").mkdir()
    with pytest.raises(errors.UserError, match="Is a directory"):
        files.Files((tmp_path / "config",)).check_writable()


def test_a_full_disk_leaves_the_old_kubeconfig_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "config"
    target.write_text("current-context: mine\n")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(errors.UserError, match="No space left on device"):
        files.Files((target,)).add(entry())
    monkeypatch.undo()
    assert target.read_text() == "current-context: mine\n"
    assert [path.name for path in tmp_path.iterdir()] == ["config"]
    files.Files((target,)).add(entry())
    assert "vcluster_a_ns_h" in target.read_text()


def test_a_lock_of_another_program_is_waited_for_and_then_reported(tmp_path: Path) -> None:
    target = tmp_path / "config"
    (tmp_path / "config.lock").write_text("")
    with pytest.raises(errors.UserError, match=r"config\.lock exists"), files.locked(target, seconds=0.1):
        pass
    assert (tmp_path / "config.lock").exists()


def test_a_lock_of_a_killed_process_of_ours_is_taken_over(tmp_path: Path) -> None:
    target = tmp_path / "config"
    (tmp_path / "config.lock").write_text(f"nestling {2**22 + 1}\n")
    with files.locked(target, seconds=5):
        assert str(os.getpid()) in (tmp_path / "config.lock").read_text()
    assert not (tmp_path / "config.lock").exists()


def test_concurrent_writers_lose_no_entry(tmp_path: Path) -> None:
    found = files.Files((tmp_path / "config",))
    threads = [threading.Thread(target=found.add, args=(entry(f"vcluster_{n}_ns_h"),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found.contexts()) == [f"vcluster_{n}_ns_h" for n in range(8)]


def test_a_change_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    found = files.Files((tmp_path / "config",))
    found.add(entry())
    before = found.paths[0].stat().st_ino
    found.add(entry())
    assert found.paths[0].stat().st_ino == before


def test_render_makes_a_complete_kubeconfig_of_one_entry() -> None:
    data = yaml.safe_load(files.render(entry()))
    assert data["current-context"] == "vcluster_a_ns_h"
    assert data["apiVersion"] == "v1"
    assert data["kind"] == "Config"
