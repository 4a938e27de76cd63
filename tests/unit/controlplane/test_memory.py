from __future__ import annotations

import math
from pathlib import Path

import pytest

from nestling.controlplane import memory

GIB = 2**30
POD = ("etcd", "kube-apiserver", "kube-controller-manager", "syncer")


def cgroup(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return folder


def mib(ceiling: str) -> int:
    assert ceiling.endswith("MiB")
    return int(ceiling.removesuffix("MiB"))


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{4 * GIB}\n", 4 * GIB),
        ("max\n", None),
        ("9223372036854771712\n", None),
        (f"{8 * GIB}\n", None),
        ("0\n", None),
        ("\n", None),
    ],
)
def test_9_the_limit_of_the_container(tmp_path: Path, name: str, text: str, expected: int | None) -> None:
    assert memory.limit(cgroup(tmp_path, name, text), machine=8 * GIB) == expected


def test_without_cgroups_there_is_no_limit(tmp_path: Path) -> None:
    assert memory.limit(tmp_path) is None


def test_the_machine_is_asked_how_much_it_has(tmp_path: Path) -> None:
    assert memory.limit(cgroup(tmp_path, "memory.max", "1000000")) == 1000000
    assert memory.limit(cgroup(tmp_path, "memory.max", str(2**60))) is None


def test_9_ceilings_leave_room_for_what_is_not_written_in_go() -> None:
    found = memory.ceilings(4 * GIB, POD)
    assert found.keys() == {"etcd", "kube-apiserver", "kube-controller-manager"}
    together = sum(map(mib, found.values()))
    assert math.isclose(together, 0.8 * 4096, abs_tol=len(found))
    assert mib(found["kube-apiserver"]) > together / 2


def test_9_what_is_not_started_leaves_its_share_to_the_others() -> None:
    alone = memory.ceilings(4 * GIB, ["kube-apiserver", "kube-controller-manager"])
    crowded = memory.ceilings(4 * GIB, [*POD, "kube-scheduler", "coredns"])
    assert mib(alone["kube-apiserver"]) > mib(memory.ceilings(4 * GIB, POD)["kube-apiserver"])
    assert sum(map(mib, crowded.values())) <= 0.8 * 4096


@pytest.mark.parametrize("limit", [64 * 2**20, 256 * 2**20, 512 * 2**20])
def test_9_no_ceiling_is_near_what_an_idle_program_needs(limit: int) -> None:
    # RSS when idle less the pages of the binary, docs/performance.md
    idle = {"kube-apiserver": 145, "kube-controller-manager": 43, "etcd": 21}
    found = memory.ceilings(limit, POD)
    assert all(mib(found[name]) > 1.5 * need for name, need in idle.items())


def test_without_a_limit_there_is_no_ceiling() -> None:
    assert memory.ceilings(None, POD) == {}
