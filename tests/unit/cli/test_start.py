from __future__ import annotations

from pathlib import Path

import pytest
from click import testing

from nestling.cli import start
from nestling.controlplane import handover, plan, settings


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[settings.StartSettings]:
    """What the process that prepares is told."""
    found: list[settings.StartSettings] = []

    def begin(component: plan.Component, _folder: str) -> None:
        found.append(settings.start_from_json(component.argv[3]))

    monkeypatch.setattr(handover, "begin", begin)
    return found


def test_flags_on_a_machine(seen: list[settings.StartSettings], tmp_path: Path) -> None:
    arguments = ["--name", "my-vc", "--namespace", "team-x", "--data-dir", str(tmp_path / "vc" / "data")]
    arguments += ["--host-kubeconfig", "h", "--config", "c", "--port", "24443", "--bind-address", "127.0.0.1"]
    result = testing.CliRunner().invoke(start.command, arguments)
    assert result.exit_code == 0, result.output
    (found,) = seen
    assert (found.name, found.namespace, found.port, found.local) == ("my-vc", "team-x", 24443, True)
    assert found.state_dir == tmp_path / "vc"


def test_in_a_pod_the_environment_decides(seen: list[settings.StartSettings]) -> None:
    environment = {"VCLUSTER_NAME": "my-vc", "NAMESPACE": "team-x", "POD_IP": "10.244.1.7"}
    result = testing.CliRunner().invoke(start.command, [], env=environment)
    assert result.exit_code == 0, result.output
    (found,) = seen
    assert (found.name, found.pod_ip, found.local) == ("my-vc", "10.244.1.7", False)
    assert (found.config_file, found.data_dir) == (settings.POD_CONFIG, settings.POD_DATA)
    assert found.port is None


def test_outside_a_pod_the_namespace_must_be_given(
    seen: list[settings.StartSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NAMESPACE", raising=False)
    result = testing.CliRunner().invoke(start.command, ["--name", "a"])
    assert result.exit_code == 1
    assert "--namespace" in result.output
    assert seen == []
