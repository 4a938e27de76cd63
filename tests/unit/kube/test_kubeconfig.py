from __future__ import annotations

import base64
import textwrap
from pathlib import Path

import pytest

from nestling.kube import kubeconfig

_CA = base64.b64encode(b"CA PEM").decode()
_GOOD = f"""
apiVersion: v1
kind: Config
current-context: one
contexts:
- name: one
  context: {{cluster: c1, user: u1, namespace: team}}
- name: two
  context: {{cluster: c2, user: u2}}
clusters:
- name: c1
  cluster:
    server: https://one:6443/
    certificate-authority-data: {_CA}
    tls-server-name: internal
- name: c2
  cluster: {{server: "https://two", certificate-authority: pki/ca.crt, proxy-url: "http://proxy:3128"}}
users:
- name: u1
  user: {{token: secret-token}}
- name: u2
  user: {{client-certificate: c.crt, client-key: /abs/c.key}}
"""


def _write(folder: Path, text: str, name: str = "config") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def _cluster(cluster: str) -> str:
    return (
        "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n"
        f"clusters: [{{name: c, cluster: {cluster}}}]"
    )


def _user(folder: Path, user: str) -> kubeconfig.ClientConfig:
    text = """\
        current-context: x
        contexts: [{name: x, context: {cluster: c, user: u}}]
        clusters: [{name: c, cluster: {server: "https://h"}}]
        users:
        - name: u
          user:
        """
    return kubeconfig.load([_write(folder, textwrap.dedent(text) + textwrap.indent(textwrap.dedent(user), " " * 4))])


def test_the_current_context(tmp_path: Path) -> None:
    assert kubeconfig.load([_write(tmp_path, _GOOD)]) == kubeconfig.ClientConfig(
        server="https://one:6443",
        namespace="team",
        context="one",
        ca_data=b"CA PEM",
        tls_server_name="internal",
        token="secret-token",
    )


def test_another_context_with_paths_relative_to_the_file(tmp_path: Path) -> None:
    found = kubeconfig.load([_write(tmp_path, _GOOD)], context="two")
    assert found.ca_file == tmp_path / "pki/ca.crt"
    assert (found.cert_file, found.key_file) == (tmp_path / "c.crt", Path("/abs/c.key"))
    assert (found.namespace, found.proxy_url) == ("default", "http://proxy:3128")


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    assert "secret" not in repr(kubeconfig.load([_write(tmp_path, _GOOD)]))


def test_of_several_files_the_first_to_name_something_wins(tmp_path: Path) -> None:
    first = _write(
        tmp_path,
        """
        contexts: [{name: mixed, context: {cluster: c1, user: other}}]
        users: [{name: other, user: {tokenFile: token}}]
        """,
        "a/config",
    )
    second = _write(tmp_path, _GOOD, "b/config")
    third = _write(tmp_path, "current-context: mixed\nclusters: [{name: c1, cluster: {server: 'https://late'}}]", "c")
    found = kubeconfig.load([first, tmp_path / "absent", second, third], context="mixed")
    assert found.server == "https://one:6443"
    assert found.token_file == tmp_path / "a/token"
    assert kubeconfig.load([first, second, third]).context == "one"
    assert kubeconfig.load([third, first, second]).context == "mixed"


def test_current_context(tmp_path: Path) -> None:
    assert kubeconfig.current_context([_write(tmp_path, _GOOD)]) == "one"
    assert kubeconfig.current_context([_write(tmp_path, "clusters: []", "other")]) is None
    assert kubeconfig.current_context([tmp_path / "absent"]) is None


def test_which_files_kubectl_would_read() -> None:
    assert kubeconfig.default_paths({"KUBECONFIG": "/a:/b:"}) == [Path("/a"), Path("/b")]
    assert kubeconfig.default_paths({}) == [Path.home() / ".kube/config"]


def test_a_cluster_without_a_user(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        """
        current-context: x
        contexts: [{name: x, context: {cluster: c}}]
        clusters: [{name: c, cluster: {server: "https://h", insecure-skip-tls-verify: true}}]
        """,
    )
    found = kubeconfig.load([path])
    assert found.insecure
    assert found.token is None


