from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from nestling.controlplane import host_version, plan, ports, prepare, settings
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


def test_a_store_other_than_the_one_with_the_data_is_refused_before_the_host_is_asked(tmp_path: Path) -> None:
    made = start(tmp_path, "controlPlane: {backingStore: {database: {embedded: {enabled: true}}}}\n")
    (made.data_dir / "etcd" / "member").mkdir(parents=True)
    assert f"is in etcd ({made.data_dir / 'etcd' / 'member'}), and" in refusal(made)
    assert not (tmp_path / prepare.PLAN).exists()


def test_a_default_that_helm_has_taken_away_stays_away_in_a_pod(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("controlPlane: {coredns: {deployment: {resources: {limits: {memory: 170Mi}}}}}")
    pod, machine = (prepare.read_config(file, local=local) for local in (False, True))
    assert "cpu" not in pod.control_plane.coredns.deployment.resources.limits
    assert "cpu" in machine.control_plane.coredns.deployment.resources.limits


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "absent") in refusal(start(tmp_path, config_file=tmp_path / "absent"))


def test_an_unreadable_host_kubeconfig_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "absent") in refusal(start(tmp_path, host_kubeconfig=tmp_path / "absent"))


@contextlib.contextmanager
def host(answers: dict[str, tuple[int, dict[str, object]]]) -> Iterator[str]:
    """A host that answers each path as told, and everything else with 403."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, body = answers.get(
                self.path.partition("?")[0], (403, {"kind": "Status", "reason": "Forbidden", "message": "no"})
            )
            text = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def on_host(folder: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> settings.StartSettings:
    async def binaries(_names: object, _asked: object) -> tuple[dict[str, Path], str]:
        return {}, "v1.36.3"

    monkeypatch.setattr(prepare, "_binaries", binaries)
    monkeypatch.setattr(ports, "is_free", lambda *_: True)
    made = start(folder)
    access = folder / "host.kubeconfig"
    access.write_text(access.read_text().replace("https://127.0.0.1:9", server))
    return made


UNAUTHORIZED: dict[str, object] = {"kind": "Status", "reason": "Unauthorized", "message": "Unauthorized"}


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"/version": (200, {"gitVersion": "v1.27.3-eks-1"})}, "the host cluster runs Kubernetes v1.27.3-eks-1"),
        ({"/version": (401, UNAUTHORIZED)}, "host.kubeconfig are wrong or have expired: write new ones there"),
        ({"/version": (200, {"gitVersion": "v1.36.3"})}, "the host cluster refuses: no (403 Forbidden); give the"),
        ({"/version": (502, {})}, "the host cluster refuses: the server answered 502"),
    ],
)
def test_a_host_that_is_too_old_or_refuses_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: dict[str, tuple[int, dict[str, object]]], said: str
) -> None:
    with host(answers) as server:
        assert said in refusal(on_host(tmp_path, server, monkeypatch))
    assert not (tmp_path / prepare.PLAN).exists()


def test_33_a_start_in_a_namespace_that_is_taken_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts it: also helm, or a pod that comes back after its neighbour."""
    first = {"metadata": {"name": "first", "labels": {"app": "vcluster", "release": "first"}}}
    services = "/api/v1/namespaces/team-x/services"
    listed: dict[str, object] = {"metadata": {"resourceVersion": "1"}, "items": [first]}
    answers: dict[str, tuple[int, dict[str, object]]] = {
        "/version": (200, {"gitVersion": "v1.36.3"}),
        f"{services}/my-vc": (200, samples.host_service(clusterIP="10.96.0.1")),
        "/api/v1/namespaces/team-x/secrets/my-vc-certs": (200, {"data": {}}),
        services: (200, listed),
    }
    with host(answers) as server:
        said = refusal(on_host(tmp_path, server, monkeypatch))
    assert "namespace team-x already holds the virtual cluster first; delete it, or create my-vc in a namespace" in said
    assert not (tmp_path / prepare.PLAN).exists()


def test_the_data_of_another_virtual_cluster_is_refused_and_stays(tmp_path: Path) -> None:
    made = start(tmp_path)
    made.data_dir.mkdir()
    owner = made.data_dir / prepare.OWNER
    owner.write_text("team-y/other")
    said = refusal(made)
    assert f"the data folder {made.data_dir} belongs to the virtual cluster team-y/other, not to team-x/my-vc" in said
    assert owner.read_text() == "team-y/other"


@pytest.mark.parametrize("text", ["", "team-x/my-vc", "team-x/my-vc\n"])
def test_ones_own_data_is_taken(tmp_path: Path, text: str) -> None:
    made = start(tmp_path)
    made.data_dir.mkdir()
    (made.data_dir / prepare.OWNER).write_text(text)
    prepare._check_owner(made)


def test_a_host_that_does_not_answer_is_said_with_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with host({}) as server:
        pass
    assert f"cannot reach {server}" in refusal(on_host(tmp_path, server, monkeypatch))


@pytest.mark.parametrize(
    ("version", "is_too_old"),
    [("v1.31.9", True), ("v1.32.0", False), ("v1.32.5+k3s1", False), ("v2.0.0", False), ("", False), ("v0.9.1", True)],
)
def test_which_hosts_are_too_old(version: str, is_too_old: bool) -> None:
    assert host_version.is_too_old(version) is is_too_old


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


def test_9_the_plan_knows_the_limit_of_the_container(tmp_path: Path) -> None:
    inputs = samples.inputs(state_dir=tmp_path / "run", data_dir=tmp_path / "data")
    plan_file = prepare.write_plan(inputs.config, inputs.syncer, inputs.binaries, memory_limit=2**30)
    (server,) = [one for one in plan.load(plan_file).components if one.name == "kube-apiserver"]
    assert server.env["GOMEMLIMIT"] == "614MiB"


def test_preparation_leaves_out_what_only_the_syncer_needs() -> None:
    import subprocess
    import sys

    code = "import sys, nestling.controlplane.prepare as _; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"prometheus_client", "uvloop", "nestling.syncer.spec"} & set(loaded)
