from __future__ import annotations

import base64
import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from nestling.kube import exec_plugin, kubeconfig

_V1 = "client.authentication.k8s.io/v1"
_CONFIG = kubeconfig.ClientConfig(server="https://h:1", ca_data=b"CA", tls_server_name="inner", proxy_url="http://p")


def _answer(**status: Any) -> bytes:
    return json.dumps({"apiVersion": _V1, "kind": "ExecCredential", "status": status}).encode()


def _script(folder: Path, body: str, **more: Any) -> kubeconfig.ExecPlugin:
    path = folder / "plugin"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return kubeconfig.ExecPlugin(command=str(path), **more)


async def test_a_token(tmp_path: Path) -> None:
    answer = _answer(token="secret", expirationTimestamp="2030-01-02T03:04:05Z").decode()
    plugin = _script(
        tmp_path, f"""[ "$1 $WHO" = "login me" ] && echo '{answer}'""", args=("login",), env=(("WHO", "me"),)
    )
    issued = await exec_plugin.run(plugin, _CONFIG, terminal=False)
    assert issued.token == "secret"
    assert issued.expires == datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    assert "secret" not in repr(issued)


async def test_the_plugin_is_told_about_the_cluster(tmp_path: Path) -> None:
    answer = _answer(token="t").decode()
    out = tmp_path / "info"
    plugin = _script(tmp_path, f"""echo "$KUBERNETES_EXEC_INFO" > {out}; echo '{answer}'""", provide_cluster_info=True)
    await exec_plugin.run(plugin, _CONFIG, terminal=False)
    assert json.loads(out.read_text()) == {
        "apiVersion": _V1,
        "kind": "ExecCredential",
        "spec": {
            "interactive": False,
            "cluster": {
                "server": "https://h:1",
                "certificate-authority-data": base64.b64encode(b"CA").decode(),
                "tls-server-name": "inner",
                "proxy-url": "http://p",
            },
        },
    }


async def test_a_failing_plugin_says_why(tmp_path: Path) -> None:
    plugin = _script(tmp_path, "echo token-on-stdout; echo 'session expired' >&2; exit 3")
    with pytest.raises(exec_plugin.PluginError, match="ended with status 3: session expired") as caught:
        await exec_plugin.run(plugin, _CONFIG, terminal=False)
    assert "token-on-stdout" not in str(caught.value)


async def test_a_missing_plugin_tells_how_to_install_it() -> None:
    plugin = kubeconfig.ExecPlugin(command="no-such-plugin", install_hint="Get it from us.")
    with pytest.raises(exec_plugin.PluginError, match=r"no-such-plugin cannot be run(.|\n)*Get it from us\."):
        await exec_plugin.run(plugin, _CONFIG, terminal=False)


async def test_a_plugin_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exec_plugin, "_SECONDS", 0.1)
    with pytest.raises(exec_plugin.PluginError, match="took longer"):
        await exec_plugin.run(_script(tmp_path, "exec sleep 1000"), _CONFIG, terminal=False)


async def test_a_plugin_that_must_ask_needs_a_terminal(tmp_path: Path) -> None:
    with pytest.raises(exec_plugin.PluginError, match="no terminal"):
        await exec_plugin.run(_script(tmp_path, "true", interactive_mode="Always"), _CONFIG, terminal=False)


@pytest.mark.parametrize(
    ("mode", "terminal", "expected"),
    [("Never", True, False), ("IfAvailable", True, True), ("IfAvailable", False, False), ("Always", True, True)],
)
def test_when_it_may_ask(mode: str, terminal: bool, expected: bool) -> None:
    plugin = kubeconfig.ExecPlugin(command="x", interactive_mode=mode)
    assert exec_plugin._is_interactive(plugin, terminal=terminal) is expected


def test_a_certificate() -> None:
    issued = exec_plugin.parse(
        kubeconfig.ExecPlugin(command="x"), _answer(clientCertificateData="CERT", clientKeyData="KEY")
    )
    assert (issued.certificate, issued.key, issued.expires) == (b"CERT", b"KEY", None)


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        (b"", "printed no ExecCredential"),
        (b"my-secret-token", "printed no ExecCredential"),
        (b"[]", "printed no ExecCredential"),
        (b'{"apiVersion": "%s"}' % _V1.encode(), "printed no ExecCredential"),
        (_answer(token="t", expirationTimestamp="soon"), "printed no ExecCredential"),
        (_answer(), "neither a token nor a certificate"),
        (_answer(clientCertificateData="C"), "neither a token nor a certificate"),
        (_answer(token="t").replace(b"/v1", b"/v1beta1"), "answers in client.authentication.k8s.io/v1beta1"),
    ],
)
def test_answers_that_are_none(output: bytes, problem: str) -> None:
    with pytest.raises(exec_plugin.PluginError, match=problem) as caught:
        exec_plugin.parse(kubeconfig.ExecPlugin(command="x"), output)
    assert "my-secret-token" not in str(caught.value)
    assert caught.value.__cause__ is None
