"""`nestling host` as a user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from nestling.controlplane import supervisor_status
from nestling.local import paths
from tests.support import host as support

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

DEADLINE = 120.0


class Nestling:
    """The program with a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "NESTLING_HOME": str(home)}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "nestling.cli.main", *arguments]

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


@pytest.fixture(scope="module")
def nestling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nestling]:
    program = Nestling(tmp_path_factory.mktemp("home"))
    with support.slot():
        yield program
        program("host", "down", "--delete", "--force")


def version() -> tuple[str, ...]:
    wanted = support.default_options().kubernetes_version
    return ("--kubernetes-version", wanted) if wanted else ()


def test_status_of_a_host_that_is_not_there(nestling: Nestling) -> None:
    result = nestling("host", "status")
    assert result.returncode == 1
    assert "absent" in result.stdout
    assert "nestling host up" in result.stdout


def test_kubeconfig_of_a_host_that_is_not_there(nestling: Nestling) -> None:
    result = nestling("host", "kubeconfig")
    assert result.returncode == 1
    assert "nestling host up" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("host", "up", "--name", "No Good"), "not usable"),
        (("host", "up", "--nodes", "0"), "1 to 500"),
        (("host", "up", "--service-cidr", "10.0.0.0/33"), "not usable"),
        (("host", "up", "--kubernetes-version", "1.1"), "1.1"),
        (("host", "down", "--force"), "--delete"),
    ],
)
def test_wrong_input_has_a_message_and_no_consequences(
    nestling: Nestling, arguments: tuple[str, ...], message: str
) -> None:
    result = nestling(*arguments)
    assert result.returncode == 1
    assert message in result.stderr
    assert "bug" not in result.stderr
    assert not paths.Paths(nestling.home).host("default").exists()


def test_a_home_that_cannot_be_written_has_a_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = Nestling(tmp_path / "file" / "home")("host", "up")
    assert result.returncode == 1
    assert "NESTLING_HOME" in result.stderr


def test_an_interrupted_up_leaves_no_process_and_can_be_repeated(nestling: Nestling) -> None:
    folder = paths.Paths(nestling.home).host("default")
    process = nestling.start("host", "up", *version())
    deadline = time.monotonic() + DEADLINE
    while supervisor_status.supervisor(folder) is None:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130, errors
    assert supervisor_status.supervisor(folder) is None
    assert nestling("host", "up", *version()).returncode == 0


def test_up_says_what_it_does_and_how_to_use_the_host(nestling: Nestling) -> None:
    result = nestling("host", "up")
    assert result.returncode == 0
    assert "was up already" in result.stderr
    assert "export KUBECONFIG=" in result.stderr


def test_status_as_table_json_and_yaml(nestling: Nestling) -> None:
    table = nestling("host", "status")
    assert table.returncode == 0
    assert "2 of 2 simulated nodes ready" in table.stdout
    found = json.loads(nestling("host", "status", "-o", "json").stdout)
    assert found == yaml.safe_load(nestling("host", "status", "-o", "yaml").stdout)
    assert found["state"] == "running"
    assert {part["name"] for part in found["parts"]} >= {"etcd", "kube-apiserver", "kwok"}


def test_kubeconfig_and_its_path(nestling: Nestling) -> None:
    path = nestling("host", "kubeconfig", "--path").stdout.strip()
    assert Path(path).read_text() == nestling("host", "kubeconfig").stdout


def test_down_and_down_delete(nestling: Nestling) -> None:
    assert "its data is kept" in nestling("host", "down").stderr
    assert "is not up" in nestling("host", "down").stderr
    assert nestling("host", "status").returncode == 1
    assert "are gone" in nestling("host", "down", "--delete").stderr
    assert list(paths.Paths(nestling.home).hosts.iterdir()) == []
