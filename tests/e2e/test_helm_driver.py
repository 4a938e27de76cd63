"""The driver helm on a real node, as a user of a cluster has it: create, connect, and all that comes after."""

from __future__ import annotations

import contextlib
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

from nestling.binaries import chain
from tests.support import node as support
from tests.support import releases, terminal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

NAME = "driven"
NAMESPACE = f"vcluster-{NAME}"
CONTEXT = f"vcluster_{NAME}_{NAMESPACE}_nestling-default"
ETCD_IMAGE = "registry.k8s.io/etcd:3.6.8-0"
SHELL_IMAGE = "test.nestling/tools:1"
#: That of the seed.
CLASS = "managed-nfs-storage"
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

    def on_a_terminal(self, *arguments: str) -> contextlib.AbstractContextManager[terminal.Terminal]:
        """The same on a terminal."""
        return terminal.opened([sys.executable, "-m", "nestling.cli.main", *arguments], self._environment)

    def kubectl(self, *arguments: str) -> str:
        """Through the kubeconfig that connect wrote, with its current context."""
        return self._run([self.node._kubectl, "--request-timeout=60s", *arguments])

    def works(self) -> bool:
        """Whether the virtual cluster answers through it, with its data."""
        return self.said(*KEPT) == "here"

    def said(self, *arguments: str) -> str:
        """What kubectl prints, whether it succeeds or not."""
        words = [self.node._kubectl, "--request-timeout=10s", *arguments]
        return subprocess.run(words, env=self._environment, capture_output=True, text=True, check=False).stdout

    @property
    def _environment(self) -> dict[str, str]:
        own = {"NESTLING_HOME": str(self.node.home), "KUBECONFIG": str(self.kubeconfig), "HOME": os.environ["HOME"]}
        return {**os.environ, **own}

    def _run(self, command: list[str], *, code: int = 0) -> str:
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout


#: What somebody types who looks whether a terminal has become as large as its window; the answer is in no echo.
SIZED = b"until [ \"$(stty size)\" = '33 111' ]; do :; done; echo now' 'wide\n"


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

    may = ("--kubeconfig", str(file), "auth", "can-i", "list", "pods")
    # an API server that has just started reads its roles and bindings behind its back
    support.wait(lambda: user.said(*may) == "yes\n", "what the role view allows")


def test_describe_and_debug_ask_the_pod(user: User) -> None:
    support.eventually(lambda: check_the_description(user))
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


def check_the_description(user: User) -> None:
    shown = json.loads(user.nestling("describe", NAME, "-o", "json"))
    assert (shown["status"], shown["backingStore"], shown["sync"]["ready"]) == ("Running", "embedded-etcd", True)


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


def talk(shell: terminal.Terminal, code: int) -> None:
    """What a person does in a shell of a container: type, make the window larger, leave."""
    shell.wait_for_prompt(b"# ")
    shell.type(b"echo a$((40+2))b\n")
    shell.wait_for(b"a42b")
    shell.resize(33, 111)
    shell.type(SIZED)
    shell.wait_for(b"now wide")
    shell.type(f"exit {code}\n".encode())


def test_the_helm_walk_through_on_this_machine_up_to_a_shell_in_a_pod(
    node_with_images: support.Node, tmp_path: Path
) -> None:
    """``host up --node containerd``, ``create … -f examples/seed-001.yaml``, ``connect … -- kubectl run -it --rm``."""
    older = releases.IMAGES / "kubernetes-1.32.tar"
    if not older.is_file():
        pytest.skip(f"no {older.name} in .images; run: make e2e")
    user = User(node_with_images, tmp_path)
    etcd = support.image(tmp_path, ETCD_IMAGE, chain.ensure(["etcd"])["etcd"], "/usr/local/bin/etcd")
    shell_image = support.shell_image(tmp_path, SHELL_IMAGE, also=("stty", "sleep"), entrypoint=())
    for archive in (etcd, older, shell_image):
        user.nestling("host", "load-image", str(archive))
    try:
        user.nestling("host", "up", "--node", "containerd")
        user.nestling("create", "my-vc", "--driver", "helm", "-f", str(releases.ROOT / "examples" / "seed-001.yaml"))
        # the host has one kind of storage, and the values name that of another cluster
        classes = "jsonpath={.items[*].spec.storageClassName}"
        assert user.node.kubectl("get", "pvc", "-n", "vcluster-my-vc", "-o", classes) == CLASS
        # the quota of the seed leaves less than its own default limit for a container
        container = {"name": "sh", "resources": {"limits": {"memory": "64Mi"}}}
        limits = {"spec": {"terminationGracePeriodSeconds": 0, "containers": [container]}}
        run = ("kubectl", "run", "-it", "--rm", "sh", f"--image={SHELL_IMAGE}", f"--overrides={json.dumps(limits)}")
        patience = ("--override-type=strategic", f"--pod-running-timeout={support.SECONDS:.0f}s")
        with user.on_a_terminal("connect", "my-vc", "--", *run, *patience, "--", "sh") as shell:
            talk(shell, 0)
            assert shell.code() == 0, shell.shown
            assert b"deleted" in shell.shown
        user.kubectl(*run[1:2], "sh", *run[5:], patience[0], "--", "sleep", "3600")
        user.kubectl("wait", "--for=condition=Ready", "pod/sh", f"--timeout={support.SECONDS:.0f}s")
        with user.on_a_terminal("connect", "my-vc", "--", "kubectl", "exec", "-it", "sh", "--", "sh") as shell:
            talk(shell, 7)
            assert shell.code() == 7, shell.shown
        with user.on_a_terminal("debug", "shell", "my-vc", "--image", SHELL_IMAGE) as shell:
            shell.wait_for_prompt(b"# ")
            shell.type(b"echo /proc/1/root/da* | sed s/root/see/\n")
            shell.wait_for(b"/proc/1/see/data")
            shell.type(b"exit\n")
            assert shell.code() == 0, shell.shown
    finally:
        user.nestling("delete", "my-vc", "--driver", "helm", "--ignore-not-found")
        user.node.kubectl("delete", "storageclass", CLASS, "--ignore-not-found")
