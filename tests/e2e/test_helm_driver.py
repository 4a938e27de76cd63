"""The driver helm on a real node, as a user of a cluster has it: create, connect, and all that comes after."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support import node as support

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

NAME = "driven"
NAMESPACE = f"vcluster-{NAME}"
CONTEXT = f"vcluster_{NAME}_{NAMESPACE}_nestling-default"
KEPT = ("get", "configmap", "kept", "-o", "jsonpath={.data.is}")


@dataclasses.dataclass(frozen=True)
class User:
    """Somebody with a kubeconfig of their own on the machine of the host."""

    node: support.Node
    folder: Path

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    def nestling(self, *arguments: str, code: int = 0) -> str:
        return self._run([sys.executable, "-m", "nestling.cli.main", *arguments], code=code)

    def kubectl(self, *arguments: str) -> str:
        """Through the kubeconfig that connect wrote, with its current context."""
        return self._run([self.node._kubectl, "--request-timeout=60s", *arguments])

    def works(self) -> bool:
        """Whether the virtual cluster answers through it, with its data."""
        words = [self.node._kubectl, "--request-timeout=10s", *KEPT]
        done = subprocess.run(words, env=self._environment, capture_output=True, text=True, check=False)
        return done.stdout == "here"

    @property
    def _environment(self) -> dict[str, str]:
        own = {"NESTLING_HOME": str(self.node.home), "KUBECONFIG": str(self.kubeconfig), "HOME": os.environ["HOME"]}
        return {**os.environ, **own}

    def _run(self, command: list[str], *, code: int = 0) -> str:
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def user(node_with_images: support.Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """With a virtual cluster that is connected, and an object in it."""
    found = User(node_with_images, tmp_path_factory.mktemp("user"))
    values = found.folder / "vcluster.yaml"
    values.write_text("sync: {toHost: {configMaps: {all: true}}}\n")
    found.nestling("create", NAME, "--driver", "helm", "-f", str(values))
    found.kubectl("create", "configmap", "kept", "--from-literal=is=here")
    yield found
    found.nestling("delete", NAME, "--ignore-not-found")


def forwarder(user: User) -> set[int]:
    """The process behind connect."""
    return support.processes(str(user.node.home / "forwards" / CONTEXT))


def control_plane(user: User) -> str:
    """What names the pod, whatever it is called."""
    return user.node.kubectl(
        "get", "pod", f"{NAME}-0", "-n", NAMESPACE, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}"
    )


def test_create_connects_through_a_process_in_the_background(user: User) -> None:
    assert yaml.safe_load(user.kubeconfig.read_text())["current-context"] == CONTEXT
    assert len(forwarder(user)) == 1
    assert "namespace/kube-system" in user.kubectl("get", "namespaces", "-o", "name")
    assert NAMESPACE not in user.kubectl("get", "namespaces", "-o", "name")


def test_a_command_has_a_way_of_its_own_and_its_exit_code_is_passed_on(user: User) -> None:
    before = user.kubeconfig.read_text()
    assert user.nestling("connect", NAME, "--", "kubectl", *KEPT) == "here"
    user.nestling("connect", NAME, "--", "sh", "-c", "exit 7", code=7)
    assert user.kubeconfig.read_text() == before
    assert len(forwarder(user)) == 1


def test_the_same_kubeconfig_works_after_the_pod_of_the_control_plane_is_another(user: User) -> None:
    process, before, pod = forwarder(user), user.kubeconfig.read_text(), control_plane(user)
    user.node.kubectl("delete", "pod", f"{NAME}-0", "-n", NAMESPACE)
    support.wait(lambda: control_plane(user) not in ("", pod), "another pod")
    support.wait(user.works, "the API of the virtual cluster")
    assert forwarder(user) == process
    assert user.kubeconfig.read_text() == before


def test_an_account_of_the_virtual_cluster_logs_in(user: User) -> None:
    printed = user.nestling("connect", NAME, "--print", "--service-account", "default/ci", "--cluster-role", "view")
    file = user.folder / "ci"
    file.write_text(printed)
    assert "token" in yaml.safe_load(printed)["users"][0]["user"]
    assert user.kubectl("--kubeconfig", str(file), "auth", "can-i", "list", "pods").strip() == "yes"


def test_describe_and_debug_ask_the_pod(user: User) -> None:
    shown = json.loads(user.nestling("describe", NAME, "-o", "json"))
    assert (shown["status"], shown["backingStore"]) == ("Running", "embedded-etcd")
    assert shown["sync"]["ready"] is True
    archive = user.folder / "debug.tar.gz"
    user.nestling("debug", "collect", NAME, "--output-filename", str(archive))
    with tarfile.open(archive) as found:
        names = {name.partition("/")[2] for name in found.getnames()}
    assert {
        "status/syncer.json",
        f"logs/{NAME}-0/syncer.log",
        "release/user-values.yaml",
        "virtual/version.json",
    } <= names


def test_an_upgrade_changes_the_values_and_keeps_the_data(user: User) -> None:
    secrets = "exportKubeConfig.additionalSecrets[0].name=extra"
    user.nestling("create", NAME, "--upgrade", "--set", secrets, "--connect=false")
    support.wait(
        lambda: bool(user.node.kubectl("get", "secret", "extra", "-n", NAMESPACE, "--ignore-not-found")), "the Secret"
    )
    support.wait(user.works, "the API of the virtual cluster")


def test_certificates_are_looked_at_and_made_new(user: User) -> None:
    def serials() -> dict[str, str]:
        rows = json.loads(user.nestling("certs", "check", NAME, "--output", "json"))
        assert {row["status"] for row in rows} == {"OK"}
        return {row["filename"]: row["expiryTime"] for row in rows}

    before = serials()
    user.nestling("certs", "rotate", NAME)
    after = serials()
    assert after["apiserver.crt"] > before["apiserver.crt"]
    assert after["server-ca.crt"] == before["server-ca.crt"]
    support.wait(user.works, "the API with the kubeconfig of before")


def test_a_pause_ends_all_pods_and_keeps_the_data(user: User) -> None:
    user.nestling("pause", NAME)
    assert user.node.kubectl("get", "pods", "-n", NAMESPACE, "-o", "name") == ""
    assert json.loads(user.nestling("list", "--output", "json"))[0]["Status"] == "Paused"
    user.nestling("connect", NAME)
    support.wait(user.works, "the API of the virtual cluster")


def test_disconnect_ends_the_process_and_delete_leaves_nothing(user: User) -> None:
    user.nestling("disconnect")
    assert forwarder(user) == set()
    user.nestling("connect", NAME)
    assert len(forwarder(user)) == 1
    user.nestling("delete", NAME)
    assert forwarder(user) == set()
    assert not (user.node.home / "forwards").exists()
    assert NAME not in user.kubeconfig.read_text()
    assert user.node.kubectl("get", "namespace", NAMESPACE, "--ignore-not-found", "-o", "name") == ""
    wide = user.node.kubectl("get", "clusterroles,clusterrolebindings,persistentvolumes", "-o", "json")
    assert NAMESPACE not in wide
