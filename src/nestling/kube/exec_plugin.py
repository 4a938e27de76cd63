"""Runs credential plugins (client.authentication.k8s.io v1 and v1beta1), as kubectl does.

What a plugin prints is a secret: it goes nowhere but into the answer. What it complains about goes into the error.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import datetime
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from nestling.kube import kubeconfig

#: A plugin that cannot ask anybody is given this long.
_SECONDS: Final = 60.0
_COMPLAINT: Final = 500


class PluginError(Exception):
    """The plugin gave no credentials; the text says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Issued:
    """What the plugin printed."""

    token: str | None = dataclasses.field(default=None, repr=False)
    certificate: bytes | None = dataclasses.field(default=None, repr=False)
    key: bytes | None = dataclasses.field(default=None, repr=False)
    expires: datetime.datetime | None = None


async def run(
    plugin: kubeconfig.ExecPlugin, config: kubeconfig.ClientConfig, *, terminal: bool | None = None
) -> Issued:
    """Run the plugin once. ``terminal``: is there a user to talk to? None finds out.

    Raises:
        PluginError: it cannot be run, failed, took too long or printed something else.
    """
    interactive = _is_interactive(plugin, terminal=sys.stdin.isatty() if terminal is None else terminal)
    environment = {**os.environ, **dict(plugin.env), "KUBERNETES_EXEC_INFO": request(plugin, config, interactive)}
    quiet = None if interactive else asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            plugin.command,
            *plugin.args,
            env=environment,
            stdin=None if interactive else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=quiet,
        )
    except OSError as error:
        hint = f"\n{plugin.install_hint}" if plugin.install_hint else ""
        raise PluginError(f"the exec plugin {plugin.command} cannot be run: {error.strerror}{hint}") from error
    try:
        async with asyncio.timeout(None if interactive else _SECONDS):
            output, complaint = await process.communicate()
    except TimeoutError:
        raise PluginError(f"the exec plugin {plugin.command} took longer than {_SECONDS:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        said = (complaint or b"").decode(errors="replace").strip()[-_COMPLAINT:]
        raise PluginError(
            f"the exec plugin {plugin.command} ended with status {process.returncode}{': ' if said else ''}{said}"
        )
    return parse(plugin, output)


def request(plugin: kubeconfig.ExecPlugin, config: kubeconfig.ClientConfig, interactive: bool) -> str:  # noqa: FBT001 - the protocol's own field
    """The KUBERNETES_EXEC_INFO for the plugin."""
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.provide_cluster_info:
        cluster: dict[str, Any] = {"server": config.server}
        ca = config.ca_data or (config.ca_file.read_bytes() if config.ca_file else None)
        if ca:
            cluster["certificate-authority-data"] = base64.b64encode(ca).decode()
        if config.tls_server_name:
            cluster["tls-server-name"] = config.tls_server_name
        if config.insecure:
            cluster["insecure-skip-tls-verify"] = True
        if config.proxy_url:
            cluster["proxy-url"] = config.proxy_url
        spec["cluster"] = cluster
    return msgspec.json.encode({"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}).decode()


def parse(plugin: kubeconfig.ExecPlugin, output: bytes) -> Issued:
    """The ExecCredential that the plugin printed."""
    try:
        found = msgspec.json.decode(output)
        status: Mapping[str, Any] = found["status"]
        expires = status.get("expirationTimestamp")
        issued = Issued(
            token=status.get("token"),
            certificate=_bytes(status.get("clientCertificateData")),
            key=_bytes(status.get("clientKeyData")),
            expires=datetime.datetime.fromisoformat(expires) if expires else None,
        )
    except (msgspec.DecodeError, ValueError, KeyError, TypeError, AttributeError):
        # without the cause: it would quote the output
        raise PluginError(f"the exec plugin {plugin.command} printed no ExecCredential with a status") from None
    if found.get("apiVersion") != plugin.api_version:
        raise PluginError(
            f"the exec plugin {plugin.command} answers in {found.get('apiVersion')}, the kubeconfig asks for "
            f"{plugin.api_version}; set its apiVersion to what the plugin knows"
        )
    if not issued.token and not (issued.certificate and issued.key):
        raise PluginError(f"the exec plugin {plugin.command} printed neither a token nor a certificate with its key")
    return issued


def _bytes(value: str | None) -> bytes | None:
    return value.encode() if value else None


def _is_interactive(plugin: kubeconfig.ExecPlugin, *, terminal: bool) -> bool:
    if plugin.interactive_mode == "Always" and not terminal:
        name = Path(plugin.command).name
        raise PluginError(f"the exec plugin {name} wants to ask something, and there is no terminal")
    return terminal and plugin.interactive_mode != "Never"
