from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from nestling.local import errors, nodes, record, report
from nestling.local.node import requirements

HOME = Path("/home/me/.local/share/nestling")
GOOD = requirements.Machine(
    linux=True,
    root=True,
    capabilities=frozenset({"CAP_SYS_ADMIN", "CAP_NET_ADMIN"}),
    hierarchies=("cpu", "memory", "pids"),
    commands=frozenset(requirements.COMMANDS),
)


class Listener(report.Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def info(self, message: str) -> None:
        self.said.append(message)


def test_a_machine_that_has_all_has_no_problem() -> None:
    assert requirements.problems(GOOD, HOME) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"linux": False}, "needs Linux"),
        ({"root": False}, "with sudo"),
        ({"capabilities": frozenset()}, "CAP_NET_ADMIN and CAP_SYS_ADMIN"),
        ({"hierarchies": ("cpu", "pids")}, "cgroup controllers memory are not there"),
        ({"commands": frozenset({"ip", "mount", "umount"})}, "nft is missing: apt-get install nftables"),
        ({"commands": frozenset({"nft", "mount", "umount"})}, "ip is missing: apt-get install iproute2"),
        ({"commands": frozenset({"nft", "ip"})}, "mount and umount is missing: apt-get install mount"),
    ],
)
def test_each_thing_that_is_missing_is_named_with_its_remedy(change: dict[str, object], words: str) -> None:
    (problem,) = requirements.problems(dataclasses.replace(GOOD, **change), HOME)  # type: ignore[arg-type]  # any field
    assert words in problem


def test_a_home_below_run_is_refused() -> None:
    (problem,) = requirements.problems(GOOD, Path("/run/user/0/nestling"))
    assert "NESTLING_HOME" in problem


def test_a_home_too_long_for_sockets_is_refused() -> None:
    """The path of a socket has 107 characters at most, the kubelet's needs 38 below the folder of the host."""
    longest = Path("/home", "a" * 63)
    assert requirements.problems(GOOD, longest) == []
    (problem,) = requirements.problems(GOOD, longest / "b")
    assert "2 characters too long" in problem
    assert "NESTLING_HOME" in problem


def test_a_real_node_that_cannot_be_had_is_an_error_and_auto_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "look", lambda: dataclasses.replace(GOOD, root=False))
    listener = Listener()
    with pytest.raises(errors.HostError, match="needs root"):
        nodes.choose(None, record.CONTAINERD, folder=HOME, reporter=listener)
    assert nodes.choose(None, nodes.AUTO, folder=HOME, reporter=listener) == record.SIMULATED
    assert "with sudo" in listener.said[0]


def test_the_environment_chooses_for_new_hosts_only() -> None:
    known = record.Record("default", "v1.36.3", {}, node=record.CONTAINERD, network="10.201.0.0/23")
    environ = {nodes.ENVIRONMENT: record.SIMULATED}
    assert nodes.choose(None, None, folder=HOME, reporter=Listener(), environ=environ) == record.SIMULATED
    with pytest.raises(errors.HostError, match="NESTLING_NODE=kvm"):
        nodes.choose(None, None, folder=HOME, reporter=Listener(), environ={nodes.ENVIRONMENT: "kvm"})
    assert known.address == "10.201.0.1"
