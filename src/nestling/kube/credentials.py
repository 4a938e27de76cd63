"""Turns a ClientConfig into what a connection needs: a TLS context and an Authorization header, renewed when their
sources change.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import datetime
import json
import os
import ssl
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from nestling.kube import kubeconfig

#: A token file is read again after this many seconds.
_TOKEN_SECONDS: Final = 60.0
#: An exec plugin's credentials are renewed this long before they expire.
_EARLY: Final = datetime.timedelta(seconds=30)


@dataclasses.dataclass(frozen=True, slots=True)
class _Issued:
    token: str | None
    cert: str | None
    key: str | None
    expires: datetime.datetime | None


class Credentials:
    """Supplies headers and TLS contexts for one ClientConfig."""

    def __init__(self, config: kubeconfig.ClientConfig) -> None:
        self._config = config
        self._token: tuple[float, str] | None = None
        self._issued: _Issued | None = None
        self._context: ssl.SSLContext | None = None
        self._stamp: tuple[object, ...] = ()
        self._lock = asyncio.Lock()

    async def headers(self) -> dict[str, str]:
        """The Authorization header, if the credentials are of that kind."""
        config = self._config
        token = config.token
        if config.token_file is not None:
            token = self._from_file(config.token_file)
        if config.exec_plugin is not None:
            token = (await self._plugin(config.exec_plugin)).token or token
        if token:
            return {"Authorization": f"Bearer {token}"}
        if config.username is not None:
            pair = f"{config.username}:{config.password or ''}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        return {}

    async def tls(self) -> ssl.SSLContext | None:
        """The TLS context, made anew when a certificate file has changed; None for plain HTTP."""
        if not self._config.server.startswith("https:"):
            return None
        issued = await self._plugin(self._config.exec_plugin) if self._config.exec_plugin else None
        stamp = (
            *(_stamp(path) for path in (self._config.ca_file, self._config.cert_file, self._config.key_file)),
            issued,
        )
        if self._context is None or stamp != self._stamp:
            self._context = _tls_context(self._config, issued)
            self._stamp = stamp
        return self._context

    def _from_file(self, path: Path) -> str:
        now = time.monotonic()
        if self._token is None or now - self._token[0] > _TOKEN_SECONDS:
            self._token = (now, path.read_text().strip())
        return self._token[1]

    async def _plugin(self, plugin: kubeconfig.ExecPlugin) -> _Issued:
        async with self._lock:
            held = self._issued
            if held is None or (held.expires and held.expires - _EARLY <= datetime.datetime.now(datetime.UTC)):
                self._issued = held = await _run(plugin, self._config)
            return held


def _stamp(path: Path | None) -> tuple[int, int] | None:
    if path is None:
        return None
    found = path.stat()
    return (found.st_mtime_ns, found.st_ino)


def _tls_context(config: kubeconfig.ClientConfig, issued: _Issued | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        if config.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif config.ca_data is not None:
            context.load_verify_locations(cadata=config.ca_data.decode())
        elif config.ca_file is not None:
            context.load_verify_locations(cafile=config.ca_file)
        with _files(config, issued) as pair:
            if pair is not None:
                context.load_cert_chain(*pair)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise kubeconfig.KubeconfigError(f'context "{config.context}": certificates cannot be used: {error}') from error
    return context


@contextlib.contextmanager
def _files(config: kubeconfig.ClientConfig, issued: _Issued | None) -> Iterator[tuple[Path, Path] | None]:
    """Client certificate and key as files: ssl reads nothing else. Those written here are private and removed."""
    cert = issued.cert.encode() if issued and issued.cert else config.cert_data
    key = issued.key.encode() if issued and issued.key else config.key_data
    if cert is None and key is None:
        yield (config.cert_file, config.key_file) if config.cert_file and config.key_file else None
        return
    with tempfile.TemporaryDirectory() as folder:
        pair = (Path(folder) / "tls.crt", Path(folder) / "tls.key")
        for path, data, file in zip(pair, (cert, key), (config.cert_file, config.key_file), strict=True):
            content = data if data is not None else file.read_bytes() if file else b""
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                stream.write(content)
        yield pair


async def _run(plugin: kubeconfig.ExecPlugin, config: kubeconfig.ClientConfig) -> _Issued:
    info: dict[str, object] = {
        "apiVersion": plugin.api_version,
        "kind": "ExecCredential",
        "spec": {"interactive": False},
    }
    if plugin.provide_cluster_info:
        info["spec"] = {"interactive": False, "cluster": {"server": config.server}}
    environment = {**os.environ, **dict(plugin.env), "KUBERNETES_EXEC_INFO": json.dumps(info)}
    try:
        process = await asyncio.create_subprocess_exec(
            plugin.command,
            *plugin.args,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        hint = f" {plugin.install_hint}" if plugin.install_hint else ""
        raise kubeconfig.KubeconfigError(
            f"exec plugin {plugin.command} cannot be run: {error.strerror}.{hint}"
        ) from error
    output, complaint = await process.communicate()
    if process.returncode != 0:
        said = complaint.decode(errors="replace").strip()[-500:]
        raise kubeconfig.KubeconfigError(
            f"exec plugin {plugin.command} failed with exit code {process.returncode}: {said}"
        )
    return _parse(plugin, output)


def _parse(plugin: kubeconfig.ExecPlugin, output: bytes) -> _Issued:
    try:
        status = json.loads(output)["status"]
        expires = status.get("expirationTimestamp")
        return _Issued(
            token=status.get("token"),
            cert=status.get("clientCertificateData"),
            key=status.get("clientKeyData"),
            expires=datetime.datetime.fromisoformat(expires) if expires else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise kubeconfig.KubeconfigError(f"exec plugin {plugin.command} did not print an ExecCredential") from error
