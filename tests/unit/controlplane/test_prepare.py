from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest
import yaml

from nestling.controlplane import plan, prepare, settings
from tests.unit.controlplane import samples


def start(folder: Path, values: str = "", **changes: object) -> settings.StartSettings:
    config_file = folder / "values.yaml"
    config_file.write_text(values)
    access = folder / "host.kubeconfig"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:9"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    access.write_text(yaml.safe_dump(content))
    values_of_flags: dict[str, object] = {
        "name": "my-vc",
        "namespace": "team-x",
        "config_file": config_file,
        "data_dir": folder / "data",
        "state_dir": folder,
        "host_kubeconfig": access,
        "port": 24567,
        "bind_address": "127.0.0.1",
    }
    return settings.StartSettings(**(values_of_flags | changes))  # type: ignore[arg-type]  # checked at run time


def refusal(start_settings: settings.StartSettings) -> str:
    with pytest.raises(settings.PreparationError) as caught:
        asyncio.run(prepare.prepare(start_settings))
    return str(caught.value)


def test_all_that_is_wrong_with_the_configuration_is_told_at_once(tmp_path: Path) -> None:
    said = refusal(start(tmp_path, "syncc: 1\ncontrolPlane: {proxy: {port: text}}\n"))
    assert "syncc" in said
    assert "controlPlane.proxy.port" in said


def test_several_replicas_in_pods_are_refused(tmp_path: Path) -> None:
    values = "controlPlane: {statefulSet: {highAvailability: {replicas: 3}}}\n"
    assert "highAvailability.replicas" in refusal(start(tmp_path, values, host_kubeconfig=None))


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "absent") in refusal(start(tmp_path, config_file=tmp_path / "absent"))


def test_an_unreadable_host_kubeconfig_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "absent") in refusal(start(tmp_path, host_kubeconfig=tmp_path / "absent"))


def test_the_plan_and_settings_are_private_and_complete(tmp_path: Path) -> None:
    inputs = samples.inputs(state_dir=tmp_path / "run", data_dir=tmp_path / "data")
    plan_file = prepare.write_plan(inputs.config, inputs.syncer, inputs.binaries)
    assert [component.name for component in plan.load(plan_file).components] == [
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "syncer",
    ]
    assert settings.from_json((tmp_path / "run" / prepare.SETTINGS).read_text()) == inputs.syncer
    for file in (tmp_path / "run").glob("*.json"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_preparation_leaves_out_what_only_the_syncer_needs() -> None:
    import subprocess
    import sys

    code = "import sys, nestling.controlplane.prepare as _; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"prometheus_client", "uvloop", "nestling.syncer.spec"} & set(loaded)
