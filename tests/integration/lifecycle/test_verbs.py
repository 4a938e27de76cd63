"""The verbs on the local driver, run as users run them, against real processes."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.integration.lifecycle import conftest
from tests.integration.lifecycle.conftest import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

NAME = "main"


@pytest.fixture(scope="module")
def main(world: World) -> Iterator[str]:
    """A virtual cluster that several tests look at."""
    world.run("create", NAME, "--connect=false")
    yield NAME
    world.run("delete", NAME, "--ignore-not-found")


def record(world: World, name: str = NAME) -> dict[str, object]:
    file = world.clusters / f"vcluster-{name}" / name / "cluster.json"
    found: dict[str, object] = json.loads(file.read_text())
    return found


def test_create_connect_list_delete_and_nothing_is_left(world: World) -> None:
    world.kubeconfig.write_text("contexts:\n- {name: prod, context: {cluster: c, user: u}}\ncurrent-context: prod\n")
    world.run("create", "trip", "--driver", "local")
    context = "vcluster_trip_vcluster-trip_nestling-default"
    assert yaml.safe_load(world.kubeconfig.read_text())["current-context"] == context
    assert stat.S_IMODE(world.kubeconfig.stat().st_mode) & 0o400
    namespaces = subprocess.run(
        ["kubectl", "get", "namespaces", "-o", "name"], env=world.env, capture_output=True, text=True, check=True
    )
    assert "namespace/default" in namespaces.stdout.split()
    assert "namespace/vcluster-trip" not in namespaces.stdout.split()
    entry = world.entries()["trip"]
    assert (entry["Status"], entry["Connected"], entry["Namespace"]) == ("Running", True, "vcluster-trip")
    annotations = json.loads(world.kubectl("get", "namespace", "vcluster-trip", "-o", "json"))["metadata"][
        "annotations"
    ]
    assert annotations["vcluster.loft.sh/created"] == "true"
    world.run("disconnect")
    assert yaml.safe_load(world.kubeconfig.read_text())["current-context"] == "prod"
    world.run("delete", "trip", "--driver", "local")
    world.assert_nothing_left("trip")
    assert yaml.safe_load(world.kubeconfig.read_text())["current-context"] == "prod"
    world.kubeconfig.unlink()


def test_a_command_runs_in_the_virtual_cluster_and_its_exit_code_is_passed_on(world: World, main: str) -> None:
    output = world.run("connect", main, "--", "kubectl", "get", "namespace", "default", "-o", "name").stdout
    assert output.strip() == "namespace/default"
    world.run("connect", main, "--", "sh", "-c", "exit 7", code=7)
    assert not world.kubeconfig.exists()


def test_print_is_a_kubeconfig_and_nothing_else(world: World, main: str, tmp_path: Path) -> None:
    file = tmp_path / "printed"
    file.write_text(world.run("connect", main, "--print").stdout)
    words = ["kubectl", "--kubeconfig", str(file), "auth", "whoami", "-o", "json"]
    whoami = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    assert "system:masters" in whoami["status"]["userInfo"]["groups"]
    assert not world.kubeconfig.exists()


def test_a_service_account_has_the_rights_of_its_cluster_role_only(world: World, main: str, tmp_path: Path) -> None:
    file = tmp_path / "printed"
    flags = ("--service-account", "default/ci", "--cluster-role", "view", "--token-expiration", "3600", "--print")
    file.write_text(world.run("connect", main, *flags).stdout)

    def may(verb: str, what: str) -> str:
        words = ["kubectl", "--kubeconfig", str(file), "auth", "can-i", verb, what]
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()

    assert may("list", "pods") == "yes"
    assert may("create", "pods") == "no"


def test_the_control_planes_files_are_private(world: World, main: str) -> None:
    folder = world.clusters / f"vcluster-{main}" / main
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("values.yaml", "user-values.yaml", "host.kubeconfig", "cluster.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name


def test_a_taken_name_and_a_taken_namespace_are_refused(world: World, main: str) -> None:
    assert "exists already in the namespace vcluster-main" in world.run("create", main, code=1).stderr
    refused = world.run("create", "other", "-n", f"vcluster-{main}", code=1).stderr
    assert 'holds the virtual cluster "main" already' in refused
    assert "other" not in world.entries()


def test_a_namespace_with_a_virtual_cluster_of_another_machine_is_refused(world: World) -> None:
    world.kubectl("create", "namespace", "foreign")
    world.kubectl("create", "service", "clusterip", "theirs", "-n", "foreign", "--tcp=443")
    world.kubectl(
        "label", "service", "theirs", "-n", "foreign", "app=vcluster", "vcluster.loft.sh/service=true", "--overwrite"
    )
    assert 'holds the virtual cluster "theirs"' in world.run("create", "mine", "-n", "foreign", code=1).stderr
    assert world.exists("service", "theirs", "-n", "foreign")
    assert not (world.clusters / "foreign").exists()
    world.kubectl("delete", "namespace", "foreign", "--wait=false")


def test_a_name_that_kubernetes_refuses_is_refused_before_anything_is_made(world: World) -> None:
    error = world.run("create", "My_VC", code=1).stderr
    assert 'for example "my-vc"' in error
    assert "My_VC" not in world.entries()


def test_broken_yaml_is_refused_with_its_line(world: World, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text("sync:\n  toHost: [\n")
    assert f"{values}:" in world.run("create", "broken", "-f", str(values), code=1).stderr
    world.assert_nothing_left("broken")


def test_an_unwritable_folder_is_refused(world: World, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    error = world.run("create", "unwritable", code=1, NESTLING_HOME=str(blocked / "home")).stderr
    assert "NESTLING_HOME" in error
    assert str(blocked) in error


def test_an_unwritable_kubeconfig_is_refused_before_anything_is_made(world: World, tmp_path: Path) -> None:
    broken = tmp_path / "kubeconfig"
    broken.write_text("clusters: {")
    assert f"{broken}, line" in world.run("create", "unwritten", code=1, KUBECONFIG=str(broken)).stderr
    assert broken.read_text() == "clusters: {"
    world.assert_nothing_left("unwritten")


def test_a_busy_port_is_refused_with_its_holder(world: World) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        error = world.run("create", "busy", "--set", f"controlPlane.proxy.port={port}", code=1).stderr
    assert f"the port {port} (controlPlane.proxy.port) is in use by process" in error
    world.assert_nothing_left("busy")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_create_leaves_nothing(world: World, number: signal.Signals) -> None:
    process = world.start("create", "halted")
    running = world.clusters / "vcluster-halted" / "halted" / "supervisor.json"
    error = conftest.interrupt_when(process, running.exists, number)
    assert process.returncode == 128 + number, error
    assert "Traceback" not in error
    world.assert_nothing_left("halted")


def test_after_a_killed_create_the_same_command_works(world: World) -> None:
    process = world.start("create", "killed", "--connect=false")
    running = world.clusters / "vcluster-killed" / "killed" / "supervisor.json"
    conftest.interrupt_when(process, running.exists, signal.SIGKILL)
    assert world.entries()["killed"]["Status"] == "Failed"
    assert "half created" in world.run("connect", "killed", code=1).stderr
    world.run("create", "killed", "--connect=false")
    assert world.entries()["killed"]["Status"] == "Running"
    world.run("delete", "killed")
    world.assert_nothing_left("killed")


def test_after_a_killed_create_delete_removes_what_there_is(world: World) -> None:
    process = world.start("create", "killed", "--connect=false")
    conftest.interrupt_when(process, lambda: world.exists("service", "killed", "-n", "vcluster-killed"), signal.SIGKILL)
    world.run("delete", "killed")
    world.assert_nothing_left("killed")


def test_after_the_death_of_all_processes_connect_starts_it_again(world: World, main: str) -> None:
    world.run("connect", main, "--", "kubectl", "create", "configmap", "kept")
    supervisor = json.loads((world.clusters / f"vcluster-{main}" / main / "supervisor.json").read_text())["pid"]
    subprocess.run(["kill", "-9", str(supervisor)], check=True)
    conftest.until(lambda: world.entries()[main]["Status"] == "ScaledDown", "the death of the control plane")
    output = world.run("connect", main, "--", "kubectl", "get", "configmap", "kept", "-o", "name").stdout
    assert output.strip() == "configmap/kept"
    assert world.entries()[main]["Status"] == "Running"


def test_pause_stops_the_processes_and_resume_brings_the_data_back(world: World, main: str) -> None:
    port = record(world)["port"]
    world.run("connect", main, "--", "kubectl", "create", "configmap", "before-pause")
    world.run("pause", main)
    assert world.entries()[main]["Status"] == "Paused"
    assert world.processes(main) == []
    world.run("resume", main)
    assert world.entries()[main]["Status"] == "Running"
    world.run("connect", main, "--", "kubectl", "get", "configmap", "before-pause")
    assert record(world)["port"] == port


def test_upgrade_applies_new_values_and_keeps_the_data(world: World, main: str, tmp_path: Path) -> None:
    world.run("connect", main, "--", "kubectl", "create", "configmap", "before-upgrade")
    values = tmp_path / "values.yaml"
    values.write_text("# mine\nexportKubeConfig:\n  context: renamed\n")
    world.run("create", main, "--upgrade", "-f", str(values), "--connect=false")
    assert world.run("describe", main, "--config-only").stdout == values.read_text()
    world.run("connect", main, "--", "kubectl", "get", "configmap", "before-upgrade")


def test_describe_says_what_is_known(world: World, main: str) -> None:
    found = json.loads(world.run("describe", main, "-o", "json").stdout)
    assert (found["name"], found["status"], found["backingStore"]) == (main, "Running", "embedded-etcd")


def test_a_foreign_namespace_is_not_deleted_with_the_virtual_cluster(world: World) -> None:
    world.kubectl("create", "namespace", "kept")
    world.kubectl("create", "configmap", "theirs", "-n", "kept")
    world.run("create", "guest", "-n", "kept", "--connect=false")
    world.run("delete", "guest", "-n", "kept")
    assert world.exists("configmap", "theirs", "-n", "kept")
    left = world.kubectl(
        "get", "all,secrets,serviceaccounts,roles,rolebindings,endpointslices", "-n", "kept", "-o", "name"
    )
    assert [name for name in left.split() if "guest" in name] == []
    assert world.processes("guest") == []
    world.kubectl("delete", "namespace", "kept", "--wait=false")


def test_delete_of_what_does_not_exist_fails_unless_it_is_to_be_ignored(world: World) -> None:
    assert 'there is no virtual cluster "nothing"' in world.run("delete", "nothing", code=1).stderr
    world.run("delete", "nothing", "--ignore-not-found")