def test_impersonation(tmp_path: Path) -> None:
    found = _user(tmp_path, "{as: jane, as-uid: u7, as-groups: [a, b], as-user-extra: {team: [x, y]}}")
    assert found.impersonate == (
        ("Impersonate-User", "jane"),
        ("Impersonate-Uid", "u7"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Extra-team", "x"),
        ("Impersonate-Extra-team", "y"),
    )


def test_exec_plugin(tmp_path: Path) -> None:
    found = _user(
        tmp_path,
        """
        exec:
          apiVersion: client.authentication.k8s.io/v1beta1
          command: aws
          args: [eks, get-token]
          env: [{name: AWS_PROFILE, value: dev}]
          installHint: Install it.
          provideClusterInfo: true
          interactiveMode: Never
        """,
    )
    assert found.exec_plugin == kubeconfig.ExecPlugin(
        command="aws",
        args=("eks", "get-token"),
        env=(("AWS_PROFILE", "dev"),),
        api_version="client.authentication.k8s.io/v1beta1",
        install_hint="Install it.",
        provide_cluster_info=True,
        interactive_mode="Never",
    )


def test_a_plugin_with_a_path_lies_beside_the_file(tmp_path: Path) -> None:
    found = _user(tmp_path, "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/login, env: null}")
    assert found.exec_plugin is not None
    assert found.exec_plugin.command == str(tmp_path / "bin/login")


@pytest.mark.parametrize(
    ("user", "problem"),
    [
        ("token: 12345", "config:7: users[0].user.token must be text, not int; put it in quotes"),
        ("client-certificate-data: '%%'", "config:7: users[0].user.client-certificate-data is not base64"),
        ("client-certificate: a.crt", "users[0].user.client-key is missing"),
        ("client-key: a.key", "users[0].user.client-certificate is missing"),
        ("auth-provider: {name: gcp}", "config:7: users[0].user.auth-provider is no longer supported"),
        ("exec: [a]", "config:7: users[0].user.exec must be a mapping"),
        ("exec:\n  command: x", "users[0].user.exec.apiVersion is missing"),
        ("exec:\n  apiVersion: client.authentication.k8s.io/v1", "users[0].user.exec.command is missing"),
        (
            "exec:\n  command: x\n  apiVersion: client.authentication.k8s.io/v1alpha1",
            "config:9: users[0].user.exec.apiVersion is client.authentication.k8s.io/v1alpha1, which is not supported",
        ),
        (
            "exec: {command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Maybe}",
            "interactiveMode is Maybe; it must be Never, IfAvailable or Always",
        ),
        ("exec: {command: x, apiVersion: client.authentication.k8s.io/v1, args: [1]}", "args must be a list of texts"),
        ("exec: {command: x, apiVersion: client.authentication.k8s.io/v1, env: [a]}", "env must be a list of mappings"),
    ],
)
def test_mistakes_in_a_user(tmp_path: Path, user: str, problem: str) -> None:
    with pytest.raises(kubeconfig.KubeconfigError) as caught:
        _user(tmp_path, user)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1\nb: 2", "config:2: not valid YAML"),
        ("- a", "config:1: is no kubeconfig"),
        ("contexts: {a: b}\ncurrent-context: x", "config:1: contexts must be a list"),
        ("current-context: x\ncontexts:\n- 5", "config:3: contexts[0] must be a mapping with a name"),
        ("current-context: 5", "config:1: current-context must be text, not int"),
        ("contexts: []", "no current-context is set; choose one with: kubectl config use-context NAME"),
        (
            "current-context: x\ncontexts: [{name: b, context: {}}, {name: a}]",
            'there is no context "x"; there is: a, b',
        ),
        ("current-context: x", 'there is no context "x"; there is: none'),
        (
            "current-context: x\ncontexts:\n- name: x\n  context: {user: u}",
            "config:4: contexts[0].context.cluster is missing",
        ),
        (
            _cluster("null"),
            "config:3: clusters[0].cluster.server is missing",
        ),
        (
            _cluster("{server: h, insecure-skip-tls-verify: true, certificate-authority: a}"),
            "cannot be true beside a certificate authority",
        ),
        (
            _cluster("{server: h, proxy-url: 'socks5://p'}"),
            "SOCKS proxies are not supported",
        ),
        (
            _cluster("{server: h, insecure-skip-tls-verify: 'yes'}"),
            "must be true or false",
        ),
    ],
)
def test_mistakes_in_a_file(tmp_path: Path, text: str, problem: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(kubeconfig.KubeconfigError) as caught:
        kubeconfig.load([path])
    assert problem in str(caught.value)
    assert str(path) in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(kubeconfig.KubeconfigError, match=r"there is no kubeconfig at .*KUBECONFIG"):
        kubeconfig.load([tmp_path / "absent"])


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(kubeconfig.KubeconfigError, match="cannot be read"):
        kubeconfig.load([tmp_path])
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(kubeconfig.KubeconfigError, match="not text"):
        kubeconfig.load([tmp_path / "binary"])


def test_an_address_without_a_scheme(tmp_path: Path) -> None:
    text = _cluster("{server: 'h:1'}")
    assert kubeconfig.load([_write(tmp_path, text)]).server == "https://h:1"


_ENV = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


class TestInCluster:
    def test_a_pod(self, tmp_path: Path) -> None:
        (tmp_path / "token").write_text("t")
        (tmp_path / "namespace").write_text("team\n")
        assert kubeconfig.in_cluster(tmp_path, _ENV) == kubeconfig.ClientConfig(
            server="https://10.0.0.1:443",
            namespace="team",
            context="in-cluster",
            ca_file=tmp_path / "ca.crt",
            token_file=tmp_path / "token",
        )

    def test_ipv6(self, tmp_path: Path) -> None:
        (tmp_path / "token").write_text("t")
        found = kubeconfig.in_cluster(tmp_path, _ENV | {"KUBERNETES_SERVICE_HOST": "fd00::1"})
        assert found.server == "https://[fd00::1]:443"

    def test_not_a_pod(self, tmp_path: Path) -> None:
        with pytest.raises(kubeconfig.KubeconfigError, match="not a pod"):
            kubeconfig.in_cluster(tmp_path, {})

    def test_a_pod_without_a_token(self, tmp_path: Path) -> None:
        with pytest.raises(kubeconfig.KubeconfigError, match="automountServiceAccountToken"):
            kubeconfig.in_cluster(tmp_path, _ENV)
