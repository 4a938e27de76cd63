"""Turns a ClientConfig into what a connection needs, and renews it when its sources change.

* certificate files: looked at once a second at most, and the TLS context made anew when one has changed;
* token files: read again once a minute at most, for they are renewed under the same name;
* exec plugins: run once and again shortly before what they gave expires, or when the server no longer takes it.

A renewal that fails (a file that is just being written) leaves what worked before.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import datetime
import logging
import os
import ssl
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from nestling.kube import errors, exec_plugin, kubeconfig

_LOG = logging.getLogger(__name__)
_TOKEN_SECONDS: Final = 60.0
_STAMP_SECONDS: Final = 1.0
#: A plugin's credentials are renewed this long before they expire.
_EARLY: Final = datetime.timedelta(seconds=15)


@dataclasses.dataclass(frozen=True, slots=True)
class Ready:
    """For one request: the TLS context (None for plain HTTP) and headers."""

    tls: ssl.SSLContext | None
    headers: tuple[tuple[str, str], ...] = dataclasses.field(default=(), repr=False)


class Credentials:
    """Supplies one ClientConfig's credentials."""

    def __init__(self, config: kubeconfig.ClientConfig) -> None:
        self._config = config
        self._token = ""
        self._token_read = float("-inf")
        self._issued: exec_plugin.Issued | None = None
        self._context: ssl.SSLContext | None = None
        self._context_of: object = None
        self._stamp: tuple[object, ...] = ()
        self._stamped = float("-inf")
        self._lock = asyncio.Lock()

    async def ready(self) -> Ready:
        """What the next request needs.

        Raises:
            errors.CredentialsFailed: a plugin failed, a file is missing or broken.
        """
        issued = await self._plugin() if self._config.exec_plugin else None
        try:
            tls = self._tls(issued) if self._config.server.startswith("https:") else None
            return Ready(tls, (*self._authorization(issued), *self._config.impersonate))
        except (OSError, ValueError) as error:
            raise errors.CredentialsFailed(self._config.server, str(error)) from error

    def forget(self) -> bool:
        """The server does not take the credentials: get new ones. False when there is no way to."""
        self._token_read = float("-inf")
        self._issued = None
        return self._config.exec_plugin is not None or self._config.token_file is not None

    def _authorization(self, issued: exec_plugin.Issued | None) -> Iterator[tuple[str, str]]:
        config = self._config
        token = config.token
        if config.token_file is not None:
            token = self._from_file(config.token_file)
        elif not token and issued is not None:
            token = issued.token
        if token:
            yield "Authorization", f"Bearer {token}"
        elif config.username is not None:
            pair = f"{config.username}:{config.password or ''}".encode()
            yield "Authorization", f"Basic {base64.b64encode(pair).decode()}"

    def _from_file(self, path: Path) -> str:
        now = time.monotonic()
        if now - self._token_read >= _TOKEN_SECONDS:
            try:
                self._token = path.read_text().strip()
            except OSError as error:
                if not self._token:
                    raise
                _LOG.warning("token file not read again", extra={"path": str(path), "error": str(error)})
            self._token_read = now
        return self._token

    async def _plugin(self) -> exec_plugin.Issued:
        """One run at a time, whoever asks."""
        plugin = self._config.exec_plugin
        if plugin is None:
            raise ValueError("there is no plugin")
        async with self._lock:
            held = self._issued
            if held is None or (held.expires and held.expires - _EARLY <= datetime.datetime.now(datetime.UTC)):
                try:
                    self._issued = held = await exec_plugin.run(plugin, self._config)
                except exec_plugin.PluginError as error:
                    raise errors.CredentialsFailed(self._config.server, str(error)) from error
            return held

    def _tls(self, issued: exec_plugin.Issued | None) -> ssl.SSLContext:
        stamp = self._stamps()
        if self._context is not None and stamp == self._stamp and issued is self._context_of:
            return self._context
        try:
            self._context = tls_context(self._config, issued)
            self._context_of = issued
        except (OSError, ValueError) as error:
            if self._context is None or issued is not self._context_of:
                raise
            # a pair of which only one half is written yet; the next look finds both
            _LOG.warning("certificates not read again", extra={"error": str(error)})
        self._stamp = stamp
        return self._context

    def _stamps(self) -> tuple[object, ...]:
        now = time.monotonic()
        if now - self._stamped < _STAMP_SECONDS:
            return self._stamp
        self._stamped = now
        return tuple(map(_stamp, (self._config.ca_file, self._config.cert_file, self._config.key_file)))


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ino, found.st_size)


def tls_context(config: kubeconfig.ClientConfig, issued: exec_plugin.Issued | None = None) -> ssl.SSLContext:
    """The TLS context of a configuration. Slow (files are read): keep it.

    Raises:
        ValueError, OSError: a certificate or key is missing or broken; the text says which.
    """
    ca = None if config.insecure else config.ca_data
    if ca is None and config.ca_file is not None and not config.insecure:
        ca = _content(config.ca_file)
    try:
        context = ssl.create_default_context(cadata=ca.decode() if ca is not None else None)
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise ValueError(f"the certificate authority {config.ca_file or ''} is no PEM certificate: {error}") from error
    if config.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = _pair(config, issued)
    if certificate is not None and key is not None:
        try:
            with as_file(certificate.rstrip() + b"\n" + key) as path:
                context.load_cert_chain(path)
        except ssl.SSLError as error:
            name = config.cert_file or "from the kubeconfig"
            raise ValueError(f"the client certificate {name} and its key do not work: {error}") from error
    return context


def _pair(config: kubeconfig.ClientConfig, issued: exec_plugin.Issued | None) -> tuple[bytes | None, bytes | None]:
    if issued is not None and issued.certificate and issued.key:
        return issued.certificate, issued.key
    certificate = config.cert_data or (_content(config.cert_file) if config.cert_file else None)
    return certificate, config.key_data or (_content(config.key_file) if config.key_file else None)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error


@contextlib.contextmanager
def as_file(content: bytes) -> Iterator[str]:
    """A private file with this content, in memory where the system can: the ssl module reads keys from files only."""
    if hasattr(os, "memfd_create"):
        descriptor, written = os.memfd_create("client-key"), ""
    else:
        descriptor, written = tempfile.mkstemp()  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            yield written or f"/proc/self/fd/{descriptor}"
    finally:
        if written:
            Path(written).unlink()
