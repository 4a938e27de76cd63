"""How to reach an API server, and as whom: kubeconfig files, in-cluster configuration, exec plugins.

Files are merged as kubectl does it: the first file that names a context, cluster or user wins.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

IN_CLUSTER: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class KubeconfigError(Exception):
    """A kubeconfig is missing, broken or incomplete; the text says which and where."""


@dataclasses.dataclass(frozen=True, slots=True)
class ExecPlugin:
    """A command that prints credentials (client.authentication.k8s.io)."""

    command: str
    args: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    api_version: str
    install_hint: str = ""
    provide_cluster_info: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """Address and credentials. Of each pair of data and file, data counts, as in kubectl."""

    server: str
    namespace: str = "default"
    context: str = ""
    ca_data: bytes | None = None
    ca_file: Path | None = None
    insecure: bool = False
    tls_server_name: str | None = None
    cert_data: bytes | None = None
    cert_file: Path | None = None
    key_data: bytes | None = dataclasses.field(default=None, repr=False)
    key_file: Path | None = None
    token: str | None = dataclasses.field(default=None, repr=False)
    token_file: Path | None = None
    username: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)
    exec_plugin: ExecPlugin | None = None


def default_paths(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """The files that kubectl would read: KUBECONFIG, or ~/.kube/config."""
    listed = [Path(part) for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return listed or [Path.home() / ".kube" / "config"]


def load(paths: Sequence[Path] | None = None, *, context: str | None = None) -> ClientConfig:
    """The configuration of a context, the current one by default.

    Raises:
        KubeconfigError: no file, broken YAML, or a context, cluster or user that is not there.
    """
    files = list(paths) if paths is not None else default_paths()
    documents = _documents(files)
    where = ", ".join(str(path) for path in files)
    if not documents:
        raise KubeconfigError(f"no kubeconfig found: {where} does not exist; set KUBECONFIG or write the file")
    name = context or _current(documents)
    if not name:
        raise KubeconfigError(f"{where}: no current-context is set; choose one with kubectl config use-context")
    chosen, _ = _entry(documents, "contexts", name, "context", where)
    cluster, cluster_dir = _entry(documents, "clusters", str(chosen.get("cluster", "")), "cluster", where)
    user: Mapping[str, Any] = {}
    user_dir = cluster_dir
    if chosen.get("user"):
        user, user_dir = _entry(documents, "users", str(chosen["user"]), "user", where)
    if not cluster.get("server"):
        raise KubeconfigError(f'{where}: cluster "{chosen.get("cluster")}" has no server')
    return ClientConfig(
        server=str(cluster["server"]).rstrip("/"),
        namespace=str(chosen.get("namespace") or "default"),
        context=name,
        ca_data=_data(cluster, "certificate-authority-data", where),
        ca_file=_path(cluster, "certificate-authority", cluster_dir),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        tls_server_name=cluster.get("tls-server-name"),
        cert_data=_data(user, "client-certificate-data", where),
        cert_file=_path(user, "client-certificate", user_dir),
        key_data=_data(user, "client-key-data", where),
        key_file=_path(user, "client-key", user_dir),
        token=user.get("token"),
        token_file=_path(user, "tokenFile", user_dir),
        username=user.get("username"),
        password=user.get("password"),
        exec_plugin=_exec(user, where),
    )


def current_context(paths: Sequence[Path] | None = None) -> str | None:
    """The name of the current context, None when there is none."""
    return _current(_documents(list(paths) if paths is not None else default_paths())) or None


def in_cluster(folder: Path = IN_CLUSTER, environ: Mapping[str, str] = os.environ) -> ClientConfig:
    """The configuration of a pod: its service account's token, which is read again as it is renewed.

    Raises:
        KubeconfigError: this is not a pod.
    """
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    token = folder / "token"
    if not host or not port or not token.exists():
        raise KubeconfigError("this is not a pod: KUBERNETES_SERVICE_HOST or the service account's token is missing")
    namespace = folder / "namespace"
    return ClientConfig(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        namespace=namespace.read_text().strip() if namespace.exists() else "default",
        context="in-cluster",
        ca_file=folder / "ca.crt",
        token_file=token,
    )


def _documents(paths: Sequence[Path]) -> list[tuple[Path, Mapping[str, Any]]]:
    found: list[tuple[Path, Mapping[str, Any]]] = []
    for path in paths:
        try:
            text = path.read_text()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise KubeconfigError(f"{path}: cannot be read: {error.strerror}") from error
        try:
            document = yaml.load(text, Loader=yaml.CSafeLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f", line {mark.line + 1}" if mark else ""
            raise KubeconfigError(f"{path}{line}: not valid YAML; repair or remove the file") from error
        if document is None:
            continue
        if not isinstance(document, dict):
            raise KubeconfigError(f"{path}: not a kubeconfig: a mapping with clusters, contexts and users is expected")
        found.append((path, document))
    return found


def _current(documents: Sequence[tuple[Path, Mapping[str, Any]]]) -> str:
    return next((str(document["current-context"]) for _, document in documents if document.get("current-context")), "")


def _entry(
    documents: Sequence[tuple[Path, Mapping[str, Any]]], section: str, name: str, kind: str, where: str
) -> tuple[Mapping[str, Any], Path]:
    names = []
    for path, document in documents:
        for entry in document.get(section) or ():
            if not isinstance(entry, dict):
                raise KubeconfigError(f"{path}: {section} must be a list of mappings with a name")
            if entry.get("name") == name:
                return entry.get(kind) or {}, path.parent
            names.append(str(entry.get("name")))
    known = ", ".join(sorted(names)) or "none"
    raise KubeconfigError(f'{where}: there is no {kind} "{name}"; there is: {known}')


def _data(entry: Mapping[str, Any], field: str, where: str) -> bytes | None:
    value = entry.get(field)
    if not value:
        return None
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise KubeconfigError(f"{where}: {field} is not base64") from error


def _path(entry: Mapping[str, Any], field: str, folder: Path) -> Path | None:
    """Relative paths are relative to the file that names them."""
    value = entry.get(field)
    return folder / str(value) if value else None


def _exec(user: Mapping[str, Any], where: str) -> ExecPlugin | None:
    plugin = user.get("exec")
    if not plugin:
        return None
    if not plugin.get("command"):
        raise KubeconfigError(f"{where}: an exec plugin has no command")
    return ExecPlugin(
        command=str(plugin["command"]),
        args=tuple(str(arg) for arg in plugin.get("args") or ()),
        env=tuple((str(one["name"]), str(one["value"])) for one in plugin.get("env") or ()),
        api_version=str(plugin.get("apiVersion") or "client.authentication.k8s.io/v1"),
        install_hint=str(plugin.get("installHint") or ""),
        provide_cluster_info=bool(plugin.get("provideClusterInfo")),
    )
